import { resolve } from 'node:path';
import type { Config } from '../config.js';
import { parseHost, parseHostPort, parseNetwork, parsePort, splitList } from './addresses.js';
import { ConfigError } from './error.js';
import type { ConfigFiles } from './files.js';
import { parseKeyText } from './key-text.js';
import { didYouMean } from './nearest.js';
import { dereferenceFile } from './references.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What the environment variables say. */
export interface Variables
  extends Pick<
    Config,
    | 'host'
    | 'port'
    | 'dataDir'
    | 'masterKeys'
    | 'bootstrap'
    | 'callbackAllow'
    | 'trustProxy'
    | 'publicUrl'
    | 'logLevel'
    | 'metrics'
  > {
  /** Absolute path of `countersign.yaml`; null: none. */
  readonly configPath: string | null;
}

const PREFIX = 'COUNTERSIGN_';
const NAMES = [
  'COUNTERSIGN_HOST',
  'COUNTERSIGN_PORT',
  'COUNTERSIGN_DATA_DIR',
  'COUNTERSIGN_DATABASE_URL',
  'COUNTERSIGN_CONFIG',
  'COUNTERSIGN_MASTER_KEY',
  'COUNTERSIGN_BOOTSTRAP_AUTH_ID',
  'COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN',
  'COUNTERSIGN_CALLBACK_ALLOW',
  'COUNTERSIGN_TRUST_PROXY',
  'COUNTERSIGN_PUBLIC_URL',
  'COUNTERSIGN_LOG_LEVEL',
  'COUNTERSIGN_METRICS_ADDRESS',
] as const;
type Name = (typeof NAMES)[number];

const LOG_LEVELS: readonly Config['logLevel'][] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
];
/** Groups of addresses that Fastify's `trustProxy` knows by name. */
const PROXY_GROUPS = ['loopback', 'linklocal', 'uniquelocal'];
const MAX_KEYS = 32;
/** Variables that Kubernetes sets in every container for a Service that is named after this program. */
const SERVICE_LINK = /^COUNTERSIGN_(SERVICE_|PORT_[0-9]+_)/;

/**
 * Reads every variable of ours. An empty one counts as unset, except where that would silently replace a secret.
 * @throws ConfigError
 */
export function readVariables(env: Env, files: ConfigFiles): Variables {
  refuseUnknownVariables(env);
  const given = (name: Name) => (env[name]?.trim() ? env[name].trim() : undefined);
  if (given('COUNTERSIGN_DATABASE_URL') !== undefined) {
    throw new ConfigError(
      'COUNTERSIGN_DATABASE_URL',
      'only the embedded database is available in this version; unset it',
    );
  }
  const secret = (name: Name) => readSecret(env, name, files);
  const configPath = given('COUNTERSIGN_CONFIG');
  return {
    host: readHost(given('COUNTERSIGN_HOST') ?? '127.0.0.1'),
    port: readPort(given('COUNTERSIGN_PORT') ?? '8080'),
    dataDir: resolve(given('COUNTERSIGN_DATA_DIR') ?? './data'),
    masterKeys: readMasterKeys(secret('COUNTERSIGN_MASTER_KEY')),
    bootstrap: readBootstrap(
      secret('COUNTERSIGN_BOOTSTRAP_AUTH_ID'),
      secret('COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN'),
    ),
    callbackAllow: readCallbackAllow(given('COUNTERSIGN_CALLBACK_ALLOW') ?? ''),
    trustProxy: readTrustProxy(given('COUNTERSIGN_TRUST_PROXY') ?? 'false'),
    publicUrl: readPublicUrl(given('COUNTERSIGN_PUBLIC_URL')),
    logLevel: readLogLevel(given('COUNTERSIGN_LOG_LEVEL') ?? 'info'),
    metrics: readMetrics(given('COUNTERSIGN_METRICS_ADDRESS') ?? '127.0.0.1:9464'),
    configPath: configPath === undefined ? null : resolve(configPath),
  };
}

function refuseUnknownVariables(env: Env): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || env[name] === undefined || NAMES.includes(name as Name)) continue;
    const hint = SERVICE_LINK.test(name) ? `${SERVICE_LINK_HINT}; otherwise ` : '';
    throw new ConfigError(name, `unknown variable; ${hint}${didYouMean(name, NAMES)}`);
  }
}

const SERVICE_LINK_HINT =
  'if Kubernetes set it for a Service of that name, set enableServiceLinks: false on the pod';

function readSecret(env: Env, name: Name, files: ConfigFiles): string | null {
  const text = env[name];
  if (text === undefined) return null;
  if (text.trim() === '') throw new ConfigError(name, 'is set but empty; set it to its value, or unset it');
  return dereferenceFile(name, text.trim(), { env, files, directory: process.cwd() });
}

function readHost(text: string): string {
  const host = parseHost(text);
  if (host === null) throw new ConfigError('COUNTERSIGN_HOST', 'expected an IP address or a host name');
  return host;
}

function readPort(text: string): number {
  const port = parsePort(text);
  if (port === null) {
    const hint = /^(tcp|udp):/.test(text) ? `; ${SERVICE_LINK_HINT}` : '';
    throw new ConfigError('COUNTERSIGN_PORT', `expected a port, 0 to 65535${hint}`);
  }
  return port;
}

function readMasterKeys(text: string | null): Uint8Array[] | null {
  if (text === null) return null;
  const fail = (why: string) => new ConfigError('COUNTERSIGN_MASTER_KEY', why);
  const parts = splitList(text);
  if (parts.length > MAX_KEYS) throw fail(`expected at most ${MAX_KEYS} keys`);
  const keys = parts.map((part, index) => {
    const key = parseKeyText(part);
    if (key) return key;
    throw fail(
      `expected 32 bytes as base64 or 64 hexadecimal digits, but key ${index + 1} of ${parts.length} is not; make one with: openssl rand -base64 32`,
    );
  });
  const distinct = new Set(keys.map((key) => Buffer.from(key).toString('hex')));
  if (distinct.size < keys.length) throw fail('names a key twice');
  if (keys.length === 0) throw fail('expected at least one key');
  return keys;
}

function readBootstrap(authId: string | null, authToken: string | null): Config['bootstrap'] {
  if (authId === null && authToken === null) return null;
  if (authId === null) {
    throw new ConfigError('COUNTERSIGN_BOOTSTRAP_AUTH_ID', 'expected with COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN');
  }
  if (authToken === null) {
    throw new ConfigError('COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN', 'expected with COUNTERSIGN_BOOTSTRAP_AUTH_ID');
  }
  if (!/^MA[A-Z0-9]{18}$/.test(authId)) {
    throw new ConfigError('COUNTERSIGN_BOOTSTRAP_AUTH_ID', 'expected MA and 18 characters of A-Z and 0-9');
  }
  if (!/^[A-Za-z0-9_-]{32,128}$/.test(authToken)) {
    throw new ConfigError(
      'COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN',
      'expected 40 (at least 32, at most 128) characters of A-Z, a-z, 0-9, _ and -',
    );
  }
  return { authId, authToken };
}

function readCallbackAllow(text: string): string[] {
  return splitList(text).map((part) => {
    const allowed = parseNetwork(part) ?? parseHost(part);
    if (allowed !== null) return allowed;
    throw new ConfigError(
      'COUNTERSIGN_CALLBACK_ALLOW',
      `expected a list of CIDRs (10.0.0.0/8), addresses or host names, but ${JSON.stringify(part)} is none`,
    );
  });
}

function readTrustProxy(text: string): boolean | string[] {
  if (text === 'true' || text === 'false') return text === 'true';
  return splitList(text).map((part) => {
    const proxy = PROXY_GROUPS.includes(part) ? part : parseNetwork(part);
    if (proxy !== null) return proxy;
    throw new ConfigError(
      'COUNTERSIGN_TRUST_PROXY',
      `expected true, false, or a list of the proxies' addresses and CIDRs, but ${JSON.stringify(part)} is none`,
    );
  });
}

/** Scheme, host, port and a path that a proxy puts before ours. */
const PUBLIC_URL = /^https?:\/\/[^\s/?#@]+(\/[\x21-\x7e]*)?$/;

function readPublicUrl(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length <= 512 && PUBLIC_URL.test(text) && !/[?#]/.test(text) && URL.canParse(text)) {
    return text.replace(/\/+$/, '');
  }
  throw new ConfigError(
    'COUNTERSIGN_PUBLIC_URL',
    'expected an http or https URL without user name, query and fragment, of at most 512 characters',
  );
}

function readLogLevel(text: string): Config['logLevel'] {
  const level = LOG_LEVELS.find((each) => each === text);
  if (level) return level;
  throw new ConfigError(
    'COUNTERSIGN_LOG_LEVEL',
    `expected one of ${LOG_LEVELS.join(', ')}; ${didYouMean(text, LOG_LEVELS)}`,
  );
}

function readMetrics(text: string): Config['metrics'] {
  if (text === 'off') return null;
  const address = parseHostPort(text);
  if (address) return address;
  throw new ConfigError(
    'COUNTERSIGN_METRICS_ADDRESS',
    'expected host:port ([address]:port for IPv6), or off',
  );
}
