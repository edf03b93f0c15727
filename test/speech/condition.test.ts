import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAdpcm, encodeAdpcm } from '#speech/adpcm.js';
import { condition, LOUDNESS, loudnessOf, PEAK, RATE } from '#speech/condition.js';
import { resample } from '#speech/filters.js';
import { levelOf, toInt16, tone } from './tones.js';

const RATES = [8_000, 11_025, 16_000, 22_050, 44_100, 48_000];

/** Without the ends, where a filter has too little to go by. */
function inner(samples: Float64Array): Float64Array {
  return samples.subarray(800, -800);
}

describe('resampling', () => {
  it.each(RATES)('from %i samples a second keeps a tone of 1 kHz at its pitch and level', (rate) => {
    const result = resample(tone(1000, rate), rate, RATE);
    expect(result.length).toBe(RATE);
    expect(levelOf(1000, inner(result), RATE)).toBeCloseTo(0.5, 2);
    const wanted = tone(1000, RATE);
    const wrong = inner(result.map((sample, index) => Math.abs(sample - wanted[index]!)));
    expect(Math.max(...wrong)).toBeLessThan(0.005);
  });

  it.each(RATES.filter((rate) => rate > 12_000))(
    'from %i takes out 6 kHz, which would come back as 2 kHz',
    (rate) => {
      const result = inner(resample(tone(6000, rate), rate, RATE));
      expect(levelOf(2000, result, RATE)).toBeLessThan(0.5 / 1000);
      expect(Math.max(...result.map(Math.abs))).toBeLessThan(0.5 / 300);
    },
  );
});

describe('conditioned speech', () => {
  const heard = (samples: Float64Array, rate = RATE) => condition({ samples, rate })!;

  it('has one loudness, whatever it had before', () => {
    for (const level of [0.9, 0.1, 0.003]) {
      const result = Float64Array.from(
        heard(tone(800, 16_000, { level }), 16_000),
        (sample) => sample / 32_767,
      );
      expect(loudnessOf(result)).toBeCloseTo(LOUDNESS, 0);
    }
  });

  it('is not measured by its pauses', () => {
    const speech = new Float64Array(3 * RATE);
    speech.set(tone(800, RATE, { seconds: 0.5 }), 0);
    speech.set(tone(800, RATE, { seconds: 0.5 }), 2.5 * RATE);
    const result = heard(speech);
    expect(levelOf(800, result.subarray(400, 3600), RATE) / 32_767).toBeCloseTo(
      Math.SQRT2 * 10 ** (LOUDNESS / 20),
      2,
    );
  });

  it('never clips: a click that is far louder than the rest lowers all of it', () => {
    const speech = tone(800, RATE, { level: 0.01 });
    for (let at = 1000; at < 1040; at++) speech[at] = at % 2 === 0 ? 1 : 0.2;
    expect(Math.max(...heard(speech).map(Math.abs))).toBeLessThanOrEqual(Math.ceil(PEAK * 32_767));
  });

  it('keeps to the band of a telephone', () => {
    const [low, high] = [tone(50, 48_000, { level: 0.2 }), tone(3900, 48_000, { level: 0.2 })];
    const speech = tone(1000, 48_000, { level: 0.2 }).map(
      (sample, index) => sample + low[index]! + high[index]!,
    );
    const result = heard(speech, 48_000);
    const kept = levelOf(1000, result, RATE);
    expect(levelOf(50, result, RATE) / kept).toBeLessThan(0.01);
    expect(levelOf(3900, result, RATE) / kept).toBeLessThan(0.02);
  });

  it('has no silence at its ends, and fades from and to nothing', () => {
    const speech = new Float64Array(3 * RATE);
    speech.set(tone(800, RATE), RATE);
    const result = heard(speech);
    expect(result.length / RATE).toBeGreaterThan(1);
    expect(result.length / RATE).toBeLessThan(1.06);
    expect([result[0], result.at(-1)]).toEqual([0, 0]);
    expect(Math.max(...heard(tone(800, RATE)).subarray(0, 5).map(Math.abs))).toBeLessThan(200);
  });

  it('that is silent is none', () => {
    expect(condition({ samples: new Float64Array(8000), rate: RATE })).toBeNull();
    expect(condition({ samples: new Float64Array(0), rate: 44_100 })).toBeNull();
  });
});

describe('ADPCM', () => {
  it('gives a sound back as it was but for some noise', () => {
    const sound = toInt16(tone(700, RATE, { level: 0.3 }));
    const back = decodeAdpcm(encodeAdpcm(sound), sound.length);
    const noise = Float64Array.from(sound, (sample, index) => (sample - back[index]!) / 32_767);
    expect(levelOf(700, back, RATE) / 32_767).toBeCloseTo(0.3, 2);
    expect(10 * Math.log10(noise.reduce((sum, each) => sum + each * each, 0) / noise.length)).toBeLessThan(
      -35,
    );
  });

  it('decodes whatever bytes there are to as many samples as wanted', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeAdpcm(bytes, bytes.length * 2).length).toBe(bytes.length * 2);
      }),
    );
  });
});
