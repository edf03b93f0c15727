import { decodeAdpcm, encodeAdpcm } from './adpcm.js';
import { PROMPT_NAMES, type PromptName } from './phrases.js';

export type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
/** What one locale speaks: its prompts and digits. */
export type ClipName = PromptName | Digit;

export const DIGITS: readonly Digit[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
export const CLIP_NAMES: readonly ClipName[] = [...PROMPT_NAMES, ...DIGITS];

/** `CSPK` and a version, so that a file of another kind or a damaged one is not played as noise. */
const MAGIC = Buffer.from('CSPK\u0002', 'latin1');

/**
 * One locale's clips in a file: the magic, the number of samples of each clip in the order of `CLIP_NAMES` (32 bits,
 * little-endian), and each clip's ADPCM.
 */
export function writePack(clips: ReadonlyMap<ClipName, Int16Array>): Uint8Array {
  const lengths = Buffer.alloc(4 * CLIP_NAMES.length);
  const bodies = CLIP_NAMES.map((name, index) => {
    const samples = clips.get(name);
    if (!samples) throw new Error(`a pack needs a clip for ${name}`);
    lengths.writeUInt32LE(samples.length, 4 * index);
    return encodeAdpcm(samples);
  });
  return Buffer.concat([MAGIC, lengths, ...bodies]);
}

/** @throws Error when the bytes are no pack, or a damaged one */
export function readPack(bytes: Uint8Array): Map<ClipName, Int16Array> {
  const pack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = MAGIC.length + 4 * CLIP_NAMES.length;
  if (pack.length < at || !pack.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error('is no pack of prompts');
  const clips = CLIP_NAMES.map((name, index) => {
    const length = pack.readUInt32LE(MAGIC.length + 4 * index);
    const body = pack.subarray(at, at + Math.ceil(length / 2));
    at += Math.ceil(length / 2);
    if (at > pack.length) throw new Error('is cut short');
    return [name, decodeAdpcm(body, length)] as const;
  });
  return new Map(clips);
}
