import { GSM_BASIC, GSM_EXTENSION } from '../../../verify/messages/encoding.js';

const ESCAPE = 0x1b;

/** TS 23.038 §6.2.1: code by character; the escape has the place after `Ξ`. */
const BASIC: readonly string[] = [...GSM_BASIC].toSpliced(ESCAPE, 0, '\u001b');
/** TS 23.038 §6.2.1.1, in the order of `GSM_EXTENSION`. */
const EXTENSION_CODES = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];

const ENCODED: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...BASIC.map((char, code) => [char, [code]] as const).filter(([, [code]]) => code !== ESCAPE),
  ...[...GSM_EXTENSION].map((char, index) => [char, [ESCAPE, EXTENSION_CODES[index]!]] as const),
]);
const EXTENDED: ReadonlyMap<number, string> = new Map(
  [...GSM_EXTENSION].map((char, index) => [EXTENSION_CODES[index]!, char]),
);

/** Septets of a text of the GSM-7 alphabet, one a byte; a character that it lacks becomes `?`. */
export function encodeGsm(text: string): Buffer {
  const septets: number[] = [];
  for (const char of text) for (const code of ENCODED.get(char) ?? [0x3f]) septets.push(code);
  return Buffer.from(septets);
}

/** The text of septets, one a byte. After an escape, a code that has no extension is read as itself (§6.2.1.1). */
export function decodeGsm(septets: Uint8Array): string {
  let text = '';
  for (let index = 0; index < septets.length; index++) {
    const code = septets[index]! & 0x7f;
    if (code !== ESCAPE) {
      text += BASIC[code];
    } else if (index + 1 < septets.length) {
      const next = septets[++index]! & 0x7f;
      text += EXTENDED.get(next) ?? (next === ESCAPE ? ' ' : BASIC[next]);
    }
  }
  return text;
}

const CARRIAGE_RETURN = 0x0d;

/**
 * Packs septets into octets (TS 23.038 §6.1.2.1).
 * @param header bytes of a user data header before them: they begin on the next septet boundary after it (TS 23.040
 * §9.2.3.24)
 */
export function packSeptets(septets: Uint8Array, header = 0): Buffer {
  const fill = (7 - ((header * 8) % 7)) % 7;
  const bits = fill + septets.length * 7;
  // Seven spare bits would read as an `@` (§6.1.2.3.1).
  const spare = (8 - (bits % 8)) % 8;
  const padded = spare === 7 ? Uint8Array.of(...septets, CARRIAGE_RETURN) : septets;
  const octets = Buffer.alloc(Math.ceil((fill + padded.length * 7) / 8));
  let position = fill;
  for (const septet of padded) {
    const index = position >> 3;
    const shifted = septet << (position & 7);
    octets[index]! |= shifted & 0xff;
    if (shifted > 0xff) octets[index + 1]! |= shifted >> 8;
    position += 7;
  }
  return octets;
}

/** Undoes `packSeptets`. Where seven bits are left over, a final carriage return or `@` is dropped. */
export function unpackSeptets(octets: Uint8Array, header = 0): Uint8Array {
  const fill = (7 - ((header * 8) % 7)) % 7;
  const count = Math.max(0, Math.floor((octets.length * 8 - fill) / 7));
  const septets = new Uint8Array(count);
  for (let number = 0; number < count; number++) {
    const position = fill + number * 7;
    const index = position >> 3;
    septets[number] = ((((octets[index + 1] ?? 0) << 8) | octets[index]!) >> (position & 7)) & 0x7f;
  }
  const isFull = (octets.length * 8 - fill) % 7 === 0;
  const last = septets.at(-1);
  return isFull && (last === CARRIAGE_RETURN || last === 0) ? septets.subarray(0, -1) : septets;
}
