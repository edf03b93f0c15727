import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWav, WavError, writeWav } from '#speech/wav.js';

const SAMPLES = [0, 0.5, -0.5, 0.25, -1];

/** A WAV file of samples from -1 to 1, with as many bits and channels as wanted; every channel has the same. */
function wavOf(
  samples: readonly number[],
  { bits = 16, channels = 1, rate = 8000, tag = 1, before = '' } = {},
) {
  const width = bits / 8;
  const data = Buffer.alloc(samples.length * channels * width);
  for (const [index, sample] of samples.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      const at = (index * channels + channel) * width;
      if (width === 1) data[at] = Math.round(sample * 128) + 128;
      else data.writeIntLE(Math.min(2 ** (bits - 1) - 1, Math.round(sample * 2 ** (bits - 1))), at, width);
    }
  }
  const format = Buffer.alloc(tag === 0xfffe ? 40 : 16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * width, 8);
  format.writeUInt16LE(channels * width, 12);
  format.writeUInt16LE(bits, 14);
  if (tag === 0xfffe) Buffer.from('0100000000001000800000aa00389b71', 'hex').copy(format, 24);
  const chunks = Buffer.concat([
    chunk('LIST', Buffer.from(before)),
    chunk('fmt ', format),
    chunk('data', data),
  ]);
  return Buffer.concat([chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), chunks]))]);
}

function chunk(name: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from(name), length, body, Buffer.alloc(body.length % 2)]);
}

describe('a WAV file', () => {
  it.each([8, 16, 24])('of %i bits gives its samples', (bits) => {
    const { samples, rate } = readWav(wavOf(SAMPLES, { bits, rate: 22_050 }), 1);
    expect(rate).toBe(22_050);
    expect([...samples]).toEqual(SAMPLES);
  });

  it('with two channels is mixed', () => {
    const file = wavOf([0.5, -0.5], { channels: 2 });
    file.writeInt16LE(0, file.length - 8);
    expect([...readWav(file, 1).samples]).toEqual([0.25, -0.5]);
  });

  it('may have an extensible header, and other chunks of odd length before', () => {
    expect([...readWav(wavOf(SAMPLES, { tag: 0xfffe, before: 'odd' }), 1).samples]).toEqual(SAMPLES);
  });

  it('may have a length that was unknown when its header was written', () => {
    const file = wavOf(SAMPLES);
    file.writeUInt32LE(0xffff_ffff, file.length - 2 * SAMPLES.length - 4);
    expect([...readWav(file, 1).samples]).toEqual(SAMPLES);
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.int16Array(), (samples) => {
        const sound = readWav(writeWav(samples, 8000), 10);
        expect(Int16Array.from(sound.samples, (each) => each * 32_768)).toEqual(samples);
      }),
    );
  });

  it.each([
    ['is not a WAV file', Buffer.from('OggS0000000000000000')],
    ['has 32 bits', wavOf(SAMPLES, { bits: 32 })],
    ['has 3 channels', wavOf(SAMPLES, { channels: 3 })],
    ['has 7999 samples a second', wavOf(SAMPLES, { rate: 7999 })],
    ['has 96000 samples a second', wavOf(SAMPLES, { rate: 96_000 })],
    ['is compressed or floating point', wavOf(SAMPLES, { tag: 3 })],
    ['is cut short', wavOf(SAMPLES).subarray(0, -1)],
    ['has no sound in it', wavOf(SAMPLES).subarray(0, 44)],
    ['is longer than 1 seconds', wavOf(new Array(8001).fill(0.5))],
  ])('that %s is refused', (why, file) => {
    expect(() => readWav(file, 1)).toThrow(new RegExp(`^${why}`));
    expect(() => readWav(file, 1)).toThrow(WavError);
  });

  it('of garbage is refused or gives numbers from -1 to 1, never anything else', () => {
    const start = wavOf(SAMPLES);
    const garbage = fc
      .array(fc.tuple(fc.nat(start.length + 20), fc.nat(255)), { maxLength: 8 })
      .map((changes) => {
        const file = Buffer.concat([start, Buffer.alloc(21)]);
        for (const [at, byte] of changes) file[at] = byte;
        return file;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), garbage), (bytes) => {
        try {
          const { samples, rate } = readWav(bytes, 1);
          expect(rate).toBeGreaterThanOrEqual(8000);
          expect(samples.every((sample) => sample >= -1 && sample <= 1)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(WavError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
