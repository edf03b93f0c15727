import type { AccountId } from './model.js';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const ID_LENGTH = 18;
/** 30 bytes are 40 characters of base64url, without padding. */
const TOKEN_BYTES = 30;

/** Where random bytes come from: the environment, outside the domain. */
interface Randomness {
  randomBytes(size: number): Uint8Array;
}

/**
 * A new auth id: `MA` for a main account or `SA` for a subaccount, and 18 of `[A-Z0-9]`, each equally likely
 * (contract §1).
 */
export function newAuthId(kind: 'MA' | 'SA', randomness: Randomness): AccountId {
  // Bytes past the last whole multiple of the alphabet would favour its first characters.
  const fair = 256 - (256 % ID_ALPHABET.length);
  let id: string = kind;
  while (id.length < kind.length + ID_LENGTH) {
    const [byte] = randomness.randomBytes(1);
    if (byte! < fair) id += ID_ALPHABET[byte! % ID_ALPHABET.length];
  }
  return id as AccountId;
}

/** A new auth token: 40 URL-safe characters, 240 random bits (contract §1). */
export function newAuthToken(randomness: Randomness): string {
  return Buffer.from(randomness.randomBytes(TOKEN_BYTES)).toString('base64url');
}
