import type { Environment } from '../environment.js';
import type { AccountId } from '../verify/model.js';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const ID_LENGTH = 18;
/** 30 bytes are 40 characters of base64url, without padding. */
const TOKEN_BYTES = 30;

/** A new auth id of a main account: `MA` and 18 of `[A-Z0-9]`, each equally likely (contract §1). */
export function newAuthId(environment: Environment): AccountId {
  // Bytes past the last whole multiple of the alphabet would favour its first characters.
  const fair = 256 - (256 % ID_ALPHABET.length);
  let id = 'MA';
  while (id.length < 2 + ID_LENGTH) {
    const [byte] = environment.randomBytes(1);
    if (byte! < fair) id += ID_ALPHABET[byte! % ID_ALPHABET.length];
  }
  return id as AccountId;
}

/** A new auth token: 40 URL-safe characters, 240 random bits (contract §1). */
export function newAuthToken(environment: Environment): string {
  return Buffer.from(environment.randomBytes(TOKEN_BYTES)).toString('base64url');
}
