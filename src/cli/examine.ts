import { createSocket } from 'node:dgram';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { administrationAt, NobodyListensError } from '../admin/client.js';
import type { Administration, OutputOf } from '../admin/operations.js';
import type { Config } from '../config.js';
import type { Binding, CarrierContext, Finding } from '../delivery/carrier.js';
import { carrierTypes } from '../delivery/carriers/index.js';
import { SettingsError } from '../delivery/settings-error.js';
import { systemEnvironment } from '../environment.js';
import { RATE } from '../speech/condition.js';
import { CLIP_NAMES } from '../speech/pack.js';
import { openSpeech } from '../speech/prompts.js';
import type { Recordings } from '../speech/recordings.js';
import { speakOnce } from '../speech/speak-once.js';
import { KeyringHolder } from '../store/keys.js';
import { MasterKeys } from '../store/master-keys.js';
import { modeForOthers } from '../store/private-file.js';
import { createLog } from '../telemetry/log.js';
import { CHANNELS } from '../verify/model.js';
import type { RateCard } from '../verify/rate-card.js';
import { adminSocket, hasDatabase, openDatabase, readConfig } from './connect.js';
import { describeFailure } from './failure.js';
import { inboxChannels } from './inbox.js';

/** Less free space than this is a problem that is about to happen, in bytes. */
const LOW_SPACE = 100 * 1024 * 1024;

/** What a start needs, and what a running server has, one finding after the other. Makes no database. */
export async function* examine(): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = await readConfig();
  } catch (error) {
    yield bad(`configuration: ${describeFailure(error).text}`);
    return;
  }
  yield good(
    `configuration: carriers ${config.carriers.map(({ name }) => name).join(', ') || 'none, but the inbox'}`,
  );
  if (config.rates) yield good(`rates: ${describeRates(config.rates)}`);
  yield* examineDirectory(config);
  yield* examineSpeech(config);
  const online = administrationAt(adminSocket(config));
  try {
    const status = await online('status', {});
    yield good(`server: runs as process ${status.pid}`);
    yield* examineDatabase(online, status);
  } catch (error) {
    if (error instanceof NobodyListensError) yield* examineStopped(config);
    else yield bad(`server: ${describeFailure(error).text}`);
  }
  yield* examineCarriers(config);
}

function describeRates({ currency, rates }: RateCard): string {
  const channels = CHANNELS.map((channel) => {
    const count = rates[channel].length;
    return count === 0
      ? `${channel} costs nothing`
      : `${count} ${count === 1 ? 'price' : 'prices'} for ${channel}`;
  });
  return `${channels.join(', ')}, in ${currency}`;
}

function* examineDirectory({ dataDir }: Config): Generator<Finding> {
  const others = modeForOthers(dataDir);
  const existing = nearestExisting(dataDir);
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    yield bad(
      `data directory: ${existing} cannot be written by this user: give it to the user that runs the server`,
    );
    return;
  }
  const { bavail, bsize } = statfsSync(existing);
  if (bavail * bsize < LOW_SPACE) {
    yield bad(`data directory: less than 100 MB are free on the disk of ${existing}: make room`);
  }
  if (others === null) yield good(`data directory: ${dataDir} will be made at the first start`);
  else if (others !== 0) yield bad(`data directory: others may look into it: run chmod 700 '${dataDir}'`);
  else yield good(`data directory: ${dataDir}`);
}

async function* examineSpeech({ speech: settings, dataDir }: Config): AsyncGenerator<Finding> {
  if (settings.recordings !== null) {
    try {
      const options = { settings, directory: join(dataDir, 'brands'), environment: systemEnvironment };
      yield describeRecordings(settings.recordings, (await openSpeech(options)).recordings);
    } catch (error) {
      yield bad(`speech: ${describeFailure(error).text}`);
    }
  }
  if (settings.command !== null) yield await trySpeech(settings.command, settings.commandSeconds * 1000);
}

function describeRecordings(folder: string, { clips, brands }: Recordings): Finding {
  const locales = [...clips].map(([locale, { size }]) => `${locale} ${size}/${CLIP_NAMES.length}`);
  const names = new Set([...brands.values()].flatMap((each) => [...each.keys()])).size;
  if (names === 0 && ![...clips.values()].some(({ size }) => size > 0)) {
    return bad(
      `speech: no recording is in ${folder}: put .wav files into a folder for each locale, such as es`,
    );
  }
  return good(`speech: recordings: ${locales.join(', ') || 'no prompts'}; brand names: ${names}`);
}

/** Has the program speak a name, and keeps nothing of it. */
async function trySpeech(command: readonly string[], timeout: number): Promise<Finding> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-doctor-'));
  const { signal } = new AbortController();
  const asked = { command, text: 'Countersign', locale: 'en', directory, timeout, signal };
  try {
    const samples = await speakOnce({ ...asked, environment: systemEnvironment });
    return good(`speech: ${command[0]} spoke a brand name of ${(samples.length / RATE).toFixed(1)} seconds`);
  } catch (error) {
    return bad(`speech: ${describeFailure(error).text}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

/** No server runs: whether one could start. */
async function* examineStopped(config: Config): AsyncGenerator<Finding> {
  yield good('server: does not run');
  if (hasDatabase(config)) {
    try {
      const { context, administration } = await openDatabase(config);
      try {
        yield* examineDatabase(administration, await administration('status', {}));
      } finally {
        await context.close();
      }
    } catch (error) {
      yield bad(`database: ${describeFailure(error).text}`);
    }
  } else {
    yield good('database: none yet; the first start makes it');
    yield examineKeyFile(config);
  }
  yield await examinePort('API address', config);
  if (config.metrics) yield await examinePort('metrics address', config.metrics);
  for (const { name, type, settings } of config.carriers) {
    const binding = carrierTypes.find((each) => each.type === type)?.binding?.(settings);
    if (binding) yield await examineBinding(name, binding);
  }
}

async function* examineDatabase(
  administration: Administration,
  status: OutputOf<'status'>,
): AsyncGenerator<Finding> {
  const { accounts, deliveries_waiting, callbacks_waiting } = status;
  yield good(
    `database: ${accounts} accounts; ${deliveries_waiting} deliveries and ${callbacks_waiting} callbacks wait`,
  );
  const { keys, hints } = await administration('keys.list', {});
  const others = keys.filter(({ state, references }) => state === 'standby' && references > 0);
  yield good(
    `keys: ${status.active_key} is active${others.length > 0 ? `; also in use: ${others.map(({ id }) => id).join(', ')}` : ''}`,
  );
  const isMissing = keys.some(({ state, held }) => !held && (state === 'active' || state === 'standby'));
  for (const hint of hints) yield { ok: !isMissing, text: `keys: ${hint}` };
}

function examineKeyFile(config: Config): Finding {
  try {
    const { source } = new MasterKeys({
      config,
      environment: systemEnvironment,
      holder: new KeyringHolder(),
    });
    return good(`keys: from ${source}`);
  } catch (error) {
    return bad(`keys: ${describeFailure(error).text}`);
  }
}

async function* examineCarriers(config: Config): AsyncGenerator<Finding> {
  for (const { name, type: typeName, settings } of config.carriers) {
    const type = carrierTypes.find((each) => each.type === typeName)!;
    try {
      // As a start does: what it would refuse is found here. Nothing is opened before a carrier is started.
      await type.create(settings, await contextOf(name, config)).stop();
      const findings = await type.check(settings);
      for (const { ok, text } of findings) yield { ok, text: `carrier ${name}: ${text}` };
    } catch (error) {
      const why =
        error instanceof SettingsError ? error.message : `its check failed: ${describeFailure(error).text}`;
      yield bad(`carrier ${name}: ${why}`);
    }
  }
  const channels = await inboxChannels(config);
  if (channels.length > 0)
    yield good(`inbox: takes ${channels.join(' and ')}, which never leave this machine`);
}

/** What a carrier is made with that is never started. */
async function contextOf(name: string, { publicUrl }: Config): Promise<CarrierContext> {
  return {
    name,
    environment: systemEnvironment,
    log: createLog('silent', { write: () => {} }),
    speech: await openSpeech({
      settings: { recordings: null, command: null, commandSeconds: 1 },
      directory: '',
      environment: systemEnvironment,
    }),
    report: async () => 'unavailable',
    inbound: async () => 'unavailable',
    share: { index: 0, count: 1 },
    publicUrl,
  };
}

/** Whether an address can be listened on, found out by doing it for a moment. */
function examinePort(what: string, { host, port }: { host: string; port: number }): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(bad(`${what}: ${describeFailure(error).text}`)));
    server.listen({ host, port }, () =>
      server.close(() => resolve(good(`${what}: ${host}:${port} is free`))),
    );
  });
}

/** Whether the port of a carrier is free, for every protocol that it takes. */
async function examineBinding(name: string, { address: host, port, protocols }: Binding): Promise<Finding> {
  const what = `carrier ${name}: ${protocols.join(' and ')} port`;
  if (protocols.includes('tcp')) {
    const finding = await examinePort(what, { host, port });
    if (!finding.ok || !protocols.includes('udp')) return finding;
  }
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      const error = Object.assign(new Error(), { code, syscall: 'listen', address: host, port });
      resolve(bad(`${what}: ${describeFailure(error).text}`));
    });
    socket.bind({ address: host, port, exclusive: true }, () =>
      socket.close(() => resolve(good(`${what}: ${host}:${port} is free`))),
    );
  });
}

const good = (text: string): Finding => ({ ok: true, text });
const bad = (text: string): Finding => ({ ok: false, text });
