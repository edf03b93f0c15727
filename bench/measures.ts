import type { LoadPlan, LoadResult } from './load-plan.js';
import {
  ACCOUNT,
  AUTHORIZATION,
  type Helper,
  pause,
  type Server,
  startHelper,
  startServer,
  until,
} from './processes.js';
import type { RawPlan, RawResult } from './raw-database.js';
import type { Scrape } from './scrape.js';

const PATH = `/v1/Account/${ACCOUNT}/Verify/Session/`;
const OTP = '42424242';
const CONNECTIONS = 64;

/** What creates at 64 connections were like. */
export interface CreateMeasure {
  /** Sessions a second, over the time until the last one was fully reported. */
  readonly rate: number;
  /** Milliseconds until the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that the server took; two threads can take two. */
  readonly cpu: number;
  /** Server's resident memory under load, in megabytes (10^6 bytes). */
  readonly rss: number;
  /** Commands per commit, on average. */
  readonly batch: number;
  /** Share of one core that the load generator took. */
  readonly generatorCpu: number;
}

/**
 * Creates, reported through the inbox, for so many seconds or so many sessions; with `callbackUrl`, until the last
 * callback is delivered as well.
 */
export async function measureCreates(
  server: Server,
  load: Helper,
  { seconds = 30, limit }: { readonly seconds?: number; readonly limit?: number },
  callbackUrl?: string,
): Promise<CreateMeasure> {
  const before = await server.metrics();
  const fields: Readonly<Record<string, string>> = callbackUrl === undefined ? {} : { url: callbackUrl };
  const result = await create(load, server, { connections: CONNECTIONS, seconds, fields, limit });
  const reported = (now: Scrape) =>
    delivered(now) - delivered(before) >= result.right &&
    (callbackUrl === undefined || calledBack(now) - calledBack(before) >= 3 * result.right);
  let after = await server.metrics();
  await until(async () => {
    after = await server.metrics();
    return reported(after);
  }, 'the last report');
  const took = (Date.now() - result.startedAt) / 1000;
  const grown = (metric: string) => after.value(metric) - before.value(metric);
  return {
    rate: result.right / took,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpu: grown('process_cpu_seconds_total') / took,
    rss: after.value('process_resident_memory_bytes') / 1e6,
    batch: grown('countersign_commit_commands_sum') / grown('countersign_commit_commands_count'),
    generatorCpu: result.cpu,
  };
}

/** Lets the server's code be compiled and its caches fill. */
export async function warmUp(server: Server, load: Helper, seconds: number): Promise<void> {
  await create(load, server, { connections: CONNECTIONS, seconds, fields: {} });
}

/** Median milliseconds of a create with one connection, on a server that does nothing else. */
export async function measureSingle(server: Server, load: Helper, seconds: number): Promise<number> {
  const { latency } = await create(load, server, { connections: 1, seconds, fields: {} });
  return latency.p50;
}

/** Creates at a steady pace, and when each was answered; resolves when all were delivered. */
export async function paced(
  load: Helper,
  server: Server,
  perSecond: number,
  seconds: number,
): Promise<LoadResult> {
  const before = await server.metrics();
  const result = await create(load, server, { connections: CONNECTIONS, seconds, fields: {}, perSecond });
  await until(
    async () => delivered(await server.metrics()) - delivered(before) >= result.right,
    'the last report',
  );
  return result;
}

/** Right validations a second at 64 connections, each of a session of its own. */
export async function measureValidations(server: Server, load: Helper, count: number): Promise<number> {
  const { sessions } = await create(load, server, {
    connections: CONNECTIONS,
    seconds: 30,
    fields: { otp: OTP },
    limit: count,
  });
  await until(async () => {
    const depth = await server.metrics();
    return depth.value('countersign_queue_depth', { queue: 'deliveries' }) === 0;
  }, 'the deliveries');
  const result = await ask(load, {
    port: server.port,
    connections: CONNECTIONS,
    seconds: 30,
    requests: { kind: 'validate', path: PATH, authorization: AUTHORIZATION, sessions, otp: OTP },
  });
  return result.right / result.seconds;
}

/** Answers a second of the bare framework at 64 connections. */
export async function measureBareFramework(load: Helper, seconds: number): Promise<number> {
  const framework = startHelper('./bare-framework.ts');
  const { port } = await framework.receive<{ port: number }>();
  const requests = { kind: 'create', path: '/', authorization: AUTHORIZATION, first: 0, fields: {} } as const;
  // The first is for warming up.
  await ask(load, { port, connections: CONNECTIONS, seconds: seconds / 2, requests });
  const result = await ask(load, { port, connections: CONNECTIONS, seconds, requests });
  framework.stop();
  return result.right / result.seconds;
}

/** Sessions a second that the driver alone writes, in commits of `batch` commands. */
export async function measureRawDatabase(database: Helper, batch: number, seconds: number): Promise<number> {
  const result = await database.ask<RawResult>({ batch, seconds } satisfies RawPlan);
  return result.sessions / result.seconds;
}

/** Milliseconds from a start on an empty directory to the first answer. */
export async function measureColdStart(): Promise<number> {
  const server = await startServer();
  await server.stop();
  return server.coldStart;
}

/** V8 hands back what the start needed after some idle seconds. */
const UNTIL_AT_REST = 25_000;

/** Megabytes of memory of a server at rest that has done nothing yet. */
export async function measureRest(): Promise<number> {
  const server = await startServer();
  await pause(UNTIL_AT_REST);
  const rss = (await server.metrics()).value('process_resident_memory_bytes') / 1e6;
  await server.stop();
  return rss;
}

/** Recipients so far: every session of a run is for another. */
let recipients = 0;

async function create(
  load: Helper,
  server: Server,
  of: Pick<LoadPlan, 'connections' | 'seconds' | 'perSecond'> & {
    readonly fields: Readonly<Record<string, string>>;
    readonly limit?: number;
  },
): Promise<LoadResult> {
  const { connections, seconds, fields, limit, perSecond } = of;
  const requests = { kind: 'create', path: PATH, authorization: AUTHORIZATION, first: recipients } as const;
  const plan = {
    port: server.port,
    connections,
    seconds,
    perSecond,
    requests: { ...requests, fields, limit },
  };
  const result = await ask(load, plan);
  recipients += result.right;
  return result;
}

async function ask(load: Helper, plan: LoadPlan): Promise<LoadResult> {
  const result = await load.ask<LoadResult>(plan);
  const wrong = Object.entries(result.wrong).map(([status, count]) => `${count} × ${status}`);
  if (wrong.length > 0)
    throw new Error(`${plan.requests.kind}: answers that count for nothing: ${wrong.join(', ')}`);
  return result;
}

const delivered = (now: Scrape) => now.value('countersign_attempts_total', { status: 'delivered' });
const calledBack = (now: Scrape) => now.value('countersign_callbacks_total', { result: 'delivered' });
