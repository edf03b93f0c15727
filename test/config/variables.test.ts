import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '#config.js';
import { filesOf, load, refusal } from './configuration.js';

const KEY = randomBytes(32);
const ID = 'MA0123456789ABCDEFGH';
const TOKEN = 'sentinel-token-0123456789-abcdefghijklmn';

describe('without any variable', () => {
  test('everything has its documented default', () => {
    expect(load({ PATH: '/bin', HOME: '/root' })).toEqual({
      host: '127.0.0.1',
      port: 8080,
      dataDir: resolve('data'),
      masterKeys: null,
      bootstrap: null,
      callbackAllow: [],
      trustProxy: false,
      publicUrl: null,
      logLevel: 'info',
      metrics: { host: '127.0.0.1', port: 9464 },
      carriers: [],
      routes: [],
      optOuts: { helpText: null },
      limits: {
        failedValidationsPerRecipient: 50,
        listsPerMinute: 20,
        creates: {
          perAccount: null,
          perApplication: null,
          perRecipient: { count: 120, per: 3_600_000 },
          perAddress: null,
        },
        redeliveriesPerAccount: { count: 120, per: 60_000 },
        failedAuthentications: {
          perAddress: { count: 60, per: 60_000 },
          perAuthId: { count: 60, per: 60_000 },
        },
        countries: null,
      },
      rates: null,
      callbacks: { perHost: 16, total: 512 },
      retentionDays: 90,
      speech: { recordings: null, command: null, commandSeconds: 20 },
      drain: 10,
    });
  });

  test('no file is read, not even a countersign.yaml in the working directory', () => {
    const read = () => {
      throw new Error('read a file');
    };
    expect(() => loadConfig({}, [], { read })).not.toThrow();
  });

  test('an empty variable counts as unset', () => {
    const empty = { COUNTERSIGN_PORT: '', COUNTERSIGN_CALLBACK_ALLOW: ' ', COUNTERSIGN_CONFIG: '' };
    expect(load(empty)).toEqual(load({}));
  });
});

test('a configuration is frozen through and through', () => {
  const config = load({ COUNTERSIGN_CALLBACK_ALLOW: '10.0.0.0/8' });
  const open: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [key, each] of Object.entries(value)) visit(each, `${path}.${key}`);
  };
  visit(config, 'config');
  expect(open).toEqual([]);
});

describe('each variable', () => {
  test.each([
    ['COUNTERSIGN_HOST', '0.0.0.0', { host: '0.0.0.0' }],
    ['COUNTERSIGN_HOST', '[::1]', { host: '::1' }],
    ['COUNTERSIGN_HOST', 'Localhost', { host: 'localhost' }],
    ['COUNTERSIGN_PUBLIC_URL', 'https://verify.example.com', { publicUrl: 'https://verify.example.com' }],
    ['COUNTERSIGN_PUBLIC_URL', 'http://10.0.0.1:8080/cs//', { publicUrl: 'http://10.0.0.1:8080/cs' }],
    ['COUNTERSIGN_PORT', '0', { port: 0 }],
    ['COUNTERSIGN_PORT', '65535', { port: 65535 }],
    ['COUNTERSIGN_DATA_DIR', '/var/lib/countersign', { dataDir: '/var/lib/countersign' }],
    ['COUNTERSIGN_DATA_DIR', 'here', { dataDir: resolve('here') }],
    ['COUNTERSIGN_LOG_LEVEL', 'debug', { logLevel: 'debug' }],
    ['COUNTERSIGN_METRICS_ADDRESS', 'off', { metrics: null }],
    ['COUNTERSIGN_METRICS_ADDRESS', '0.0.0.0:0', { metrics: { host: '0.0.0.0', port: 0 } }],
    ['COUNTERSIGN_METRICS_ADDRESS', '[::1]:9000', { metrics: { host: '::1', port: 9000 } }],
    ['COUNTERSIGN_TRUST_PROXY', 'true', { trustProxy: true }],
    ['COUNTERSIGN_TRUST_PROXY', 'loopback, 10.1.2.3', { trustProxy: ['loopback', '10.1.2.3/32'] }],
    [
      'COUNTERSIGN_CALLBACK_ALLOW',
      '10.0.0.0/8, fd00::/8 127.0.0.1,Hooks.internal',
      { callbackAllow: ['10.0.0.0/8', 'fd00::/8', '127.0.0.1/32', 'hooks.internal'] },
    ],
  ])('%s=%s is understood', (name, value, expected) => {
    expect(load({ [name]: value })).toMatchObject(expected);
  });

  test.each([
    ['COUNTERSIGN_HOST', 'not a host', 'IP address or a host name'],
    ['COUNTERSIGN_HOST', '256.0.0.1', 'IP address or a host name'],
    ['COUNTERSIGN_PORT', '65536', '0 to 65535'],
    ['COUNTERSIGN_PORT', '80a', '0 to 65535'],
    ['COUNTERSIGN_PORT', '-1', '0 to 65535'],
    ['COUNTERSIGN_PORT', 'tcp://10.3.240.1:80', 'enableServiceLinks'],
    ['COUNTERSIGN_LOG_LEVEL', 'inof', 'the nearest known is info'],
    ['COUNTERSIGN_METRICS_ADDRESS', '9464', 'host:port'],
    ['COUNTERSIGN_METRICS_ADDRESS', '::1:9464', 'host:port'],
    ['COUNTERSIGN_TRUST_PROXY', 'yes', 'true, false'],
    ['COUNTERSIGN_TRUST_PROXY', 'fe80::1%br-1a2b', 'addresses and CIDRs'],
    ['COUNTERSIGN_CALLBACK_ALLOW', 'fe80::1%br-1a2b/128', 'CIDRs'],
    ['COUNTERSIGN_CALLBACK_ALLOW', '10.0.0.0/33', '"10.0.0.0/33"'],
    ['COUNTERSIGN_CALLBACK_ALLOW', '10.0.0', '"10.0.0"'],
    ['COUNTERSIGN_CALLBACK_ALLOW', 'http://hooks.internal', 'CIDRs'],
    ['COUNTERSIGN_PUBLIC_URL', 'verify.example.com', 'http or https URL'],
    ['COUNTERSIGN_PUBLIC_URL', 'https://verify.example.com/?a=b', 'without user name, query'],
    ['COUNTERSIGN_PUBLIC_URL', 'https://me:word@verify.example.com', 'without user name'],
    ['COUNTERSIGN_DATABASE_URL', 'postgres://localhost/x', 'only the embedded database'],
    ['COUNTERSIGN_CONFIG', '/nowhere.yaml', '/nowhere.yaml (there is none)'],
  ])('%s=%s is refused in one line that says what was expected', (name, value, expected) => {
    const message = refusal(() => load({ [name]: value }));
    expect(message.startsWith(`${name}: `)).toBe(true);
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  test('an unknown one is refused with the nearest known', () => {
    expect(refusal(() => load({ COUNTERSIGN_PROT: '1' }))).toBe(
      'COUNTERSIGN_PROT: unknown variable; the nearest known is COUNTERSIGN_PORT',
    );
  });

  test('one that Kubernetes sets for a Service is told apart', () => {
    expect(refusal(() => load({ COUNTERSIGN_SERVICE_HOST: '10.0.0.1' }))).toContain('enableServiceLinks');
  });
});

describe('COUNTERSIGN_MASTER_KEY', () => {
  test('takes 32 bytes in every usual writing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        for (const encoding of ['hex', 'base64', 'base64url'] as const) {
          const { masterKeys } = load({ COUNTERSIGN_MASTER_KEY: buffer.toString(encoding) });
          expect(masterKeys).toEqual([bytes]);
        }
      }),
    );
  });

  test('takes several keys in their order', () => {
    const other = randomBytes(32);
    const text = `${KEY.toString('hex')}, ${other.toString('base64')}`;
    expect(load({ COUNTERSIGN_MASTER_KEY: text }).masterKeys?.map((key) => Buffer.from(key))).toEqual([
      KEY,
      other,
    ]);
  });

  test('reads a file that is named instead', () => {
    const files = filesOf({ '/run/secrets/key': `${KEY.toString('base64')}\n` });
    const { masterKeys } = loadConfig({ COUNTERSIGN_MASTER_KEY: 'file:/run/secrets/key' }, [], files);
    expect(masterKeys?.map((key) => Buffer.from(key))).toEqual([KEY]);
  });

  test('refuses every other length without showing any of the text', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 80 }).filter((size) => size !== 32),
        (size) => {
          // 48 bytes of base64 are 64 characters, which are not 64 hexadecimal digits by any chance that matters.
          const text = randomBytes(size).toString('base64');
          const message = refusal(() => load({ COUNTERSIGN_MASTER_KEY: text }));
          expect(message).toContain('expected 32 bytes');
          expect(message).not.toContain(text.slice(0, 8));
        },
      ),
    );
  });

  test.each([
    ['', 'set but empty'],
    [',', 'at least one'],
    [`${KEY.toString('hex')},${KEY.toString('base64')}`, 'twice'],
    ['file:/absent', '/absent'],
  ])('%s is refused', (text, expected) => {
    expect(refusal(() => load({ COUNTERSIGN_MASTER_KEY: text }))).toContain(expected);
  });
});

describe('the first account', () => {
  test('has the credentials of both variables', () => {
    const config = load({ COUNTERSIGN_BOOTSTRAP_AUTH_ID: ID, COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN });
    expect(config.bootstrap).toEqual({ authId: ID, authToken: TOKEN });
  });

  test.each([
    [{ COUNTERSIGN_BOOTSTRAP_AUTH_ID: ID }, 'COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: '],
    [{ COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN }, 'COUNTERSIGN_BOOTSTRAP_AUTH_ID: '],
    [
      { COUNTERSIGN_BOOTSTRAP_AUTH_ID: `SA${ID.slice(2)}`, COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN },
      'COUNTERSIGN_BOOTSTRAP_AUTH_ID: expected MA',
    ],
    [
      { COUNTERSIGN_BOOTSTRAP_AUTH_ID: ID, COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: `${TOKEN}:` },
      'COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: expected 40',
    ],
    [
      { COUNTERSIGN_BOOTSTRAP_AUTH_ID: ID, COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: '' },
      'COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: is set but empty',
    ],
  ])('is refused when %j', (env, expected) => {
    const message = refusal(() => load(env));
    expect(message).toContain(expected);
    expect(message).not.toContain('sentinel');
  });
});
