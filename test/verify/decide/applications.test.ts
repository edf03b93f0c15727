import { describe, expect, it } from 'vitest';
import { MAX_APPLICATIONS, newApplication } from '#verify/applications.js';
import type { ApplicationChanges } from '#verify/commands.js';
import { tokenPlace } from '#verify/keyring.js';
import type { AccountId, ApplicationId } from '#verify/model.js';
import { ACCOUNT, application, Domain, idOf, MINUTE, NOW } from '../domain.js';

const SUB = 'SAAAAAAAAAAAAAAAAAAA' as AccountId;

/** A domain with the account and its default application. */
function withAccount(authId = ACCOUNT, domain = new Domain(), parent: AccountId | null = null): Domain {
  domain.run({
    type: 'create-account',
    account: {
      authId,
      parent,
      name: '',
      enabled: true,
      token: domain.keyring.seal(tokenPlace(authId), 'token', new Uint8Array(12)),
      previousToken: null,
      previousTokenUntil: null,
      countries: null,
      createdAt: NOW,
      modifiedAt: NOW,
    },
    application: application({ account: authId, uuid: idOf(authId === ACCOUNT ? 0 : 1, 9) }),
  });
  return domain;
}

const FIRST = idOf<ApplicationId>(0, 9);

function add(domain: Domain, index: number, rules: ApplicationChanges = {}, account = ACCOUNT) {
  const uuid = idOf<ApplicationId>(index, 8);
  const made = newApplication(uuid, account, rules, NOW);
  return { uuid, outcome: domain.run({ type: 'create-application', application: made }) };
}

function update(domain: Domain, uuid: ApplicationId, changes: ApplicationChanges, account = ACCOUNT) {
  return domain.run({ type: 'update-application', now: NOW + 1, account, application: uuid, changes });
}

function remove(domain: Domain, uuid: ApplicationId, now = NOW, account = ACCOUNT) {
  return domain.run({ type: 'delete-application', now, account, application: uuid });
}

/** Uuids of the account's default applications: exactly one. */
const defaultsOf = (domain: Domain, account = ACCOUNT) =>
  domain.rows
    .applicationsOf(account)
    .filter(({ isDefault }) => isDefault)
    .map(({ uuid }) => uuid);

describe('creating an application', () => {
  it('leaves the default as it is, unless the new one is to be it', () => {
    const domain = withAccount();
    add(domain, 1);
    expect(defaultsOf(domain)).toEqual([FIRST]);
    const { uuid } = add(domain, 2, { isDefault: true });
    expect(defaultsOf(domain)).toEqual([uuid]);
    expect(domain.rows.application(FIRST)).toMatchObject({ isDefault: false, updatedAt: NOW });
  });

  it('is refused past the maximum of an account', () => {
    const domain = withAccount();
    for (let index = 1; index < MAX_APPLICATIONS; index++) add(domain, index);
    expect(add(domain, MAX_APPLICATIONS).outcome).toMatchObject({
      kind: 'conflict',
      why: expect.stringContaining('maximum'),
    });
    expect(domain.rows.applicationsOf(ACCOUNT)).toHaveLength(MAX_APPLICATIONS);
  });

  it('finds no account that does not exist', () => {
    expect(add(withAccount(), 1, {}, SUB).outcome).toEqual({ kind: 'not-found' });
  });
});

describe('updating an application', () => {
  it('changes what is named, and when', () => {
    const domain = withAccount();
    const before = domain.rows.application(FIRST);
    expect(update(domain, FIRST, { expiry: 60, url: null })).toEqual({ kind: 'done' });
    expect(domain.rows.application(FIRST)).toEqual({ ...before, expiry: 60, updatedAt: NOW + 1 });
  });

  it('gives the place of the default to another, never to none', () => {
    const domain = withAccount();
    const { uuid } = add(domain, 1);
    expect(update(domain, FIRST, { isDefault: false })).toMatchObject({
      kind: 'conflict',
      why: expect.stringContaining('is_default'),
    });
    update(domain, uuid, { isDefault: true });
    expect(defaultsOf(domain)).toEqual([uuid]);
    expect(update(domain, FIRST, { isDefault: false })).toEqual({ kind: 'done' });
  });

  it('finds none of another account', () => {
    const domain = withAccount(SUB, withAccount());
    expect(update(domain, FIRST, { expiry: 60 }, SUB)).toEqual({ kind: 'not-found' });
  });

  it('leaves a live session its rules', () => {
    const domain = withAccount();
    const live = domain.start();
    update(domain, FIRST, { expiry: 60, maxAttempts: 1, codeLength: 8, resendCooldown: 60, alias: 'new' });
    const changed = domain.rows.application(FIRST)!;
    const again = domain.start({ application: changed, codeLength: 8 });
    expect(again).toMatchObject({ session: live.session, isNew: false });
    expect(domain.session(live.session)).toMatchObject({
      alias: 'default',
      maxAttempts: 5,
      resendCooldown: 0,
      expiresAt: NOW + 10 * MINUTE,
      code: { length: 6 },
    });
  });
});

describe('deleting an application', () => {
  it('removes it', () => {
    const domain = withAccount();
    const { uuid } = add(domain, 1);
    expect(remove(domain, uuid)).toEqual({ kind: 'done' });
    expect(domain.rows.application(uuid)).toBeUndefined();
    expect(remove(domain, uuid)).toEqual({ kind: 'not-found' });
  });

  it('is refused for the default, and for one of another account', () => {
    const domain = withAccount(SUB, withAccount());
    expect(remove(domain, FIRST)).toMatchObject({
      kind: 'conflict',
      why: expect.stringContaining('make another the default first'),
    });
    expect(remove(domain, add(domain, 1).uuid, NOW, SUB)).toEqual({ kind: 'not-found' });
  });

  it('is refused while a session is live, and works once it has ended', () => {
    const domain = withAccount();
    const { uuid } = add(domain, 1);
    const { session } = domain.start({ application: domain.rows.application(uuid)! });
    expect(remove(domain, uuid)).toMatchObject({
      kind: 'conflict',
      why: expect.stringContaining('live sessions'),
    });
    expect(domain.validate(session, domain.code(session))).toBe('validated');
    expect(remove(domain, uuid)).toEqual({ kind: 'done' });
    expect(domain.session(session).status).toBe('verified');
  });

  it('is not held up by a session whose time has passed', () => {
    const domain = withAccount();
    const { uuid } = add(domain, 1);
    domain.start({ application: domain.rows.application(uuid)! });
    expect(remove(domain, uuid, NOW + 10 * MINUTE)).toEqual({ kind: 'done' });
  });
});

describe('deleting a subaccount', () => {
  const subaccount = () => withAccount(SUB, withAccount(), ACCOUNT);
  const end = (domain: Domain, parent = ACCOUNT, now = NOW) =>
    domain.run({ type: 'delete-account', now, authId: SUB, parent });

  it('removes it and its applications, and keeps its sessions for the main account', () => {
    const domain = subaccount();
    const own = domain.rows.applicationsOf(SUB)[0]!;
    const { session } = domain.start({ application: own });
    expect(end(domain)).toMatchObject({ kind: 'conflict', why: expect.stringContaining('live sessions') });
    domain.expire(session, NOW + 10 * MINUTE);
    expect(end(domain)).toEqual({ kind: 'done' });
    expect(domain.rows.account(SUB)).toBeUndefined();
    expect(domain.rows.applicationsOf(SUB)).toEqual([]);
    expect(domain.rows.applicationsOf(ACCOUNT)).toHaveLength(1);
    expect(domain.session(session)).toMatchObject({ account: SUB, main: ACCOUNT, status: 'expired' });
  });

  it('finds none of another main account, nor a main account', () => {
    const domain = subaccount();
    expect(end(domain, 'MABBBBBBBBBBBBBBBBBB' as AccountId)).toEqual({ kind: 'not-found' });
    const main = { type: 'delete-account', now: NOW, authId: ACCOUNT, parent: ACCOUNT } as const;
    expect(domain.run(main)).toEqual({ kind: 'not-found' });
  });
});

describe('the session of a subaccount', () => {
  it('is validated by it and by its main account, and found by no other', () => {
    const domain = new Domain();
    const own = application({ account: SUB });
    const { session } = domain.start({ application: own });
    const wrong = '0000';
    expect(domain.validate(session, wrong, { account: SUB })).toBe('invalid');
    expect(domain.validate(session, wrong, { account: ACCOUNT })).toBe('invalid');
    expect(domain.validate(session, wrong, { account: 'MABBBBBBBBBBBBBBBBBB' as AccountId })).toBe(
      'not-found',
    );
  });
});
