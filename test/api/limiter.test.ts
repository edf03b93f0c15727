import { expect, test } from 'vitest';
import { createLimiter } from '#api/limits/limiter.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

const HOUR = 3_600_000;

test('any number of other keys cannot push out a key that is in use', () => {
  const limiter = createLimiter(new VirtualEnvironment(), { count: 2, per: HOUR }, 10);
  limiter.take('mine');
  limiter.take('mine');
  for (let other = 0; other < 1_000; other++) {
    limiter.take(`other ${other}`);
    if (other % 5 === 0) limiter.take('mine');
  }
  expect(limiter.wait('mine')).toBeGreaterThan(0);
});

test('keys beyond twice the number remembered are forgotten, the oldest first', () => {
  const limiter = createLimiter(new VirtualEnvironment(), { count: 1, per: HOUR }, 10);
  for (let key = 0; key < 1_000; key++) limiter.take(`${key}`);
  const known = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => limiter.isUsed(`${key}`));
  expect(known.length).toBeGreaterThanOrEqual(10);
  expect(known.length).toBeLessThanOrEqual(20);
  expect(known.at(0)).toBe(1_000 - known.length);
});

test('a use that is given back is free again, and no use is no use', () => {
  const limiter = createLimiter(new VirtualEnvironment(), { count: 1, per: HOUR });
  limiter.take('key');
  expect(limiter.wait('key')).toBe(HOUR);
  limiter.giveBack('key');
  limiter.giveBack('other');
  expect(limiter.wait('key')).toBe(0);
  expect(limiter.isUsed('other')).toBe(false);
});

test('no rate is no limit', () => {
  const limiter = createLimiter(new VirtualEnvironment(), null);
  for (let use = 0; use < 100; use++) limiter.take('key');
  expect(limiter.wait('key')).toBe(0);
});
