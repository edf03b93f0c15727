import { describe, expect, it } from 'vitest';
import { type AccountId, MAX_VALIDATIONS, type Recipient, type SessionId } from '#verify/model.js';
import { ACCOUNT, application, Domain, fixedKeyring, idOf, NOW, RECIPIENT, wrongFor } from '../domain.js';

const EXPIRY = 600_000;

function started() {
  const domain = new Domain();
  const { session, attempt } = domain.start();
  const right = domain.code(session);
  return { domain, session, attempt, right, wrong: wrongFor(right) };
}

describe('the right code', () => {
  it('verifies the session and ends its being live', () => {
    const { domain, session, right } = started();
    expect(domain.validate(session, right, { now: NOW + 5 })).toBe('validated');
    expect(domain.session(session)).toMatchObject({ status: 'verified', validations: 1, updatedAt: NOW + 5 });
    expect(domain.rows.live(application().uuid, RECIPIENT)).toBeUndefined();
  });

  it('is good once', () => {
    const { domain, session, right } = started();
    domain.validate(session, right);
    const before = domain.session(session);
    expect(domain.validate(session, right)).toBe('already-verified');
    expect(domain.session(session)).toBe(before);
  });

  it('is good until the last millisecond of the session', () => {
    const { domain, session, right } = started();
    expect(domain.validate(session, right, { now: NOW + EXPIRY - 1 })).toBe('validated');
  });

  it('may come as a number without its leading zeros', () => {
    const domain = new Domain();
    const { session } = domain.start({ otp: '000042' });
    expect(domain.validate(session, '42')).toBe('invalid');
    expect(domain.validate(session, '42', { numeric: true })).toBe('validated');
  });

  it('drops the attempts that wait for delivery, and leaves those that a carrier has', () => {
    const { domain, session, attempt, right } = started();
    domain.accepted(attempt);
    const second = domain.start();
    domain.validate(session, right);
    expect(domain.effects).toEqual([{ kind: 'drop', attempt: second.attempt }]);
    expect(domain.attempt(second.attempt)).toMatchObject({ delivery: 'done', status: 'queued' });
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'handed', status: 'sent' });
  });

  it('does not give the recipient failed validations back', () => {
    const { domain, session, right, wrong } = started();
    domain.validate(session, wrong);
    domain.validate(session, right);
    expect(domain.failures()).toEqual([NOW]);
  });
});

describe('a wrong code', () => {
  it('uses one validation and counts for the recipient', () => {
    const { domain, session, wrong } = started();
    expect(domain.validate(session, wrong)).toBe('invalid');
    expect(domain.session(session)).toMatchObject({ status: 'in-progress', validations: 1 });
    expect(domain.failures()).toEqual([NOW]);
    expect(domain.effects).toEqual([]);
  });

  it('leaves the session to the right code', () => {
    const { domain, session, right, wrong } = started();
    domain.validate(session, wrong);
    expect(domain.validate(session, right)).toBe('validated');
  });
});

describe('more than ten validations', () => {
  it('are refused, even with the right code', () => {
    const { domain, session, right, wrong } = started();
    for (let i = 0; i < MAX_VALIDATIONS; i++) expect(domain.validate(session, wrong)).toBe('invalid');
    const before = domain.session(session);
    expect(domain.validate(session, right)).toBe('too-many-validations');
    expect(domain.session(session)).toBe(before);
    expect(domain.failures()).toHaveLength(MAX_VALIDATIONS);
  });

  it('leave the tenth to the right code', () => {
    const { domain, session, right, wrong } = started();
    for (let i = 1; i < MAX_VALIDATIONS; i++) domain.validate(session, wrong);
    expect(domain.validate(session, right)).toBe('validated');
  });
});

describe('too many failed validations of one recipient', () => {
  it('are counted over all its sessions and refuse even the right code', () => {
    const { domain, session, wrong } = started();
    domain.validate(session, wrong);
    domain.expire(session, NOW + EXPIRY);
    const later = { now: NOW + EXPIRY };
    const second = domain.start(later);
    const code = domain.code(second.session);
    const limit = { ...later, failedValidationsLimit: 2 };
    expect(domain.validate(second.session, wrongFor(code), limit)).toBe('invalid');
    expect(domain.validate(second.session, code, limit)).toBe('recipient-exhausted');
    expect(domain.session(second.session)).toMatchObject({ status: 'in-progress', validations: 1 });
    expect(domain.validate(second.session, code, { ...later, failedValidationsLimit: 3 })).toBe('validated');
  });

  it('do not touch other recipients, nor the same recipient of another account', () => {
    const { domain, session, wrong } = started();
    domain.validate(session, wrong);
    const limit = { failedValidationsLimit: 1 };
    const other = domain.start({ recipient: '14155550124' as Recipient });
    expect(domain.validate(other.session, domain.code(other.session), limit)).toBe('validated');
    const account = 'MABBBBBBBBBBBBBBBBBB' as AccountId;
    const foreign = domain.start({ application: application({ uuid: idOf(5, 9), account }) });
    expect(domain.validate(foreign.session, domain.code(foreign.session), { ...limit, account })).toBe(
      'validated',
    );
  });

  it('forget failures older than a day when a new one is written', () => {
    const { domain, session, wrong } = started();
    domain.validate(session, wrong);
    const later = NOW + 24 * 3600_000;
    const second = domain.start({ now: later });
    domain.validate(second.session, wrongFor(domain.code(second.session)), { now: later });
    expect(domain.failures()).toEqual([later]);
  });
});

describe('a validation that finds no session to judge', () => {
  it('is not found when the session is unknown or another account’s', () => {
    const { domain, session, right } = started();
    expect(domain.validate(idOf<SessionId>(99), right)).toBe('not-found');
    expect(domain.validate(session, right, { account: 'MABBBBBBBBBBBBBBBBBB' as AccountId })).toBe(
      'not-found',
    );
    expect(domain.session(session).validations).toBe(0);
  });

  it('is expired from the moment its time has passed, before anything swept it', () => {
    const { domain, session, right, wrong } = started();
    for (const otp of [right, wrong]) {
      expect(domain.validate(session, otp, { now: NOW + EXPIRY })).toBe('expired');
    }
    expect(domain.session(session)).toMatchObject({ status: 'in-progress', validations: 0 });
    expect(domain.failures()).toEqual([]);
    domain.expire(session, NOW + EXPIRY);
    expect(domain.validate(session, right, { now: NOW + EXPIRY })).toBe('expired');
  });

  it('says already verified even after the time of the session', () => {
    const { domain, session, right } = started();
    domain.validate(session, right);
    expect(domain.validate(session, right, { now: NOW + EXPIRY })).toBe('already-verified');
  });
});

describe('the order of the checks', () => {
  it('is verified, expired, session’s maximum, recipient’s maximum, code', () => {
    const { domain, session, right, wrong } = started();
    const exhausted = { failedValidationsLimit: 1 };
    for (let i = 0; i < MAX_VALIDATIONS; i++) domain.validate(session, wrong);
    expect(domain.validate(session, right, exhausted)).toBe('too-many-validations');
    expect(domain.validate(session, right, { ...exhausted, now: NOW + EXPIRY })).toBe('expired');

    const second = domain.start({ recipient: '14155550124' as Recipient });
    const code = domain.code(second.session);
    domain.validate(second.session, wrongFor(code));
    domain.validate(second.session, code);
    expect(domain.validate(second.session, code, exhausted)).toBe('already-verified');
  });
});

describe('a session under a key that this node does not hold', () => {
  it('is answered as such and uses no validation', () => {
    const { domain, session, right } = started();
    domain.keyring = fixedKeyring(2);
    expect(domain.validate(session, right)).toBe('unknown-key');
    expect(domain.session(session).validations).toBe(0);
    expect(domain.failures()).toEqual([]);
    domain.keyring = fixedKeyring(2, 1);
    expect(domain.validate(session, right)).toBe('validated');
  });
});

describe('any number of concurrent right codes', () => {
  it('verify exactly once', () => {
    const { domain, session, right } = started();
    const answers = Array.from({ length: 50 }, () => domain.validate(session, right, { account: ACCOUNT }));
    expect(answers.filter((kind) => kind === 'validated')).toHaveLength(1);
    expect(answers.filter((kind) => kind === 'already-verified')).toHaveLength(49);
  });
});
