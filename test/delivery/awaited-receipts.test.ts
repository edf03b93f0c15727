import { expect, test } from 'vitest';
import { watchReceipts } from '#delivery/awaited-receipts.js';
import { resumeReceipts } from '#delivery/resume-receipts.js';
import { createRouter } from '#delivery/router.js';
import { type HandedMessage, StoreError } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

function open(max?: number) {
  const environment = new VirtualEnvironment();
  const metrics = createMetrics();
  const awaited = watchReceipts(environment, metrics, max);
  const missing = async () =>
    Object.fromEntries(
      (await metrics.missingReceipts.get()).values.map((each) => [each.labels.carrier, each.value]),
    );
  return { environment, awaited, missing };
}

test('a message whose receipt does not come in the time of its route is counted once', async () => {
  const { environment, awaited, missing } = open();
  awaited.handed('one', 'a', 10_000);
  awaited.handed('two', 'b', 60_000);
  await environment.advance(9_999);
  expect(await missing()).toEqual({});
  await environment.advance(1);
  expect(await missing()).toEqual({ one: 1 });
  await environment.advance(100_000);
  expect(await missing()).toEqual({ one: 1, two: 1 });
  expect(awaited.size).toBe(0);
});

test('a message whose receipt comes in time is not counted', async () => {
  const { environment, awaited, missing } = open();
  for (let n = 0; n < 100; n++) {
    awaited.handed('one', `a${n}`, 10_000);
    await environment.advance(10);
    awaited.settled(`a${n}`);
  }
  awaited.settled('unknown');
  awaited.handed('one', 'late', 10_000);
  await environment.advance(60_000);
  expect(await missing()).toEqual({ one: 1 });
});

test('an attempt that another carrier takes waits for that one', async () => {
  const { environment, awaited, missing } = open();
  awaited.handed('one', 'a', 10_000);
  await environment.advance(5_000);
  awaited.handed('two', 'a', 10_000);
  await environment.advance(60_000);
  expect(await missing()).toEqual({ two: 1 });
});

test('memory is bounded: past it the one that waits longest is not watched any more', async () => {
  const { environment, awaited, missing } = open(100);
  for (let n = 0; n < 1_000; n++) awaited.handed('one', `a${n}`, 10_000);
  expect(awaited.size).toBe(100);
  await environment.advance(60_000);
  expect(await missing()).toEqual({ one: 100 });
  expect(environment.pending).toBe(0);
});

/** Starts with messages that were handed over so many milliseconds ago, to a recipient each. */
async function resume(handed: readonly (readonly [recipient: string, ago: number])[]) {
  const world = open();
  const { environment, awaited } = world;
  const carriers = [{ name: 'one', channels: ['sms'] as const }];
  const routes = [
    { channel: null, prefix: '', carriers: ['one'], receiptWithin: 60 },
    { channel: null, prefix: '44', carriers: ['one'], receiptWithin: 600 },
  ];
  const messages = handed.map(([recipient, ago], index) => {
    const handedAt = environment.now() - ago;
    const rest = { country: null, application: 'a', alias: 'a', src: null };
    return { attempt: `a${index}`, carrier: 'one', handedAt, recipient, ...rest } as unknown as HandedMessage;
  });
  const asked: number[] = [];
  const handedMessages = async (since: number) => {
    asked.push(environment.now() - since);
    return messages;
  };
  const options = { awaited, environment, log: createLog('silent'), longest: 600_000 };
  const router = createRouter(routes, carriers);
  await resumeReceipts({ ...options, router, store: { read: { handedMessages } as never } });
  return { ...world, asked };
}

test('what an earlier process handed over is watched for the rest of the time of its route', async () => {
  const { environment, awaited, missing, asked } = await resume([
    ['14155550101', 10_000],
    ['14155550102', 50_000],
    ['447700900101', 590_000],
    ['14155550103', 20_000],
  ]);
  expect(asked).toEqual([600_000]);
  awaited.handed('one', 'new', 60_000);
  awaited.settled('a3');
  for (const [passed, count] of [
    [9_999, undefined],
    [1, 2],
    [39_999, 2],
    [1, 3],
    [9_999, 3],
    [1, 4],
    [600_000, 4],
  ] as const) {
    await environment.advance(passed);
    expect(await missing()).toEqual(count === undefined ? {} : { one: count });
  }
});

test('what was missed before the start is not counted again, nor watched longer by a clock that went back', async () => {
  const { environment, awaited, missing } = await resume([
    ['14155550101', 60_000],
    ['14155550102', -500_000],
  ]);
  expect(awaited.size).toBe(1);
  await environment.advance(60_000);
  expect([awaited.size, await missing()]).toEqual([0, { one: 1 }]);
});

test('a start goes on without the watch when the database cannot say', async () => {
  const { awaited, environment } = open();
  const handedMessages = () => Promise.reject(new StoreError('unavailable', 'away'));
  const router = createRouter([], []);
  const options = { awaited, environment, router, log: createLog('silent'), longest: 1 };
  await resumeReceipts({ ...options, store: { read: { handedMessages } as never } });
  expect(awaited.size).toBe(0);
});
