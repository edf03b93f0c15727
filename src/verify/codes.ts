import { timingSafeEqual } from 'node:crypto';
import { type Keyring, UnknownKeyError } from './keyring.js';
import type { SessionCode, SessionId } from './model.js';

/** What a caller may choose as a code (contract §2, `otp`). */
export const CODE_PATTERN = /^[0-9]{4,8}$/;

/**
 * The code of a session. A derived code is 64 bits of HMAC-SHA256 over the session's id, modulo 10^length: the
 * truncation to 31 bits of RFC 4226 §5.3 would skew codes of 8 digits by 5 %. It is the same every time, so a
 * resend repeats it and nothing has to store it.
 * @throws UnknownKeyError when this process does not hold the code's key
 */
export function revealCode(keyring: Keyring, session: SessionId, code: SessionCode): string {
  if (code.sealed) return keyring.open(codePlace(session), { keyId: code.keyId, box: code.sealed });
  const mac = keyring.codeMac(code.keyId, session);
  return (mac.readBigUInt64BE(0) % 10n ** BigInt(code.length)).toString().padStart(code.length, '0');
}

/** The code of a new session: the caller's own, sealed to the session's row, or one derived from its id. */
export function newCode(
  keyring: Keyring,
  session: SessionId,
  wanted: { readonly otp: string | null; readonly nonce: Uint8Array; readonly length: number },
): SessionCode {
  if (wanted.otp === null) return { keyId: keyring.active, length: wanted.length, sealed: null };
  const { keyId, box } = keyring.seal(codePlace(session), wanted.otp, wanted.nonce);
  return { keyId, length: wanted.otp.length, sealed: box };
}

/**
 * Compares in constant time what a person typed with the session's code. A `numeric` otp came as a JSON number
 * and gets its leading zeros back (contract §3).
 */
export function checkCode(
  keyring: Keyring,
  session: SessionId,
  code: SessionCode,
  otp: string,
  numeric: boolean,
): 'right' | 'wrong' | 'unknown-key' {
  try {
    const expected = Buffer.from(revealCode(keyring, session, code));
    const typed = Buffer.from(numeric ? otp.padStart(code.length, '0') : otp);
    return typed.length === expected.length && timingSafeEqual(typed, expected) ? 'right' : 'wrong';
  } catch (error) {
    if (error instanceof UnknownKeyError) return 'unknown-key';
    throw error;
  }
}

/** Seals a caller-chosen code again under the active key. */
export function resealCode(
  keyring: Keyring,
  session: SessionId,
  code: SessionCode,
  nonce: Uint8Array,
): SessionCode {
  const otp = revealCode(keyring, session, code);
  return newCode(keyring, session, { otp, nonce, length: code.length });
}

function codePlace(session: SessionId): string {
  return `session:${session}:code`;
}
