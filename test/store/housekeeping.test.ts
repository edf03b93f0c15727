import { afterEach, beforeEach, expect, test } from 'vitest';
import { Housekeeping } from '#store/housekeeping.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics, type Metrics } from '#telemetry/metrics.js';
import type { Recipient, SessionId } from '#verify/model.js';
import { codeOf, type Fixture, seed, start, validation, wrongCode } from '../support/rows.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

const DAY = 86_400_000;
let time: VirtualEnvironment;
let store: MemoryStore;
let fixture: Fixture;
let metrics: Metrics;
let housekeeping: Housekeeping;

beforeEach(async () => {
  time = new VirtualEnvironment();
  store = openMemoryStore({ environment: time });
  fixture = await seed(store);
  metrics = createMetrics();
  housekeeping = new Housekeeping({
    store,
    environment: time,
    log: createLog('silent'),
    metrics,
    retention: 2 * DAY,
    onTakenOver: () => {},
  });
});
afterEach(async () => {
  housekeeping.stop();
  await store.close();
});

/** Starts sessions that are of an earlier time, milliseconds ago. */
async function begin(count: number, age: number): Promise<SessionId[]> {
  const now = time.now() - age;
  const commands = Array.from({ length: count }, (_, index) =>
    start(fixture, store, { now, recipient: String(14155550000 + (age % 7) * 1000 + index) as Recipient }),
  );
  await Promise.all(commands.map((command) => store.submit(command)));
  return commands.map((command) => command.session);
}

test('sessions are deleted when they have aged, however many, and younger ones stay', async () => {
  const old = await begin(250, 2 * DAY - 120_001);
  const young = await begin(3, DAY);
  await time.advance(119_000);
  expect(store.database.tables.session.size).toBe(253);
  await time.advance(120_000);
  expect([...store.database.tables.session.keys()].sort()).toEqual([...young].sort());
  expect(store.database.tables.attempt.size).toBe(3);
  const { values } = await metrics.sessions.get();
  expect(values.find(({ labels }) => labels.event === 'deleted')?.value).toBe(old.length);
});

test('failed validations are forgotten a day after the last, though their session stays', async () => {
  const age = DAY - 120_000;
  const [session] = await begin(1, age);
  const view = (await store.read.session(session!))!;
  const wrong = wrongCode(codeOf(fixture, view.session));
  await store.submit(validation(fixture, session!, wrong, { now: time.now() - age }));
  await time.advance(60_000);
  expect(store.database.tables.budget.size).toBe(1);
  await time.advance(120_000);
  expect(store.database.tables.budget.size).toBe(0);
  expect(store.database.tables.session.has(session!)).toBe(true);
});

test('a dropped message whose node did not live to tell how it ended has failed for an unknown reason', async () => {
  const command = start(fixture, store, { now: time.now(), url: 'https://customer.example/status' });
  await store.submit(command);
  const code = codeOf(fixture, store.database.session(command.session)!);
  await store.submit(validation(fixture, command.session, code, { now: time.now(), owner: store.epoch }));
  const attempt = () => store.database.attempt(command.attempt)!;
  await time.advance(299_000);
  expect(attempt()).toMatchObject({ status: 'queued', delivery: 'done' });
  await time.advance(120_000);
  expect(attempt()).toMatchObject({ status: 'failed', errorCode: 1000, callbacksMade: 2 });
});

test('nodes that ended long ago are forgotten, and their numbers are not given again', async () => {
  const { database } = store;
  const second = openMemoryStore({ environment: time, database });
  await second.close();
  const third = openMemoryStore({ environment: time, database });
  await time.advance(60_000);
  const times = { sessions: time.now(), budgets: 0 };
  await store.heartbeat();
  await store.purge(times, 10);
  expect([...database.nodes.keys()]).toEqual([1, 2, 3]);
  await third.purge(times, 10);
  expect([...database.nodes.keys()]).toEqual([1, 3]);
  expect(openMemoryStore({ environment: time, database }).epoch).toBe(4);
  await third.close();
});

test('a database that is away is purged when it is back', async () => {
  await begin(1, 3 * DAY);
  await time.advance(10_000);
  store.failure = 'away';
  await time.advance(120_000);
  expect(store.database.tables.session.size).toBe(1);
  store.failure = null;
  await time.advance(60_000);
  expect(store.database.tables.session.size).toBe(0);
});

test('idempotency keys are purged a day after they were used, in batches until none is left', async () => {
  const count = 600;
  const use = (index: number, now: number) =>
    store.submit(
      start(fixture, store, {
        now,
        recipient: `1415${5_550_000 + index}` as Recipient,
        idempotency: { key: `key ${index}`, digest: new Uint8Array(32) },
      }),
    );
  await Promise.all(Array.from({ length: count }, (_, index) => use(index, time.now())));
  await use(count, time.now() + 3600_000);
  const { idempotency } = store.database.tables;
  await time.advance(24 * 3600_000 - 1);
  expect(idempotency.size).toBe(count + 1);
  await time.advance(60_000);
  expect([...idempotency.keys()]).toEqual([`key ${count}`]);
});
