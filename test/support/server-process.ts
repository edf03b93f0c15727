import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { onTestFinished } from 'vitest';
import { cleanUp, type Ended, newDirectory, type Serving, serve } from '../cli/command-line.js';

export const AUTH_ID = 'MAFAULTS000000000000';
export const AUTH_TOKEN = 'faults-tests-use-this-token-of-40-chars-';

/** An answer of the API. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  /** As it came. */
  readonly text: string;
  readonly body: ReplyBody;
}

/** What tests look for in bodies; each answer has its own part of it. */
export interface ReplyBody {
  readonly error: string;
  readonly session_uuid: string;
  readonly status: string;
  readonly count: number;
  readonly attempt_details: readonly { readonly attempt_uuid: string; readonly status: string }[];
  readonly messages: readonly { readonly session_uuid: string; readonly otp: string }[];
  readonly sessions: readonly { readonly session_uuid: string }[];
  readonly applications: readonly { readonly app_uuid: string }[];
}

/** A server process: the built program, killed and started as often as a test likes. */
export interface ServerProcess {
  readonly dataDir: string;
  /** Where it answers now. */
  readonly url: string;
  /** A request with the account's credentials. Rejects when no answer comes. */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  create(fields: Record<string, unknown>): Promise<Reply>;
  validate(session: string, otp: string): Promise<Reply>;
  retrieve(session: string): Promise<Reply>;
  /** The value of a metric by its name and labels as Prometheus writes them; 0 when it is absent. */
  metric(name: string): Promise<number>;
  /** The metrics as they are scraped. */
  metrics(): Promise<string>;
  /** Ends it and waits for that. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended>;
  /** Starts it again on the same data directory. */
  start(): Promise<void>;
  readonly isAlive: boolean;
  /** What all its lives have written. */
  output(): string;
}

export interface ServerProcessOptions {
  /** `countersign.yaml`; none: all defaults. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A new one when absent. */
  readonly dataDir?: string;
}

const SESSIONS = '/Verify/Session/';

/** Starts the built server on free ports; it is killed and its directory removed when the test is over. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const directory = newDirectory();
  const dataDir = options.dataDir ?? join(directory, 'data');
  const env: Record<string, string> = {
    COUNTERSIGN_METRICS_ADDRESS: '127.0.0.1:0',
    COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID,
    COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: AUTH_TOKEN,
    COUNTERSIGN_CALLBACK_ALLOW: '127.0.0.1/32',
    ...options.env,
  };
  if (options.config !== undefined) {
    env.COUNTERSIGN_CONFIG = join(directory, 'countersign.yaml');
    writeFileSync(env.COUNTERSIGN_CONFIG, options.config);
  }
  const authId = env.COUNTERSIGN_BOOTSTRAP_AUTH_ID!;
  const credentials = Buffer.from(`${authId}:${env.COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN}`).toString('base64');
  const lives: Serving[] = [];
  let isAlive = false;
  let pool: Pool;

  const start = async () => {
    const life = await serve(dataDir, env);
    lives.push(life);
    isAlive = true;
    void life.ended.then(() => {
      if (lives.at(-1) === life) isAlive = false;
    });
    pool = new Pool(life.url, { connections: 64 });
    const ready = await pool.request({ method: 'GET', path: '/readyz' });
    await ready.body.dump();
    if (ready.statusCode !== 200) throw new Error(`/readyz answered ${ready.statusCode}`);
  };
  const call = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> => {
    const answer = await pool.request({
      method,
      path: `/v1/Account/${authId}${path}`,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: 60_000,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, body: JSON.parse(text) };
  };
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const life = lives.at(-1)!;
    life.kill(signal);
    const ended = await life.ended;
    isAlive = false;
    void pool.destroy().catch(() => {});
    return ended;
  };
  const metrics = async () => {
    const url = /"metrics":"(http:[^"]+)"/.exec(lives.at(-1)!.output())![1]!;
    return (await fetch(`${url}/metrics`)).text();
  };

  onTestFinished(async () => {
    if (isAlive) await end('SIGKILL');
    cleanUp();
  });
  await start();
  return {
    dataDir,
    get url() {
      return lives.at(-1)!.url;
    },
    call,
    create: (fields) => call('POST', SESSIONS, fields),
    validate: (session, otp) => call('POST', `${SESSIONS}${session}/`, { otp }),
    retrieve: (session) => call('GET', `${SESSIONS}${session}/`),
    metrics,
    metric: async (name) => {
      const line = (await metrics()).split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? 0 : Number(line.slice(name.length + 1));
    },
    end,
    start,
    get isAlive() {
      return isAlive;
    },
    output: () => lives.map((life) => life.output()).join(''),
  };
}

/** The depth of a queue as the metric's name. */
export function depthOf(queue: string): string {
  return `countersign_queue_depth{queue="${queue}"}`;
}

/**
 * Asks again and again until the answer is yes; fails when it is not within `seconds`: by default after more than the
 * minute in which a callback is sent again whose answer a stall of the machine has kept from the server.
 */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  seconds = 120,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await wait(25);
  }
}

/** Runs `task` for each item, `width` at a time. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  width: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const work = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await task(next.value);
  };
  await Promise.all(Array.from({ length: width }, work));
}
