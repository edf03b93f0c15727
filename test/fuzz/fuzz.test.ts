import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';
import { startFuzzWorld } from './world.js';

test('generated requests, right and wrong, are answered as the reference says, and harm nobody', async () => {
  const world = await startFuzzWorld();
  const result = await fuzz(world, { requests: 1_000, seed: 4 });
  expect([...result.failures, ...(await world.close())]).toEqual([]);
  // Otherwise nothing but refusals was tried.
  expect(result.succeeded.length).toBeGreaterThan(15);
});
