/** Longest message id, in characters. */
export const MAX_MESSAGE_ID = 128;
/** Control characters, which the store refuses, and halves of surrogate pairs, which it cannot keep. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;

/** A gateway's message id: a string of 1–128 characters, or an integer that JSON keeps exact. Else null. */
export function readMessageId(value: unknown): string | null {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string' || value === '' || value.length > MAX_MESSAGE_ID) return null;
  return UNFIT.test(value) ? null : value;
}
