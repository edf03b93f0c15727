import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_MS, MAX_CATCH_UP_MS, Pacer, PHASES } from '#delivery/carriers/sip/media/pacer.js';
import { PortPairs } from '#delivery/carriers/sip/media/ports.js';

describe('the timetable of calls', () => {
  it('spreads calls over the frame: no phase has more than one call more than another', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (joins) => {
        const pacer = new Pacer(0);
        const phases: number[] = [];
        for (const joins_ of joins) {
          if (joins_ || phases.length === 0) phases.push(pacer.add(0));
        }
        const counts = new Array<number>(PHASES).fill(0);
        for (const phase of phases) counts[phase]!++;
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives every call its turn every 20 ms, whatever the delays of the timer below the bound', () => {
    const delays = fc.array(fc.double({ min: 0, max: MAX_CATCH_UP_MS - 1, noNaN: true }), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(
        delays,
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (late, calls, start) => {
          const pacer = new Pacer(start);
          const turns = new Map<number, number[]>();
          for (let call = 0; call < calls; call++) turns.set(pacer.add(start), []);
          let now = start;
          for (const delay of late) {
            now = Math.max(now, pacer.nextAt()!) + delay;
            const { skipped, slots } = pacer.due(now);
            expect(skipped).toBe(0);
            for (const { phase, at } of slots) {
              expect(at).toBeLessThanOrEqual(now);
              turns.get(phase)!.push(at);
            }
          }
          for (const times of turns.values()) {
            for (let turn = 1; turn < times.length; turn++) {
              expect(times[turn]! - times[turn - 1]!).toBeCloseTo(FRAME_MS, 6);
            }
            if (now - start > 2 * FRAME_MS) expect(now - times.at(-1)!).toBeLessThanOrEqual(FRAME_MS + 0.001);
          }
        },
      ),
    );
  });

  it('leaves out, for all calls alike, the frames of a stall beyond the bound', () => {
    const pacer = new Pacer(0);
    const phases = [pacer.add(0), pacer.add(0), pacer.add(0)];
    pacer.due(20);
    const { skipped, slots } = pacer.due(5020);
    expect(skipped).toBe(249);
    expect(slots.map(({ phase }) => phase).sort()).toEqual([...phases].sort());
    expect(pacer.due(5040).slots).toHaveLength(3);
  });

  it('has nothing to do without calls, and no debt after a time without', () => {
    const pacer = new Pacer(0);
    expect(pacer.nextAt()).toBeNull();
    const phase = pacer.add(5);
    pacer.remove(phase);
    expect(pacer.nextAt()).toBeNull();
    expect(pacer.due(1e9).slots).toEqual([]);
    pacer.add(2e9);
    const { skipped, slots } = pacer.due(2e9 + 20);
    expect([skipped, slots.length]).toEqual([0, 1]);
  });
});

describe('pairs of ports', () => {
  it('are even, within the range, and never given twice', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 300 }));
    fc.assert(
      fc.property(range, fc.double({ min: 0, max: 0.999, noNaN: true }), ([from, size], random) => {
        const to = Math.min(65_535, from + size);
        const ports = new PortPairs({ from, to }, random);
        const given: number[] = [];
        for (let port = ports.take(); port !== null; port = ports.take()) given.push(port);
        expect(new Set(given).size).toBe(given.length);
        expect(given.every((port) => port % 2 === 0 && port >= from && port + 1 <= to)).toBe(true);
        expect(given.length).toBe(Math.max(0, Math.floor((to - from - (from % 2) + 1) / 2)));
      }),
    );
  });

  it('come again only after all others, also over thousands of calls', () => {
    const ports = new PortPairs({ from: 10_000, to: 10_019 }, 0.35);
    const first = Array.from({ length: 10 }, () => ports.take()!);
    for (const port of first) ports.give(port);
    for (let round = 0; round < 5000; round++) {
      const port = ports.take()!;
      expect(port).toBe(first[round % 10]);
      ports.give(port);
    }
    expect(ports.free).toBe(10);
  });
});
