import { expect, test } from 'vitest';
import { watchReceipts } from '#delivery/awaited-receipts.js';
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
