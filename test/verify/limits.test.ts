import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextUse } from '#verify/limits.js';

it('a rate allows its count at once, then one each time that a use has grown back', () => {
  const rates = fc.record({
    count: fc.integer({ min: 1, max: 200 }),
    per: fc.constantFrom(1_000, 60_000, 3_600_000),
  });
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 1e9 }), (rate, start) => {
      let wholeAt: number | undefined;
      for (let use = 0; use < rate.count; use++) {
        const next = nextUse(rate, wholeAt, start);
        expect(next.wait).toBe(0);
        wholeAt = next.wholeAt;
      }
      const { wait } = nextUse(rate, wholeAt, start);
      expect(wait).toBeCloseTo(rate.per / rate.count, 2);
      expect(nextUse(rate, wholeAt, start + rate.per / rate.count).wait).toBe(0);
    }),
  );
});

it('whatever the times of uses, no window sees more than twice the count, nor any stretch more than it grows', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), gaps, (count, between) => {
      const rate = { count, per: 10_000 };
      const allowed: number[] = [];
      let wholeAt: number | undefined;
      let now = 0;
      for (const gap of between) {
        now += gap;
        const next = nextUse(rate, wholeAt, now);
        if (next.wait > 0) continue;
        wholeAt = next.wholeAt;
        allowed.push(now);
      }
      for (const from of allowed) {
        const inWindow = allowed.filter((time) => time >= from && time < from + rate.per).length;
        expect(inWindow).toBeLessThanOrEqual(2 * count);
      }
    }),
  );
});
