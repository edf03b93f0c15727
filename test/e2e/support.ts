import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import plivo from 'plivo';
import { administrationAt } from '#admin/client.js';
import type { Administration } from '#admin/operations.js';
import { loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { type RunningServer, startServer } from '#server.js';
import { basic } from '../support/api-server.js';
import { remove } from '../support/remove.js';
import { type Lifetime, stopAfter } from '../support/stops.js';
import { settle, VirtualEnvironment } from '../support/virtual-time.js';

/** What the SDK's own types leave out. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
export type Untyped = any;

export const AUTH_ID = 'MAENDTOEND0000000000';
export const TOKEN = 'end-to-end-token-of-forty-characters-000';
export const RECIPIENT = '14155551234';

/** A message as the inbox shows it. */
export interface InboxMessage {
  readonly attempt_uuid: string;
  readonly session_uuid: string;
  readonly channel: string;
  readonly recipient: string;
  readonly text: string;
  readonly otp: string;
  readonly time: string;
}

export interface Countersign {
  /** Where the API listens now. */
  readonly url: string;
  /** Time of the server; passes only when a test says so. */
  readonly time: VirtualEnvironment;
  /** The SDK's sessions of the account, or of one who gives another token. */
  sessions(token?: string): Untyped;
  /** A GET below `/v1/Account/{auth_id}`. */
  get(path: string): Promise<Untyped>;
  /** Messages of the recipient in the inbox, newest first, when there are so many. */
  inbox(count: number, recipient?: string): Promise<readonly InboxMessage[]>;
  /** The value of a metric, 0 when nothing was counted yet. */
  metric(name: string): Promise<number>;
  /** Waits for what sockets and workers bring about, without time passing; what is due is done. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Lets time pass until the sweep for expired sessions has run after it. */
  passUntilSwept(milliseconds: number): Promise<void>;
  /** What the command line does, through the server's socket. */
  readonly administration: Administration;
  /** Has the server drain, as a signal to stop does; resolves when it has stopped. */
  drain(): Promise<void>;
  /** Drains the server and starts another on the same data directory, to which `meanwhile` may do something. */
  restart(meanwhile?: (dataDir: string) => Promise<void> | void): Promise<void>;
}

export interface StartOptions {
  /** `countersign.yaml`; none: the defaults. */
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves every test of the file, which starts it in `beforeAll`, or the one that starts it. */
  readonly lifetime?: Lifetime;
}

/** Rounds of the server's housekeeping (sweep, conclude, purge, forget, heartbeat) that wait for their time when nothing else goes on. */
const HOUSEKEEPING_TIMERS = 5;
/** Time between sweeps, in milliseconds. */
const SWEEP_EVERY = 1_000;

/**
 * The whole server on a free port, as `countersign serve` starts it, with the embedded database in a directory of
 * its own. Callbacks may reach 127.0.0.1. Stopped and removed after the test, or the file.
 */
export async function startCountersign({
  yaml,
  env,
  lifetime = 'test',
}: StartOptions = {}): Promise<Countersign> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-e2e-'));
  const dataDir = join(directory, 'data');
  const configPath = join(directory, 'countersign.yaml');
  if (yaml !== undefined) writeFileSync(configPath, yaml);
  const config = loadConfig(
    {
      COUNTERSIGN_PORT: '0',
      COUNTERSIGN_DATA_DIR: dataDir,
      COUNTERSIGN_METRICS_ADDRESS: '127.0.0.1:0',
      COUNTERSIGN_LOG_LEVEL: 'silent',
      COUNTERSIGN_CALLBACK_ALLOW: '127.0.0.1',
      COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID,
      COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN,
      ...(yaml === undefined ? {} : { COUNTERSIGN_CONFIG: configPath }),
      ...env,
    },
    carrierTypes,
  );
  const time = new VirtualEnvironment();
  const start = () =>
    startServer(config, {
      environment: time,
      onFatal: (error) => {
        throw error;
      },
    });
  let running: RunningServer;
  let stopped: Promise<void> | null = null;
  const drain = () => {
    stopped ??= running.drain();
    return stopped;
  };
  try {
    running = await start();
  } catch (error) {
    remove(directory);
    throw error;
  }
  stopAfter(lifetime, async () => {
    try {
      await drain();
    } finally {
      remove(directory);
    }
  });

  const until: Countersign['until'] = async (what, holds) => {
    const deadline = performance.now() + 60_000;
    while (!(await holds())) {
      if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await time.advance(0);
    }
  };
  const get: Countersign['get'] = async (path) => {
    const headers = { authorization: basic({ authId: AUTH_ID, token: TOKEN } as never) };
    const response = await fetch(`${running.url}/v1/Account/${AUTH_ID}${path}`, { headers });
    return response.json();
  };
  return {
    get url() {
      return running.url;
    },
    time,
    sessions: (token = TOKEN) =>
      new plivo.Client(AUTH_ID, token, { url: `${running.url}/v1/Account/${AUTH_ID}` } as Untyped)
        .verify_session,
    get,
    inbox: async (count, recipient = RECIPIENT) => {
      let messages: InboxMessage[] = [];
      await until(`${count} messages in the inbox`, async () => {
        ({ messages } = await get(`/Inbox/?recipient=${recipient}`));
        return messages.length >= count;
      });
      return messages;
    },
    metric: async (name) => {
      const text = await (await fetch(`${running.metricsUrl}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? 0);
    },
    until,
    passUntilSwept: async (milliseconds) => {
      await time.advance(milliseconds);
      // A sweep that began meanwhile asks the database, which answers in its own time.
      await until(
        'the sweep waits again',
        // Others have timers too.
        () => time.pending >= HOUSEKEEPING_TIMERS && time.isPending(SWEEP_EVERY),
      );
      await time.advance(SWEEP_EVERY);
      await settle();
    },
    administration: administrationAt(join(dataDir, 'admin.sock')),
    drain,
    restart: async (meanwhile) => {
      await drain();
      await meanwhile?.(dataDir);
      running = await start();
      stopped = null;
    },
  };
}
