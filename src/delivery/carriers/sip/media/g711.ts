import library from 'alawmulaw';
import type { Codec } from './media.js';

/** What each codec sends for a sample of 0. */
export const SILENCE_BYTE: Readonly<Record<Codec, number>> = { PCMU: 0xff, PCMA: 0xd5 };

/**
 * G.711 bytes of linear samples, one each. 1 ms (µ-law) to 3 ms (A-law) for five seconds of sound: once per clip,
 * never per call.
 */
export function encode(codec: Codec, samples: Int16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.length);
  const { encodeSample } = codec === 'PCMU' ? library.mulaw : library.alaw;
  for (let at = 0; at < samples.length; at++) bytes[at] = encodeSample(samples[at]!);
  return bytes;
}

/** The square of the linear value of each G.711 byte: the level of received sound is one look-up per sample. */
export const SQUARES: Readonly<Record<Codec, Float64Array>> = {
  PCMU: squares(library.mulaw.decodeSample),
  PCMA: squares(library.alaw.decodeSample),
};

function squares(decodeSample: (byte: number) => number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, byte) => decodeSample(byte) ** 2);
}
