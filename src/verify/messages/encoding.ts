/** The alphabets of an SMS (3GPP TS 23.038): 7 bits a character, or 16. */
export type Encoding = 'gsm-7' | 'ucs-2';

/** How a text travels. */
export interface Segments {
  readonly encoding: Encoding;
  /** Septets of GSM-7 (a character of the extension table is two), or UTF-16 units of UCS-2. */
  readonly units: number;
  /** How many SMS it is; 1 for an empty text. */
  readonly count: number;
}

/** TS 23.038 §6.2.1, the default alphabet without its escape. */
export const GSM_BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** TS 23.038 §6.2.1.1, the extension table: an escape and a character. */
export const GSM_EXTENSION = '\f^{}\\[~]|€';

const SEPTETS: ReadonlyMap<string, number> = new Map([
  ...[...GSM_BASIC].map((char) => [char, 1] as const),
  ...[...GSM_EXTENSION].map((char) => [char, 2] as const),
]);

/** Bytes of a segment, and of the header that each segment of a longer message begins with (TS 23.040 §9.2.3.24.1). */
const SEGMENT_BYTES = 140;
const HEADER_BYTES = 6;
const BITS: Readonly<Record<Encoding, number>> = { 'gsm-7': 7, 'ucs-2': 16 };

/** What GSM-7 has in the place of characters that differ in typography only. */
const EQUIVALENTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "'": '\u2018\u2019\u201a\u201b\u2032\u2035\u00b4`',
    '"': '\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb',
    '<': '\u2039',
    '>': '\u203a',
    '-': '\u2010\u2011\u2012\u2013\u2014\u2015\u2212',
    '*': '\u2022\u00b7',
    '...': '\u2026',
    '/': '\u2044',
    ' ': '\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000',
    '\n': '\u2028\u2029\u0085',
    // Invisible, and without effect between letters that are all left to right.
    '': '\u00ad\u200b\u200e\u2060\u2066\u2068\u2069\ufeff',
  }).flatMap(([plain, chars]) => [...chars].map((char) => [char, plain] as const)),
);

/** GSM-7 when it has every character, else UCS-2. */
export function encodingOf(text: string): Encoding {
  for (const char of text) if (!SEPTETS.has(char)) return 'ucs-2';
  return 'gsm-7';
}

/** Encoding, size and number of segments of a text, as it would be sent and charged. */
export function segmentsOf(text: string): Segments {
  const encoding = encodingOf(text);
  const units = sizeOf(text, encoding);
  const count = units <= capacity(encoding, 0) ? 1 : splitSegments(text).length;
  return { encoding, units, count };
}

/**
 * The text of each segment. Neither an escape and its character nor a surrogate pair is torn apart, so that a
 * segment may have a unit to spare. Joined they are the text.
 * @param header bytes that each segment gives up where there is more than one
 */
export function splitSegments(text: string, header = HEADER_BYTES): string[] {
  const encoding = encodingOf(text);
  const single = capacity(encoding, 0);
  const each = capacity(encoding, header);
  if (sizeOf(text, encoding) <= single) return [text];
  const segments: string[] = [];
  let start = 0;
  let end = 0;
  let filled = 0;
  for (const char of text) {
    const size = sizeOf(char, encoding);
    if (filled + size > each) {
      segments.push(text.slice(start, end));
      start = end;
      filled = 0;
    }
    filled += size;
    end += char.length;
  }
  segments.push(text.slice(start));
  return segments;
}

/**
 * The text with GSM-7's own quotes, dashes, dots and spaces, and accents composed (Unicode NFC), when that makes
 * all of it GSM-7 and takes no more segments; otherwise as it is. Letters are never changed.
 */
export function toGsm7Equivalent(text: string): string {
  if (encodingOf(text) === 'gsm-7') return text;
  const plain = Array.from(text.normalize('NFC'), (char) => EQUIVALENTS.get(char) ?? char).join('');
  if (encodingOf(plain) !== 'gsm-7') return text;
  return segmentsOf(plain).count <= segmentsOf(text).count ? plain : text;
}

/** Units that fit beside a header: 160 or 70 without one, 153 or 67 beside six bytes. */
function capacity(encoding: Encoding, header: number): number {
  return Math.floor(((SEGMENT_BYTES - header) * 8) / BITS[encoding]);
}

function sizeOf(text: string, encoding: Encoding): number {
  if (encoding === 'ucs-2') return text.length;
  let size = 0;
  for (const char of text) size += SEPTETS.get(char)!;
  return size;
}
