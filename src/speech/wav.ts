/** Sound as numbers from -1 to 1. */
export interface Sound {
  readonly samples: Float64Array;
  /** Samples a second. */
  readonly rate: number;
}

/** A WAV file that cannot be read; the message tells why, without naming the file. */
export class WavError extends Error {}

export const MIN_RATE = 8_000;
export const MAX_RATE = 48_000;

const PCM = 1;
const EXTENSIBLE = 0xfffe;
/** The rest of a sub-format that begins with a format tag (RFC 2361). */
const SUBFORMAT = Buffer.from('00001000800000aa00389b71', 'hex');
/** Lengths from here on are those of programs that could not know the length when they wrote the header. */
const UNKNOWN_LENGTH = 0x7fff_0000;

/**
 * Reads a RIFF WAVE file: PCM of 8, 16 or 24 bits, one or two channels (which are mixed), 8 to 48 kHz.
 * @param seconds the longest sound that is taken
 * @throws WavError
 */
export function readWav(bytes: Uint8Array, seconds: number): Sound {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  ) {
    throw new WavError('is not a WAV file');
  }
  let format: Format | null = null;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ') format = readFormat(body);
    if (name === 'data') {
      if (!format) throw new WavError('has sound before its format');
      if (body.length < length && length < UNKNOWN_LENGTH) throw new WavError('is cut short');
      return decode(body, format, seconds);
    }
    at += 8 + length + (length % 2);
  }
  throw new WavError('has no sound in it');
}

interface Format {
  readonly channels: number;
  readonly rate: number;
  /** Bytes of one sample of one channel. */
  readonly width: number;
}

function readFormat(body: Buffer): Format {
  if (body.length < 16) throw new WavError('has a damaged format');
  const tag = body.readUInt16LE(0);
  const channels = body.readUInt16LE(2);
  const rate = body.readUInt32LE(4);
  const block = body.readUInt16LE(12);
  const bits = body.readUInt16LE(14);
  const isPcm =
    tag === PCM ||
    (tag === EXTENSIBLE &&
      body.length >= 40 &&
      body.readUInt16LE(24) === PCM &&
      body.subarray(28, 40).equals(SUBFORMAT));
  if (!isPcm) throw new WavError('is compressed or floating point: expected PCM');
  if (bits !== 8 && bits !== 16 && bits !== 24) throw new WavError(`has ${bits} bits: expected 8, 16 or 24`);
  if (channels !== 1 && channels !== 2) throw new WavError(`has ${channels} channels: expected 1 or 2`);
  if (rate < MIN_RATE || rate > MAX_RATE) {
    throw new WavError(`has ${rate} samples a second: expected ${MIN_RATE} to ${MAX_RATE}`);
  }
  if (block !== (channels * bits) / 8) throw new WavError('has a damaged format');
  return { channels, rate, width: bits / 8 };
}

function decode(data: Buffer, { channels, rate, width }: Format, seconds: number): Sound {
  const frames = Math.floor(data.length / (channels * width));
  if (frames > seconds * rate) throw new WavError(`is longer than ${seconds} seconds`);
  const samples = new Float64Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const at = (frame * channels + channel) * width;
      // Samples of 8 bits are unsigned, all others signed.
      sum += width === 1 ? (data[at]! - 128) / 128 : data.readIntLE(at, width) / 2 ** (8 * width - 1);
    }
    samples[frame] = sum / channels;
  }
  return { samples, rate };
}

/** A WAV file of 16-bit PCM with one channel. */
export function writeWav(samples: Int16Array, rate: number): Uint8Array {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * samples.length, 40);
  for (const [index, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * index);
  return file;
}
