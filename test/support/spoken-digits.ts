import type { Clip, Digit } from '#speech/prompts.js';

const DIGITS: readonly Digit[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Likeness from which on a sound is taken for a digit: G.711 leaves 0.99, of other digits the likest has 0.75. */
const ALIKE = 0.85;

/** A digit that was heard. */
export interface HeardDigit {
  readonly digit: Digit;
  /** Where it begins, in samples. */
  readonly at: number;
  /** How like the prompt it is, from `ALIKE` to 1, whatever its loudness. */
  readonly likeness: number;
}

/**
 * The digits that were spoken in a recording of a call, in order, found by correlation with the prompts.
 * @param recorded 8 kHz, one channel
 * @param clipOf the clip of each digit in the language that the call should have
 */
export function hearDigits(recorded: Int16Array, clipOf: (digit: Digit) => Clip): HeardDigit[] {
  const call = listenTo(recorded);
  const candidates = DIGITS.flatMap((digit) => {
    const { samples } = clipOf(digit);
    return occurrences(call, levelled(samples)).map((found) => ({ ...found, digit, length: samples.length }));
  });
  candidates.sort((a, b) => b.likeness - a.likeness);
  const heard: typeof candidates = [];
  for (const each of candidates) {
    const isFree = heard.every(({ at, length }) => each.at + each.length <= at || at + length <= each.at);
    if (isFree) heard.push(each);
  }
  return heard.sort((a, b) => a.at - b.at).map(({ digit, at, likeness }) => ({ digit, at, likeness }));
}

/** How often a clip was heard in a recording. */
export function timesHeard(recorded: Int16Array, clip: Clip): number {
  return occurrences(listenTo(recorded), levelled(clip.samples)).length;
}

/** The clip of each digit in a code's pieces that hold all ten in order, as `Speech.code` gives them for 0123456789. */
export function digitClips(code: (digits: string) => readonly (Clip | { silence: number })[]) {
  const clips = code(DIGITS.join('')).filter((piece): piece is Clip => 'samples' in piece);
  return (digit: Digit) => clips.at(Number(digit) - DIGITS.length)!;
}

/**
 * How like each of some sounds is to each other one, at the shift that suits best: 1 for the same sound, whatever its
 * loudness.
 */
export function likenesses(sounds: readonly Int16Array[]): number[][] {
  const size = 2 ** Math.ceil(Math.log2(2 * Math.max(...sounds.map(({ length }) => length))));
  const prepared = sounds.map((samples) => {
    const even = levelled(samples);
    return { spectrum: transformed(even, size), energy: energyOf(even) };
  });
  return prepared.map((a, row) =>
    prepared.map((b, column) => {
      // The other half is the same.
      if (column > row) return 0;
      const best = products(a.spectrum, b.spectrum).reduce((high, each) => Math.max(high, Math.abs(each)), 0);
      return best / Math.sqrt(a.energy * b.energy);
    }),
  );
}

/**
 * A sound whose high frequencies and quiet parts count as much as the others, down to a floor: words such as Hindi's
 * सात and आठ share a loud vowel and differ in quiet consonants, which plain correlation hardly sees.
 */
function levelled(samples: Int16Array): Float64Array {
  const raised = Float64Array.from(samples, (sample, index) => sample - 0.9 * (samples[index - 1] ?? 0));
  const sums = runningEnergy(raised);
  const half = 80;
  const loudness = raised.map((_, index) => {
    const from = Math.max(0, index - half);
    const to = Math.min(raised.length, index + half);
    return Math.sqrt((sums[to]! - sums[from]!) / (to - from));
  });
  const floor = 0.02 * loudness.reduce((highest, each) => Math.max(highest, each), 1);
  return raised.map((sample, index) => sample / (loudness[index]! + floor));
}

function runningEnergy(samples: Float64Array): Float64Array {
  const sums = new Float64Array(samples.length + 1);
  for (const [index, sample] of samples.entries()) sums[index + 1] = sums[index]! + sample * sample;
  return sums;
}

/** A recording with what does not depend on the clip that is looked for, since that takes the most time. */
interface Recording {
  readonly length: number;
  readonly sums: Float64Array;
  spectrum(size: number): Spectrum;
}

function listenTo(recorded: Int16Array): Recording {
  const call = levelled(recorded);
  const known = new Map<number, Spectrum>();
  return {
    length: call.length,
    sums: runningEnergy(call),
    spectrum: (size) => {
      const spectrum = known.get(size) ?? transformed(call, size);
      known.set(size, spectrum);
      return spectrum;
    },
  };
}

/** Where a clip occurs in a recording. */
function occurrences(recorded: Recording, clip: Float64Array): { at: number; likeness: number }[] {
  const products = correlate(recorded, clip);
  const own = energyOf(clip);
  const { sums } = recorded;
  const found: { at: number; likeness: number }[] = [];
  for (let at = 0; at + clip.length <= recorded.length; at++) {
    const energy = sums[at + clip.length]! - sums[at]!;
    const like = energy > 0 ? products[at]! / Math.sqrt(own * energy) : 0;
    if (like < ALIKE) continue;
    const last = found.at(-1);
    if (last && at - last.at < clip.length) {
      if (like > last.likeness) found[found.length - 1] = { at, likeness: like };
    } else {
      found.push({ at, likeness: like });
    }
  }
  return found;
}

function energyOf(samples: Float64Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0);
}

/** The sum of products of `a` and `b` for each shift of `b`; shifts to the left stand at the end. */
function correlate(a: Recording, b: Float64Array): Float64Array {
  const size = 2 ** Math.ceil(Math.log2(a.length + b.length));
  return products(a.spectrum(size), transformed(b, size));
}

interface Spectrum {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

function products(a: Spectrum, b: Spectrum): Float64Array {
  const size = a.real.length;
  const real = a.real.map((each, index) => each * b.real[index]! + a.imaginary[index]! * b.imaginary[index]!);
  // Conjugated, so that the same transform leads back.
  const imaginary = a.real.map(
    (each, index) => each * b.imaginary[index]! - a.imaginary[index]! * b.real[index]!,
  );
  transform(real, imaginary);
  return real.map((value) => value / size);
}

function transformed(samples: Float64Array, size: number): Spectrum {
  const real = new Float64Array(size);
  real.set(samples);
  const imaginary = new Float64Array(size);
  transform(real, imaginary);
  return { real, imaginary };
}

/** Fast Fourier transform in place (Cooley and Tukey), of a power of two. */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  const roots = rootsOf(size);
  for (let index = 0, mirrored = 0; index < size; index++) {
    if (mirrored > index) {
      [real[index], real[mirrored]] = [real[mirrored]!, real[index]!];
      [imaginary[index], imaginary[mirrored]] = [imaginary[mirrored]!, imaginary[index]!];
    }
    let bit = size >> 1;
    while (mirrored & bit) {
      mirrored ^= bit;
      bit >>= 1;
    }
    mirrored |= bit;
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2;
    for (let index = 0; index < half; index++) {
      const cosine = roots.real[(index * size) / length]!;
      const sine = roots.imaginary[(index * size) / length]!;
      for (let even = index; even < size; even += length) {
        const odd = even + half;
        const r = real[odd]! * cosine - imaginary[odd]! * sine;
        const i = real[odd]! * sine + imaginary[odd]! * cosine;
        real[odd] = real[even]! - r;
        imaginary[odd] = imaginary[even]! - i;
        real[even]! += r;
        imaginary[even]! += i;
      }
    }
  }
}

const knownRoots = new Map<number, Spectrum>();

/** The roots of unity that a transform of this size turns by. */
function rootsOf(size: number): Spectrum {
  const known = knownRoots.get(size);
  if (known) return known;
  const angles = Float64Array.from({ length: size / 2 }, (_, index) => (-2 * Math.PI * index) / size);
  const roots = { real: angles.map(Math.cos), imaginary: angles.map(Math.sin) };
  knownRoots.set(size, roots);
  return roots;
}
