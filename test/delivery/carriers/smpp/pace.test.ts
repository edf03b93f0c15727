import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace } from '#delivery/carriers/smpp/pace.js';
import { settle, VirtualEnvironment } from '../../../support/virtual-time.js';
import { openRig } from './support.js';

const LONG = 'x'.repeat(400);

describe('the rate', () => {
  it('lets a burst go, and then so many a second, segments counted', async () => {
    const rig = await openRig({ rate: 10, burst: 4 });
    const arrived = () => rig.smsc.submits.length;
    for (let count = 0; count < 8; count++) void rig.submit();
    void rig.submit({ text: LONG });
    await rig.until('the burst is there', () => arrived() === 4);
    await settle(20);
    expect(arrived()).toBe(4);
    for (let tenth = 1; tenth <= 7; tenth++) {
      await rig.time.advance(100);
      await rig.until('one more is there', () => arrived() === 4 + tenth);
      await settle(5);
      expect(arrived()).toBe(4 + tenth);
    }
  });

  it('asks for no more messages at a time than get their turn', async () => {
    expect((await openRig({ rate: 2 })).carrier.window).toBe(10);
    expect((await openRig({ rate: 100 })).carrier.window).toBe(50);
    expect((await openRig({ rate: 0.1 })).carrier.window).toBe(1);
  });

  it('gives back what has had no turn for five seconds, for another carrier or later', async () => {
    const rig = await openRig({ rate: 1, burst: 1 });
    const submits = Array.from({ length: 9 }, () => rig.submit());
    for (let second = 0; second < 6; second++) {
      await rig.time.advance(1_000);
      await settle(10);
    }
    const results = await Promise.all(submits);
    expect(results.filter(({ kind }) => kind === 'accepted').length).toBeGreaterThanOrEqual(5);
    expect(results.at(-1)).toMatchObject({
      kind: 'unavailable',
      reason: 'no turn within 5000 ms',
      down: false,
    });
    expect(results.at(-1)).toHaveProperty('retryAfter', expect.any(Number));
  });

  it('of a long message is kept for all of its parts once the first went', async () => {
    const rig = await openRig({ rate: 1, burst: 1 });
    const text = 'x'.repeat(153 * 8);
    const results: string[] = [];
    for (let count = 0; count < 2; count++) void rig.submit({ text }).then(({ kind }) => results.push(kind));
    for (let step = 0; step < 100 && results.length < 2; step++) {
      await rig.time.advance(100);
      await settle(20);
    }
    expect(results.sort()).toEqual(['accepted', 'unavailable']);
    // All parts of the one, and none of the other.
    expect(rig.smsc.submits).toHaveLength(8);
  });

  it('is never exceeded over any second, and used in full, whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 4 })), {
          maxLength: 100,
        }),
        (rate, burst, arrivals) => {
          let now = 0;
          const pace = createPace(
            { monotonic: () => now, randomBytes: () => new Uint8Array(1) },
            rate,
            burst,
          );
          const sent: { at: number; count: number }[] = [];
          for (const [pause, count] of arrivals) {
            now += pause;
            for (let delay = pace.delay(count); delay > 0; delay = pace.delay(count)) now += delay;
            pace.take(count);
            sent.push({ at: now, count });
          }
          for (const [index, { at }] of sent.entries()) {
            const within = sent.slice(index).filter((each) => each.at <= at + 1_000);
            const total = within.reduce((sum, { count }) => sum + count, 0);
            // The last one may be larger than the burst.
            expect(total).toBeLessThanOrEqual(rate + burst + 4);
          }
        },
      ),
    );
  });
});

describe('an SMSC that says it is too much', () => {
  it.each([0x58, 0x14])(
    '0x%s slows the carrier down; the message is tried again, not failed',
    async (status) => {
      const rig = await openRig();
      rig.smsc.onSubmit = ({ number }) => (number <= 20 ? { messageId: 'm' } : { status });
      await Promise.all(Array.from({ length: 20 }, () => rig.submit()));
      const result = await rig.submit();
      expect(result).toMatchObject({ kind: 'unavailable', down: false, errorCode: 20 });
      const { retryAfter } = result as { retryAfter: number };
      expect(retryAfter).toBeGreaterThanOrEqual(875);
      expect(retryAfter).toBeLessThanOrEqual(1_250);
      // Half of the 21 of the last second.
      expect(rig.carrier.status!().rate).toBe(10.5);

      // The next one waits for the end of the pause.
      rig.smsc.onSubmit = () => ({ messageId: 'after' });
      const next = rig.submit();
      await rig.time.advance(800);
      expect(rig.smsc.submits).toHaveLength(21);
      await rig.time.advance(600);
      expect(await next).toEqual({ kind: 'accepted', messageId: 'after' });
    },
  );

  it('keeps no message that cannot have its turn in time', async () => {
    const rig = await openRig({ rate: 100, burst: 1 });
    rig.smsc.onSubmit = () => ({ status: 0x58 });
    for (let count = 0; count < 4; count++) {
      let isOver = false;
      void rig.submit().then(() => {
        isOver = true;
      });
      for (let step = 0; step < 100 && !isOver; step++) {
        await rig.time.advance(100);
        await settle(20);
      }
    }
    expect(rig.smsc.submits).toHaveLength(4);
    // Paused for some 8 s: longer than a message waits.
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', down: false, untried: true });
    expect(rig.smsc.submits).toHaveLength(4);
  });

  it('is left alone longer each time, and gets the full rate again when it takes it', async () => {
    const time = new VirtualEnvironment();
    const pace = createPace(time, 100, 100);
    const pauses: number[] = [];
    for (let count = 0; count < 5; count++) {
      pace.throttled();
      pace.throttled();
      pauses.push(pace.delay(0));
      await time.advance(pauses.at(-1)!);
    }
    pauses.forEach((pause, index) => {
      const expected = Math.min(1_000 * 2 ** index, 8_000);
      expect(pause).toBeGreaterThanOrEqual(expected * 0.87);
      expect(pause).toBeLessThanOrEqual(expected * 1.13);
    });
    expect(pace.rate).toBeCloseTo(100 / 2 ** 5);
    await time.advance(5_000);
    expect(pace.rate).toBeCloseTo((100 / 2 ** 5) * 1.5);
    await time.advance(60_000);
    expect(pace.rate).toBe(100);
    expect(pace.delay(1)).toBe(0);
  });

  it('without a configured rate is unlimited again in the end', async () => {
    const time = new VirtualEnvironment();
    const pace = createPace(time, null, 50);
    for (let count = 0; count < 200; count++) pace.take(1);
    pace.throttled();
    expect(pace.rate).toBe(100);
    await time.advance(30_000);
    expect(pace.rate).toBeNull();
  });
});
