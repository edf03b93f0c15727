import { describe, expect, it } from 'vitest';
import type { AccountId, Recipient } from '#verify/model.js';
import { ACCOUNT, Domain, NOW, RECIPIENT, URL_OF_CUSTOMER } from '../domain.js';

const SUB = 'SAAAAAAAAAAAAAAAAAAA' as AccountId;

describe('a recipient who opted out', () => {
  it('gets no SMS: the attempt is accepted and fails with 200 at once, and calls back', () => {
    const domain = new Domain();
    domain.optOut();
    const { attempt } = domain.start({ url: URL_OF_CUSTOMER });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', errorCode: 200, delivery: 'done' });
    expect(domain.calledBack(attempt)).toEqual(['queued', 'failed']);
    expect(domain.bodies(attempt).at(-1)).toMatchObject({ ChannelErrorCode: '200' });
    expect(domain.effectKinds).not.toContain('deliver');
  });

  it('is still called', () => {
    const domain = new Domain();
    domain.optOut();
    const { attempt } = domain.start({ channel: 'voice' });
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'pending' });
  });

  it('opted out of the main account and all its subaccounts, and of no other', () => {
    const domain = new Domain();
    domain.optOut({ account: 'MABBBBBBBBBBBBBBBBBB' as AccountId });
    domain.optOut({ recipient: '14155550124' as Recipient });
    expect(domain.attempt(domain.start().attempt).delivery).toBe('pending');
    domain.optOut();
    const base = domain.startCommand();
    const application = { ...base.application, account: SUB };
    const { attempt } = domain.start({ application });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', errorCode: 200 });
  });

  it('may still validate the code of an earlier attempt, and gets messages again after opting in', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start();
    domain.accepted(attempt);
    domain.optOut();
    expect(domain.attempt(domain.start().attempt).errorCode).toBe(200);
    expect(domain.optIn()).toEqual({ kind: 'done' });
    expect(domain.attempt(domain.start().attempt).delivery).toBe('pending');
    expect(domain.validate(session, domain.code(session))).toBe('validated');
  });

  it('keeps the time and source of the first opt-out', () => {
    const domain = new Domain();
    domain.optOut({ source: 'message', carrier: 'one' });
    expect(domain.optOut({ createdAt: NOW + 1 })).toEqual({ kind: 'done' });
    expect(domain.rows.optOut(ACCOUNT, RECIPIENT)).toMatchObject({ source: 'message', createdAt: NOW });
  });

  it('cannot opt in who did not opt out', () => {
    expect(new Domain().optIn()).toEqual({ kind: 'not-found' });
  });

  it('is a test number all the same', () => {
    const domain = new Domain();
    domain.optOut();
    const { attempt } = domain.start({ test: true, otp: '4711' });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', errorCode: null });
  });
});
