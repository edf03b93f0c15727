import { bandPass, resample } from './filters.js';
import type { Sound } from './wav.js';

/** Samples a second of everything that is spoken: G.711's. */
export const RATE = 8_000;
/** What a telephone carries, in hertz (ITU-T G.712). The filter's slopes lie around these. */
const BAND = { low: 250, high: 3_450, taps: 161 };
/** Loudness of the active parts of every clip, in decibels of full scale. */
export const LOUDNESS = -20;
/** Highest sample, as a part of full scale. */
export const PEAK = 0.89;
/** Frames of loudness, in samples (20 ms). */
const FRAME = 160;
/** Frames this far below the loudest one are pauses and do not count, in decibels. */
const GATE = -20;
/** The ends of a clip are where sound falls this far below its loudest frame, in decibels. */
const EDGE = -40;
const EDGE_FRAME = 40;
/** Silence that is left at the ends, in samples: 10 and 25 ms. */
const LEAD = 80;
const TAIL = 200;
/** Length of the fades, in samples: 5 and 12 ms. */
const FADE_IN = 40;
const FADE_OUT = 96;

/**
 * Makes any speech fit to stand beside any other: 8 kHz, the telephone's band, one loudness, without silence at its
 * ends, and fading in and out so that nothing clicks where clips meet. Null when there is nothing to hear.
 */
export function condition({ samples, rate }: Sound): Int16Array | null {
  const narrow = bandPass(resample(samples, rate, RATE), RATE, BAND);
  const trimmed = trim(narrow);
  if (!trimmed) return null;
  const loudness = loudnessOf(trimmed);
  const peak = trimmed.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  const gain = Math.min(10 ** ((LOUDNESS - loudness) / 20), PEAK / peak);
  return Int16Array.from(trimmed, (sample, index) => {
    const edge = Math.min(fade(index, FADE_IN), fade(trimmed.length - 1 - index, FADE_OUT));
    return Math.round(sample * gain * edge * 32_767);
  });
}

/** Loudness of the parts that are no pause, in decibels of full scale; -Infinity for silence. */
export function loudnessOf(samples: Float64Array): number {
  const powers = powersOf(samples, FRAME);
  const loudest = Math.max(...powers);
  const active = powers.filter((power) => power > 0 && power >= loudest * 10 ** (GATE / 10));
  return 10 * Math.log10(active.reduce((sum, power) => sum + power, 0) / active.length || 0);
}

function trim(samples: Float64Array): Float64Array | null {
  const powers = powersOf(samples, EDGE_FRAME);
  const loudest = Math.max(...powers);
  // Less than the last bit of 16: noise of the arithmetic.
  if (!(loudest > 1e-9)) return null;
  const isHeard = (power: number) => power >= loudest * 10 ** (EDGE / 10);
  const first = powers.findIndex(isHeard) * EDGE_FRAME - LEAD;
  const last = (powers.findLastIndex(isHeard) + 1) * EDGE_FRAME + TAIL;
  return samples.slice(Math.max(0, first), Math.min(samples.length, last));
}

function powersOf(samples: Float64Array, frame: number): number[] {
  return Array.from({ length: Math.ceil(samples.length / frame) }, (_, index) => {
    const part = samples.subarray(index * frame, (index + 1) * frame);
    return part.reduce((sum, sample) => sum + sample * sample, 0) / frame;
  });
}

/** A rise from 0 to 1 that begins and ends level. */
function fade(index: number, length: number): number {
  return index >= length ? 1 : 0.5 - 0.5 * Math.cos((Math.PI * index) / length);
}
