/** How a message id is written: as it is, or as a number in one of two bases. */
export type IdForm = 'as-is' | 'hex' | 'decimal';

/** §5.2.23 allows 64; a few SMSCs give more. */
const MAX_LENGTH = 128;
/** Digits beyond which an id is no number. */
const MAX_DIGITS = 64;
const DIGITS = { hex: /^(?:0x)?[0-9a-f]+$/i, decimal: /^[0-9]+$/ } as const;

/**
 * A message id in the one form under which a submit's answer and its receipts meet: a number in lower-case hex
 * without leading zeros, or the text as it is. What is no number of the configured base stays a text.
 * @returns null for an id that is empty, too long or not printable
 */
export function canonicalId(text: string, form: IdForm): string | null {
  const id = text.trim();
  if (id === '' || id.length > MAX_LENGTH || !/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(id)) return null;
  if (form === 'as-is' || id.length > MAX_DIGITS || !DIGITS[form].test(id)) return id;
  const number = form === 'decimal' ? BigInt(id) : BigInt(/^0x/i.test(id) ? id : `0x${id}`);
  return number.toString(16);
}
