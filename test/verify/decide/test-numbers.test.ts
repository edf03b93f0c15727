import { describe, expect, it } from 'vitest';
import { application, Domain, MINUTE, NOW, URL_OF_CUSTOMER } from '../domain.js';

const OTP = '424242';
const toTest = { test: true, otp: OTP, url: URL_OF_CUSTOMER } as const;

describe('a session to a test number', () => {
  it('sends nothing, arrives at once, and calls back every step', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start(toTest);
    expect(domain.effectKinds).toEqual(['callback']);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', delivery: 'done', carrier: null });
    expect(domain.calledBack(attempt)).toEqual(['queued', 'sent', 'delivered']);
    expect(domain.session(session)).toMatchObject({ test: true, status: 'in-progress' });
  });

  it('completes a call', () => {
    const domain = new Domain();
    const { attempt } = domain.start({ ...toTest, channel: 'voice' });
    expect(domain.calledBack(attempt)).toEqual(['ringing', 'in-progress', 'completed']);
    expect(domain.attempt(attempt).delivery).toBe('done');
  });

  it('needs no route', () => {
    const domain = new Domain();
    const { attempt } = domain.start({ ...toTest, carrier: null });
    expect(domain.attempt(attempt).status).toBe('delivered');
  });

  it('has the fixed code, which a caller cannot replace', () => {
    const domain = new Domain();
    const { session } = domain.start(toTest);
    domain.start({ ...toTest, test: false, otp: '777777' });
    expect(domain.code(session)).toBe(OTP);
    expect(domain.validate(session, '777777')).toBe('invalid');
    expect(domain.validate(session, OTP)).toBe('validated');
  });

  it('stays one when the number leaves the list, and expires like any other', () => {
    const domain = new Domain();
    const { session } = domain.start(toTest);
    const again = domain.start({ test: false });
    expect(again.session).toBe(session);
    expect(domain.attempt(again.attempt).delivery).toBe('done');
    domain.expire(session, NOW + 10 * MINUTE);
    expect(domain.bodies(again.attempt).at(-1)).toMatchObject({ SessionStatus: 'expired' });
  });

  it('never makes the fixed code right for a session that began before', () => {
    const domain = new Domain();
    const { session } = domain.start();
    const code = domain.code(session);
    const again = domain.start(toTest);
    expect(again).toMatchObject({ session, isNew: false });
    expect(domain.attempt(again.attempt).delivery).toBe('pending');
    expect(domain.code(session)).toBe(code);
  });
});

describe('the resend cool-down', () => {
  const cooling = application({ resendCooldown: 30 });

  it('holds back the next attempt of the session, and says for how long', () => {
    const domain = new Domain();
    const { session } = domain.start({ application: cooling });
    const early = domain.startCommand({ application: cooling, now: NOW + 10_000 });
    expect(domain.run(early)).toEqual({ kind: 'cooling', wait: 20_000 });
    expect(domain.effects).toEqual([]);
    expect(domain.session(session).attempts).toBe(1);
    expect(domain.start({ application: cooling, now: NOW + 30_000 })).toMatchObject({
      session,
      isNew: false,
    });
    const third = domain.startCommand({ application: cooling, now: NOW + 31_000 });
    expect(domain.run(third)).toEqual({ kind: 'cooling', wait: 29_000 });
  });

  it('does not hold back a new session, and is never longer than itself when the clock goes back', () => {
    const domain = new Domain();
    const { session } = domain.start({ application: cooling });
    const past = domain.startCommand({ application: cooling, now: NOW - MINUTE });
    expect(domain.run(past)).toEqual({ kind: 'cooling', wait: 30_000 });
    expect(domain.validate(session, domain.code(session))).toBe('validated');
    expect(domain.start({ application: cooling, now: NOW + 1 }).isNew).toBe(true);
  });

  it('gives way to a refusal that waiting does not mend', () => {
    const domain = new Domain();
    const strict = application({ resendCooldown: 30, maxAttempts: 1 });
    domain.start({ application: strict });
    expect(domain.run(domain.startCommand({ application: strict }))).toEqual({
      kind: 'refused',
      reason: 'attempts',
    });
  });
});
