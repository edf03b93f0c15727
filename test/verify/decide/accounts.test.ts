import { describe, expect, it } from 'vitest';
import type { Command } from '#verify/commands.js';
import { tokenPlace } from '#verify/keyring.js';
import type { Account, AccountId, KeyId, MasterKeyRow, SessionId } from '#verify/model.js';
import { ACCOUNT, application, Domain, fixedKey, fixedKeyring, idOf, NOW } from '../domain.js';

const nonces = [new Uint8Array(12).fill(21), new Uint8Array(12).fill(22)] as const;

function account(domain: Domain, changes: Partial<Account> = {}): Account {
  return {
    authId: ACCOUNT,
    parent: null,
    name: 'main',
    enabled: true,
    token: domain.keyring.seal(tokenPlace(ACCOUNT), 'token one', new Uint8Array(12).fill(1)),
    previousToken: null,
    previousTokenUntil: null,
    countries: null,
    createdAt: NOW,
    modifiedAt: NOW,
    ...changes,
  };
}

function withAccount(changes: Partial<Account> = {}) {
  const domain = new Domain();
  domain.run({
    type: 'create-account',
    account: account(domain, changes),
    application: application({ isDefault: true }),
  });
  return domain;
}

describe('creating an account', () => {
  it('adds it with its default application', () => {
    const domain = withAccount();
    expect(domain.rows.account(ACCOUNT)?.name).toBe('main');
    expect(domain.rows.application(application().uuid)).toEqual(application({ isDefault: true }));
  });

  it('never gives an auth id twice', () => {
    const domain = withAccount();
    const again = { ...account(domain), name: 'impostor' };
    const outcome = domain.run({ type: 'create-account', account: again, application: application() });
    expect(outcome).toMatchObject({ kind: 'conflict', why: expect.stringContaining(ACCOUNT) });
    expect(domain.rows.account(ACCOUNT)?.name).toBe('main');
  });
});

describe('updating an account', () => {
  it('changes what is named, and when', () => {
    const domain = withAccount();
    const changes = { enabled: false };
    expect(domain.run({ type: 'update-account', now: NOW + 5, authId: ACCOUNT, changes })).toEqual({
      kind: 'done',
    });
    expect(domain.rows.account(ACCOUNT)).toEqual({ ...account(domain), enabled: false, modifiedAt: NOW + 5 });
  });

  it('finds none of another id', () => {
    const authId = 'MABBBBBBBBBBBBBBBBBB' as AccountId;
    expect(withAccount().run({ type: 'update-account', now: NOW, authId, changes: {} })).toEqual({
      kind: 'not-found',
    });
  });
});

describe('resealing', () => {
  const ofAccount: Command = { type: 'reseal', row: { kind: 'account', authId: ACCOUNT }, nonces };

  it('moves both tokens of an account to the active key', () => {
    const previousToken = fixedKeyring(1).seal(tokenPlace(ACCOUNT), 'token zero', new Uint8Array(12));
    const domain = withAccount({ previousToken });
    domain.keyring = fixedKeyring(2, 1);
    expect(domain.run(ofAccount)).toEqual({ kind: 'done' });
    const after = domain.rows.account(ACCOUNT)!;
    const alone = fixedKeyring(2);
    expect(alone.open(tokenPlace(ACCOUNT), after.token)).toBe('token one');
    expect(alone.open(tokenPlace(ACCOUNT), after.previousToken!)).toBe('token zero');
    expect(after.token.box.subarray(0, 12)).not.toEqual(after.previousToken!.box.subarray(0, 12));
  });

  it('leaves what is sealed under the active key as it is', () => {
    const domain = withAccount();
    const before = domain.rows.account(ACCOUNT)!.token;
    domain.run(ofAccount);
    expect(domain.rows.account(ACCOUNT)!.token).toBe(before);
  });

  it('moves the chosen code of a session, which stays the right one', () => {
    const domain = new Domain();
    const { session } = domain.start({ otp: '135724' });
    domain.keyring = fixedKeyring(2, 1);
    domain.run({ type: 'reseal', row: { kind: 'session', session }, nonces });
    expect(domain.session(session).code.keyId).toBe(fixedKey(2).id);
    domain.keyring = fixedKeyring(2);
    expect(domain.validate(session, '135724')).toBe('validated');
  });

  it('leaves a derived code under its key: it cannot be derived from another', () => {
    const domain = new Domain();
    const { session } = domain.start();
    const before = domain.session(session);
    domain.keyring = fixedKeyring(2, 1);
    expect(domain.run({ type: 'reseal', row: { kind: 'session', session }, nonces })).toEqual({
      kind: 'done',
    });
    expect(domain.session(session)).toBe(before);
  });

  it('finds no row of another id', () => {
    const domain = new Domain();
    expect(domain.run(ofAccount)).toEqual({ kind: 'not-found' });
    const row = { kind: 'session', session: idOf<SessionId>(9) } as const;
    expect(domain.run({ type: 'reseal', row, nonces })).toEqual({ kind: 'not-found' });
  });
});

describe('master keys', () => {
  const rowOf = (byte: number): Omit<MasterKeyRow, 'state'> => ({
    id: fixedKey(byte).id,
    check: new Uint8Array(16),
    createdAt: NOW,
  });
  const id = (byte: number): KeyId => fixedKey(byte).id;
  function withKeys(...bytes: number[]) {
    const domain = new Domain();
    for (const byte of bytes) domain.run({ type: 'add-key', key: rowOf(byte) });
    return domain;
  }
  const stateOf = (domain: Domain, byte: number) =>
    domain.rows.keys().find((key) => key.id === id(byte))?.state;
  const close = (domain: Domain, byte: number, as: 'retired' | 'revoked', references = 0) =>
    domain.run({ type: 'close-key', id: id(byte), as, references });

  it('are active when first and stand by when later', () => {
    const domain = withKeys(1, 2, 3);
    expect([1, 2, 3].map((byte) => stateOf(domain, byte))).toEqual(['active', 'standby', 'standby']);
  });

  it('can be added again without harm while they are open', () => {
    const domain = withKeys(1, 2);
    expect(domain.run({ type: 'add-key', key: rowOf(1) })).toEqual({ kind: 'done' });
    expect(stateOf(domain, 1)).toBe('active');
  });

  it('are never active two at a time', () => {
    const domain = withKeys(1, 2, 3);
    for (const byte of [2, 3, 3, 1, 2]) {
      expect(domain.run({ type: 'activate-key', id: id(byte) })).toEqual({ kind: 'done' });
      expect(domain.rows.keys().filter((key) => key.state === 'active')).toEqual([
        expect.objectContaining({ id: id(byte) }),
      ]);
    }
  });

  it('are not closed while active, nor retired or revoked while something refers to them', () => {
    const domain = withKeys(1, 2);
    for (const as of ['retired', 'revoked'] as const) {
      expect(close(domain, 1, as)).toMatchObject({
        kind: 'conflict',
        why: expect.stringContaining('active'),
      });
      expect(close(domain, 2, as, 3)).toMatchObject({ kind: 'conflict', why: expect.stringContaining('3') });
    }
    expect(stateOf(domain, 2)).toBe('standby');
  });

  it.each(['retired', 'revoked'] as const)('that are %s never come back', (as) => {
    const domain = withKeys(1, 2);
    expect(close(domain, 2, as)).toEqual({ kind: 'done' });
    expect(stateOf(domain, 2)).toBe(as);
    expect(domain.run({ type: 'activate-key', id: id(2) })).toMatchObject({ kind: 'conflict' });
    expect(domain.run({ type: 'add-key', key: rowOf(2) })).toMatchObject({ kind: 'conflict' });
    expect(stateOf(domain, 2)).toBe(as);
  });

  it('that are retired can be found compromised later, and those that are revoked stay so', () => {
    const domain = withKeys(1, 2);
    close(domain, 2, 'retired');
    expect(close(domain, 2, 'revoked')).toEqual({ kind: 'done' });
    expect(close(domain, 2, 'retired')).toMatchObject({ kind: 'conflict' });
    expect(stateOf(domain, 2)).toBe('revoked');
  });

  it('that are unknown are not found', () => {
    const domain = withKeys(1);
    expect(domain.run({ type: 'activate-key', id: id(2) })).toEqual({ kind: 'not-found' });
    expect(close(domain, 2, 'retired')).toEqual({ kind: 'not-found' });
  });
});
