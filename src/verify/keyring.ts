import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { KeyId, Sealed } from './model.js';

/** A master key: 32 bytes from which every subkey is derived (RFC 5869, HKDF-SHA256). */
export interface MasterKey {
  readonly id: KeyId;
  readonly bytes: Uint8Array;
}

/** The master keys that this process holds, and which of them seals. Plain data: it crosses to workers. */
export interface KeyringData {
  readonly active: KeyId;
  readonly keys: readonly MasterKey[];
}

/** A sealed value or a code names a key that this process does not hold. Answered with 503, never as wrong. */
export class UnknownKeyError extends Error {
  constructor(readonly keyId: KeyId) {
    super(`master key ${keyId} is not loaded on this node`);
    this.name = 'UnknownKeyError';
  }
}

export const MASTER_KEY_BYTES = 32;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Purpose = 'key id' | 'key check' | 'codes' | 'sealing' | 'requests';

function subkey(master: Uint8Array, purpose: Purpose, size: number): Buffer {
  return Buffer.from(hkdfSync('sha256', master, '', `countersign ${purpose}`, size));
}

/** The key with the id that follows from its bytes: the same key has the same id everywhere. */
export function masterKey(bytes: Uint8Array): MasterKey {
  if (bytes.length !== MASTER_KEY_BYTES) throw new RangeError('a master key has 32 bytes');
  return { id: subkey(bytes, 'key id', 4).toString('hex') as KeyId, bytes };
}

/** A value that proves possession of the key without telling it; the store keeps it. 16 bytes. */
export function keyCheck(key: MasterKey): Uint8Array {
  return new Uint8Array(subkey(key.bytes, 'key check', 16));
}

/** Derives and seals under the active key; opens and checks under any key that is held. */
export class Keyring {
  readonly #codes = new Map<KeyId, Buffer>();
  readonly #sealing = new Map<KeyId, Buffer>();
  readonly #requests = new Map<KeyId, Buffer>();

  constructor(readonly data: KeyringData) {
    for (const key of data.keys) {
      this.#codes.set(key.id, subkey(key.bytes, 'codes', 32));
      this.#sealing.set(key.id, subkey(key.bytes, 'sealing', 32));
      this.#requests.set(key.id, subkey(key.bytes, 'requests', 32));
    }
    if (!this.#codes.has(data.active)) throw new UnknownKeyError(data.active);
  }

  get active(): KeyId {
    return this.data.active;
  }

  /** HMAC-SHA256 of `message` under the codes subkey. */
  codeMac(keyId: KeyId, message: string): Buffer {
    return createHmac('sha256', held(this.#codes, keyId)).update(message).digest();
  }

  /** HMAC-SHA256 of a request's digest under the requests subkey: a body of few possibilities is not told by it. */
  requestMac(keyId: KeyId, digest: Uint8Array): Buffer {
    return createHmac('sha256', held(this.#requests, keyId)).update(digest).digest();
  }

  /** Whether this process holds a key. */
  holds(keyId: KeyId): boolean {
    return this.#codes.has(keyId);
  }

  /**
   * Seals with AES-256-GCM (NIST SP 800-38D) under the active key. `place` names table, row and column and is
   * authenticated, so that a sealed value copied to another row does not open there.
   * @param nonce 12 bytes, never used before
   */
  seal(place: string, plain: string, nonce: Uint8Array): Sealed {
    const cipher = createCipheriv('aes-256-gcm', held(this.#sealing, this.active), nonce);
    cipher.setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return { keyId: this.active, box: new Uint8Array(Buffer.concat([nonce, body, cipher.getAuthTag()])) };
  }

  /** Opens what `seal` made for the same place. Throws for an unknown key, and for a value that was changed. */
  open(place: string, sealed: Sealed): string {
    const { box } = sealed;
    if (box.length < NONCE_BYTES + TAG_BYTES) throw new RangeError('the sealed value is too short');
    const decipher = createDecipheriv(
      'aes-256-gcm',
      held(this.#sealing, sealed.keyId),
      box.subarray(0, NONCE_BYTES),
      { authTagLength: TAG_BYTES },
    );
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
    const body = box.subarray(NONCE_BYTES, box.length - TAG_BYTES);
    return decipher.update(body, undefined, 'utf8') + decipher.final('utf8');
  }
}

function held(keys: Map<KeyId, Buffer>, id: KeyId): Buffer {
  const key = keys.get(id);
  if (!key) throw new UnknownKeyError(id);
  return key;
}

/** Where an account's auth tokens are sealed. */
export function tokenPlace(authId: string): string {
  return `account:${authId}:token`;
}
