import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Keyring, keyCheck, masterKey, tokenPlace, UnknownKeyError } from '#verify/keyring.js';
import type { KeyId } from '#verify/model.js';
import { fixedKey, fixedKeyring } from './domain.js';

const keyring = fixedKeyring(1, 2);
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 });

describe('sealing', () => {
  it('opens to what was sealed, for the same place', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), nonce, (place, plain, once) => {
        const sealed = keyring.seal(place, plain, once);
        expect(sealed.keyId).toBe(keyring.active);
        expect(keyring.open(place, sealed)).toBe(Buffer.from(plain).toString());
      }),
    );
  });

  it('does not open when any one bit was changed', () => {
    const sealed = keyring.seal('place', 'secret', new Uint8Array(12));
    fc.assert(
      fc.property(fc.nat(sealed.box.length * 8 - 1), (bit) => {
        const box = sealed.box.slice();
        box[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => keyring.open('place', { ...sealed, box })).toThrow();
      }),
    );
  });

  it('does not open when it was cut short, down to nothing', () => {
    const sealed = keyring.seal('place', 'secret', new Uint8Array(12));
    for (let size = 0; size < sealed.box.length; size++) {
      const box = sealed.box.subarray(0, size);
      expect(() => keyring.open('place', { ...sealed, box })).toThrow();
    }
  });

  it('takes no authentication tag shorter than 16 bytes', () => {
    expect(() => keyring.open('place', { keyId: keyring.active, box: new Uint8Array(15) })).toThrow(/sealed/);
  });

  it('does not open in another place', () => {
    const sealed = keyring.seal(tokenPlace('MAAAAAAAAAAAAAAAAAAA'), 'token', new Uint8Array(12));
    expect(() => keyring.open(tokenPlace('MABBBBBBBBBBBBBBBBBB'), sealed)).toThrow();
  });

  it('does not open under another key', () => {
    const sealed = keyring.seal('place', 'secret', new Uint8Array(12));
    expect(() => keyring.open('place', { ...sealed, keyId: fixedKey(2).id })).toThrow();
  });

  it('opens what a standby key sealed', () => {
    const sealed = fixedKeyring(2).seal('place', 'secret', new Uint8Array(12));
    expect(keyring.open('place', sealed)).toBe('secret');
  });

  it('names the key that it does not hold', () => {
    const sealed = fixedKeyring(3).seal('place', 'secret', new Uint8Array(12));
    expect(() => keyring.open('place', sealed)).toThrow(new UnknownKeyError(fixedKey(3).id));
  });
});

describe('a master key', () => {
  it('has an id that follows from its bytes and never changes', () => {
    expect(fixedKey(1)).toEqual(fixedKey(1));
    expect(fixedKey(1).id).toBe('292e41ed');
    expect(fixedKey(2).id).not.toBe(fixedKey(1).id);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(masterKey(bytes).id).toMatch(/^[0-9a-f]{8}$/);
      }),
    );
  });

  it('has 32 bytes', () => {
    for (const size of [0, 16, 31, 33]) expect(() => masterKey(new Uint8Array(size))).toThrow(RangeError);
  });

  it('is proved by a check value that tells keys apart and is no part of them', () => {
    const check = Buffer.from(keyCheck(fixedKey(1)));
    expect(check).toHaveLength(16);
    expect(check.equals(keyCheck(fixedKey(1)))).toBe(true);
    expect(check.equals(keyCheck(fixedKey(2)))).toBe(false);
    expect(Buffer.from(fixedKey(1).bytes).includes(check)).toBe(false);
  });
});

describe('a keyring', () => {
  it('is refused without its active key', () => {
    expect(() => new Keyring({ active: 'deadbeef' as KeyId, keys: [fixedKey(1)] })).toThrow(UnknownKeyError);
  });

  it('uses different subkeys for codes, sealing, ids and checks', () => {
    const { bytes, id } = fixedKey(1);
    const mac = keyring.codeMac(id, 'message').toString('hex');
    expect(mac).not.toContain(id);
    expect(Buffer.from(bytes).toString('hex')).not.toContain(id);
    expect(mac).not.toContain(Buffer.from(keyCheck(fixedKey(1))).toString('hex'));
  });
});
