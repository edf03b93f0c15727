import { expect, test } from 'vitest';
import { Housekeeping } from '#store/housekeeping.js';
import { openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { Recipient } from '#verify/model.js';
import { seed, start } from '../support/rows.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

test('idempotency keys are purged a day after they were used, in batches until none is left', async () => {
  const environment = new VirtualEnvironment();
  const store = openMemoryStore({ environment });
  const fixture = await seed(store);
  const count = 600;
  const use = (index: number, now: number) =>
    store.submit(
      start(fixture, store, {
        now,
        recipient: `1415${5_550_000 + index}` as Recipient,
        idempotency: { key: `key ${index}`, digest: new Uint8Array(32) },
      }),
    );
  await Promise.all(Array.from({ length: count }, (_, index) => use(index, environment.now())));
  await use(count, environment.now() + 3600_000);
  const housekeeping = new Housekeeping({
    store,
    environment,
    log: createLog('silent'),
    metrics: createMetrics(),
    onTakenOver: () => {},
    sweepEvery: 3600_000,
  });
  const { idempotency } = store.database.tables;
  await environment.advance(24 * 3600_000 - 1);
  expect(idempotency.size).toBe(count + 1);
  await environment.advance(60_000);
  expect([...idempotency.keys()]).toEqual([`key ${count}`]);
  housekeeping.stop();
  await store.close();
});
