import { encodingOf } from '../../../verify/messages/encoding.js';
import { decodeGsm, encodeGsm, packSeptets, unpackSeptets } from './gsm.js';
import type { TextSettings } from './settings.js';

/** How the bytes of a message are to be read. */
export type Alphabet = 'gsm-7' | 'gsm-7-packed' | 'latin-1' | 'ucs-2';

/**
 * The alphabet that a text is sent in: the configured one where it has every character, else UCS-2. For Latin-1 a
 * character must be in GSM-7 too, since the SMSC turns one into the other.
 */
export function alphabetOf(text: string, { encoding }: TextSettings): Alphabet {
  if (encoding === 'ucs-2' || encodingOf(text) !== 'gsm-7') return 'ucs-2';
  return encoding === 'latin-1' && !isLatin1(text) ? 'ucs-2' : encoding;
}

/** @param header bytes of a user data header that will stand before them */
export function encodeText(text: string, alphabet: Alphabet, header = 0): Buffer {
  switch (alphabet) {
    case 'gsm-7':
      return encodeGsm(text);
    case 'gsm-7-packed':
      return packSeptets(encodeGsm(text), header);
    case 'latin-1':
      return Buffer.from(text, 'latin1');
    case 'ucs-2':
      return Buffer.from(text, 'utf16le').swap16();
  }
}

export function decodeText(bytes: Buffer, alphabet: Alphabet, header = 0): string {
  switch (alphabet) {
    case 'gsm-7':
      return decodeGsm(bytes);
    case 'gsm-7-packed':
      return decodeGsm(unpackSeptets(bytes, header));
    case 'latin-1':
      return bytes.toString('latin1');
    case 'ucs-2':
      return Buffer.from(bytes.subarray(0, bytes.length & ~1))
        .swap16()
        .toString('utf16le');
  }
}

/**
 * The alphabet of a message that came in, by its `data_coding` (§5.2.19, TS 23.038 §4); null for binary data. The
 * SMSC's default alphabet (0) is the one that is configured for sending.
 */
export function alphabetOfCoding(coding: number, { encoding }: TextSettings): Alphabet | null {
  const ofSmsc = encoding === 'ucs-2' ? 'gsm-7' : encoding;
  // Message classes: 0xF0 to 0xFF, of which bit 2 tells 8-bit data.
  if (coding >= 0xf0) return (coding & 0x04) === 0 ? ofSmsc : null;
  // General data coding, uncompressed: bits 3 and 2 tell the alphabet.
  if (coding >= 0x10 && coding < 0x40)
    return [ofSmsc, null, 'ucs-2', null][(coding >> 2) & 3] as Alphabet | null;
  switch (coding) {
    case 0:
      return ofSmsc;
    case 1:
    case 3:
      return 'latin-1';
    case 8:
      return 'ucs-2';
    default:
      return null;
  }
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}
