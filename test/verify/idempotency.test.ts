import { expect, it } from 'vitest';
import { compareRequest, remembered } from '#verify/idempotency.js';
import { fixedKey, fixedKeyring, idOf, NOW } from './domain.js';

const digest = new Uint8Array(32).fill(3);
const keyring = fixedKeyring(1, 2);
const row = remembered({ key: 'key', digest }, idOf(1), keyring, NOW);
const compare = (changes: { digest?: Uint8Array; ring?: typeof keyring; now?: number } = {}) =>
  compareRequest(row, changes.digest ?? digest, changes.ring ?? keyring, changes.now ?? NOW).kind;

it('a request is known by its digest, for a day', () => {
  expect(compare()).toBe('same');
  expect(compare({ digest: new Uint8Array(32).fill(4) })).toBe('other');
  expect(compare({ now: NOW + 24 * 3600_000 - 1 })).toBe('same');
  expect(compare({ now: NOW + 24 * 3600_000 })).toBe('none');
});

it('it is known after another key was activated, and forgotten where its key is held no more', () => {
  expect(compare({ ring: fixedKeyring(2, 1) })).toBe('same');
  expect(compare({ ring: fixedKeyring(2) })).toBe('none');
});

it('the fingerprint is under a subkey of its own', () => {
  const { id } = fixedKey(1);
  expect(row).toMatchObject({ keyId: id, session: idOf(1), createdAt: NOW });
  const message = 'x'.repeat(32);
  expect(keyring.requestMac(id, Buffer.from(message)).equals(keyring.codeMac(id, message))).toBe(false);
  expect(Buffer.from(row.fingerprint).equals(Buffer.from(digest))).toBe(false);
});
