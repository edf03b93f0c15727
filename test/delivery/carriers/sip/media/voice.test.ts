import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SQUARES } from '#delivery/carriers/sip/media/g711.js';
import { levelOf, type VoiceChange, VoiceDetector } from '#delivery/carriers/sip/media/voice.js';
import { mulaw } from './support.js';

/** Levels of frames of 20 ms: `[level, milliseconds]` one after the other. */
function listen(
  ...parts: readonly (readonly [level: number, length: number])[]
): (VoiceChange & { at: number })[] {
  const detector = new VoiceDetector(400);
  const changes: (VoiceChange & { at: number })[] = [];
  let at = 0;
  for (const [level, length] of parts) {
    for (const end = at + length; at < end; ) {
      at += 20;
      const change = detector.hear(level, at);
      if (change) changes.push({ ...change, at });
    }
  }
  return changes;
}

describe('voice', () => {
  it('has a start once 60 ms were heard and an end 400 ms after the last, with its own length', () => {
    expect(listen([-65, 1000], [-25, 600], [-65, 1000])).toEqual([
      { kind: 'start', at: 1060 },
      { kind: 'end', lengthMs: 600, at: 2000 },
    ]);
  });

  it('is heard when the callee speaks with the very first frame', () => {
    expect(listen([-22, 700], [-60, 1000])).toEqual([
      { kind: 'start', at: 60 },
      { kind: 'end', lengthMs: 700, at: 1100 },
    ]);
  });

  it('is one sound over the gaps between words, two over a pause', () => {
    const words = listen([-60, 500], [-25, 300], [-60, 200], [-30, 300], [-60, 1000]);
    expect(words).toEqual([expect.anything(), { kind: 'end', lengthMs: 800, at: 1700 }]);
    expect(listen([-60, 500], [-25, 300], [-60, 600], [-30, 300], [-60, 1000])).toHaveLength(4);
  });

  it('is not a click, nor the noise of a quiet line', () => {
    expect(listen([-90, 500], [-10, 40], [-90, 1000], [-52, 5000])).toEqual([]);
  });

  it('is heard above a steady noise, which itself is heard no longer than two seconds', () => {
    const [start, end, ...voice] = listen([-40, 4000], [-22, 600], [-40, 1000]);
    expect(start).toMatchObject({ kind: 'start' });
    expect(end).toMatchObject({ kind: 'end' });
    expect(end!.at).toBeLessThan(3000);
    expect(voice).toEqual([
      { kind: 'start', at: 4060 },
      { kind: 'end', lengthMs: 600, at: 5000 },
    ]);
  });

  it('goes on through ten seconds of speech with its dips', () => {
    const speech = Array.from({ length: 25 }, () => [[-24, 300] as const, [-55, 100] as const]).flat();
    expect(listen([-60, 500], ...speech, [-60, 1000])).toEqual([
      { kind: 'start', at: 560 },
      { kind: 'end', lengthMs: 9900, at: 10_800 },
    ]);
  });

  it('ends when the peer stops sending at all', () => {
    const detector = new VoiceDetector(400);
    for (let at = 20; at <= 200; at += 20) detector.hear(-20, at);
    expect(detector.quiet(599)).toBeNull();
    expect(detector.quiet(600)).toEqual({ kind: 'end', lengthMs: 200 });
    expect(detector.quiet(5000)).toBeNull();
  });

  it('starts and ends by turns, whatever the levels', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -90, max: 0 }), fc.integer({ min: 20, max: 900 }))),
        (parts) => {
          const kinds = listen(...parts).map(({ kind }) => kind);
          kinds.forEach((kind, at) => {
            expect(kind).toBe(at % 2 === 0 ? 'start' : 'end');
          });
        },
      ),
    );
  });
});

it('measures levels in dB under full scale', () => {
  const loud = Int16Array.from({ length: 160 }, (_, at) => 32_000 * Math.sin((at * Math.PI) / 4));
  expect(levelOf(SQUARES.PCMU, mulaw.encode(loud), 0, 160)).toBeCloseTo(-3.2, 0);
  const quiet = loud.map((sample) => sample / 100);
  expect(levelOf(SQUARES.PCMU, mulaw.encode(quiet), 0, 160)).toBeCloseTo(-43.2, 0);
  expect(levelOf(SQUARES.PCMU, new Uint8Array(160).fill(0xff), 0, 160)).toBe(-90);
  expect(levelOf(SQUARES.PCMU, new Uint8Array(0), 0, 0)).toBe(-90);
});
