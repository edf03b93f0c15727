/**
 * Filters with linear phase: windowed sines (Blackman), which is simple, exact enough and the same on every machine.
 * Coefficients are rounded to 2^-30, so that the last bit of a machine's sine cannot change what is heard.
 */
const ROUNDING = 2 ** 30;

/** Zero crossings of the resampler's kernel on each side: the transition is then about 600 Hz wide at 8 kHz. */
const CROSSINGS = 24;
/** Kernel values that are kept between two crossings; those between are interpolated. */
const STEPS = 512;

/**
 * The same sound at another rate. What the lower of both rates cannot carry is taken out before, so that it does not
 * come back as a tone that was not there.
 */
export function resample(samples: Float64Array, from: number, to: number): Float64Array {
  if (from === to) return samples;
  const scale = Math.min(1, to / from);
  // Past the edge of the band the kernel still passes half: it is moved down so that little is left there.
  const cutoff = scale * 0.93;
  const reach = CROSSINGS / cutoff;
  const kernel = kernelTable();
  const result = new Float64Array(Math.ceil((samples.length * to) / from));
  for (let index = 0; index < result.length; index++) {
    const center = (index * from) / to;
    const first = Math.max(0, Math.ceil(center - reach));
    const last = Math.min(samples.length - 1, Math.floor(center + reach));
    let sum = 0;
    for (let at = first; at <= last; at++) {
      const place = Math.abs(at - center) * cutoff * STEPS;
      const below = Math.floor(place);
      const left = kernel[below]!;
      sum += samples[at]! * (left + (kernel[below + 1]! - left) * (place - below));
    }
    result[index] = sum * cutoff;
  }
  return result;
}

let table: Float64Array | null = null;

function kernelTable(): Float64Array {
  table ??= Float64Array.from({ length: CROSSINGS * STEPS + 2 }, (_, index) =>
    rounded(sinc(index / STEPS) * blackman(index / (CROSSINGS * STEPS))),
  );
  return table;
}

/** The sound without what lies outside a band, in hertz; as long as before and not delayed. */
export function bandPass(
  samples: Float64Array,
  rate: number,
  { low, high, taps }: { low: number; high: number; taps: number },
): Float64Array {
  const half = (taps - 1) / 2;
  const coefficients = Float64Array.from({ length: half + 1 }, (_, index) => {
    const wide = ((2 * high) / rate) * sinc((2 * high * index) / rate);
    const narrow = ((2 * low) / rate) * sinc((2 * low * index) / rate);
    return rounded((wide - narrow) * blackman(index / (half + 1)));
  });
  return samples.map((sample, center) => {
    let sum = sample * coefficients[0]!;
    for (let index = 1; index <= half; index++) {
      sum += ((samples[center - index] ?? 0) + (samples[center + index] ?? 0)) * coefficients[index]!;
    }
    return sum;
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** One half of the window: 1 at 0, 0 from 1 on. */
function blackman(x: number): number {
  return x >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

function rounded(value: number): number {
  return Math.round(value * ROUNDING) / ROUNDING;
}
