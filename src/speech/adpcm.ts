/**
 * IMA ADPCM (Intel/DVI, RFC 3551 §4.5.1): 4 bits a sample. Each clip stands alone, begins with silence and so needs
 * no header; the first sample of a byte is in its low half.
 */
const STEPS = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
  107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724,
  796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026,
  4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500,
  20350, 22385, 24623, 27086, 29794, 32767,
];
const CHANGES = [-1, -1, -1, -1, 2, 4, 6, 8];

interface State {
  readonly sample: number;
  /** Index in `STEPS`. */
  readonly step: number;
}

const SILENCE: State = { sample: 0, step: 0 };

/** A beginning of an encoding: how far its sound is from the wanted one, and how it came to be. */
interface Path extends State {
  readonly error: number;
  readonly nibble: number;
  readonly before: Path | null;
}

/** Beginnings that are kept. With one, each sample takes what is best for itself; 8 leave 1.5 dB less noise. */
const BREADTH = 8;

/**
 * Encodes samples; an odd number of them is padded. Of what is possible, keeps several beginnings and goes on with
 * those nearest to the wanted sound: slow, for what is encoded once and played often.
 */
export function encodeAdpcm(samples: Int16Array): Uint8Array {
  let paths: Path[] = [{ ...SILENCE, error: 0, nibble: 0, before: null }];
  for (const sample of samples) paths = extend(paths, sample);
  const bytes = new Uint8Array(Math.ceil(samples.length / 2));
  let index = samples.length - 1;
  for (let path = paths[0]!; path.before; path = path.before) {
    bytes[index >> 1]! |= path.nibble << (index % 2 === 0 ? 0 : 4);
    index--;
  }
  return bytes;
}

function extend(paths: readonly Path[], wanted: number): Path[] {
  const best = new Map<number, Path>();
  for (const path of paths) {
    const exact = (Math.abs(wanted - path.sample) * 4) / STEPS[path.step]!;
    const sign = wanted < path.sample ? 8 : 0;
    const nearest = Math.min(7, Math.floor(exact));
    for (const nibble of [nearest - 1, nearest, nearest + 1].filter((each) => each >= 0 && each <= 7)) {
      const signed = nibble | sign;
      const sample = nextSample(path.sample, path.step, signed);
      const step = nextStep(path.step, signed);
      const error = path.error + (wanted - sample) ** 2;
      const key = sample * STEPS.length + step;
      const rival = best.get(key);
      if (!rival || error < rival.error) best.set(key, { sample, step, error, nibble: signed, before: path });
    }
  }
  return [...best.values()].sort((a, b) => a.error - b.error).slice(0, BREADTH);
}

/** Decodes `length` samples. */
export function decodeAdpcm(bytes: Uint8Array, length: number): Int16Array {
  const samples = new Int16Array(length);
  let { sample, step } = SILENCE;
  for (let index = 0; index < length; index++) {
    const byte = bytes[index >> 1]!;
    const nibble = index % 2 === 0 ? byte & 15 : byte >> 4;
    sample = nextSample(sample, step, nibble);
    step = nextStep(step, nibble);
    samples[index] = sample;
  }
  return samples;
}

function nextSample(sample: number, step: number, nibble: number): number {
  const size = STEPS[step]!;
  const difference =
    (size >> 3) + (nibble & 4 ? size : 0) + (nibble & 2 ? size >> 1 : 0) + (nibble & 1 ? size >> 2 : 0);
  return Math.max(-32_768, Math.min(32_767, nibble & 8 ? sample - difference : sample + difference));
}

function nextStep(step: number, nibble: number): number {
  return Math.max(0, Math.min(STEPS.length - 1, step + CHANGES[nibble & 7]!));
}
