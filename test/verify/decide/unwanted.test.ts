import { describe, expect, it } from 'vitest';
import { chargesOf } from '#verify/charges.js';
import type { AttemptId } from '#verify/model.js';
import { Domain, NOW, OWNER, URL_OF_CUSTOMER } from '../domain.js';

const END = NOW + 600_000;
const PRICED = { url: URL_OF_CUSTOMER, price: { price: 7, increment: null } };
const CALL = { url: URL_OF_CUSTOMER, channel: 'voice', price: { price: 7, increment: 60 } } as const;
const RETRY = { kind: 'retry', carrier: 'one', at: NOW + 5_000, sameHop: true } as const;

function lastOf(domain: Domain, attempt: AttemptId) {
  const { ChannelStatus, ChannelErrorCode, SessionStatus } = domain.bodies(attempt).at(-1) ?? {};
  return [ChannelStatus, ChannelErrorCode, SessionStatus];
}

/** What the session costs but for its validation. */
function charged(domain: Domain, attempt: AttemptId): bigint {
  const row = domain.attempt(attempt);
  return chargesOf(domain.session(row.session), [row]).attempts[0]!;
}

describe.each(['verified', 'expired'] as const)(
  'a call that nobody needs any more, its session %s',
  (how) => {
    it.each([
      [['ringing'], 'no-answer', '3000'],
      [['ringing', 'in-progress'], 'failed', '4000'],
      [[], 'failed', how === 'verified' ? '' : '5000'],
    ] as const)('after %j is told to have ended, and costs nothing', (steps, status, code) => {
      const domain = new Domain();
      const { session, attempt } = domain.start(CALL);
      for (const step of steps) domain.receipt(attempt, step, { underWay: true });
      if (how === 'verified') domain.validate(session, domain.code(session), { now: NOW + 5 });
      else domain.expire(session, END);
      expect(domain.attempt(attempt)).toMatchObject({ status, delivery: 'done' });
      expect(lastOf(domain, attempt)).toEqual([status, code, how]);
      expect(domain.calledBack(attempt)).toEqual([...steps, status]);
      expect(domain.effects).toContainEqual({ kind: 'drop', attempt });
      // Whatever its carrier says of it, nothing follows.
      expect(domain.accepted(attempt, { claim: true }).kind).toBe('stale');
      domain.failed(attempt, { errorCode: 5010, next: RETRY });
      expect(domain.calledBack(attempt)).toEqual([...steps, status]);
      expect(charged(domain, attempt)).toBe(0n);
    });
  },
);

describe('a call that was stopped when its session had expired, and nothing had swept it yet', () => {
  it('has ended as it would have by the sweep', () => {
    for (const [step, status, code] of [
      ['ringing', 'no-answer', '3000'],
      ['in-progress', 'failed', '4000'],
    ] as const) {
      const domain = new Domain();
      const { attempt } = domain.start(CALL);
      domain.receipt(attempt, step, { underWay: true });
      domain.failed(attempt, { now: END, errorCode: 5010, unwanted: true, next: { ...RETRY, at: END } });
      expect(lastOf(domain, attempt)).toEqual([status, code, 'expired']);
      expect(domain.hop(attempt, 1)).toMatchObject({ state: 'failed', errorCode: 5010 });
    }
  });

  it('is tried again while its session lives, as when the claim could not be committed', () => {
    const domain = new Domain();
    const { attempt } = domain.start(CALL);
    domain.receipt(attempt, 'ringing', { underWay: true });
    domain.failed(attempt, { errorCode: 5010, unwanted: true, next: RETRY });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'ringing', delivery: 'pending', tries: 1 });
  });
});

describe('a message that waits for its next try when its session is verified', () => {
  it('has failed for the reason of its last try', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start(PRICED);
    domain.failed(attempt, { errorCode: 80, next: RETRY });
    domain.validate(session, domain.code(session));
    expect(domain.giveUp(attempt, OWNER, null).kind).toBe('recorded');
    expect(lastOf(domain, attempt)).toEqual(['failed', '80', 'verified']);
    expect(charged(domain, attempt)).toBe(0n);
  });
});

describe('a message without an answer when its session is verified', () => {
  /** Before that, waiting for a receipt or not, or just after. */
  const WAYS = ['wait', 'resend', 'after'] as const;

  function unanswered(how: (typeof WAYS)[number]) {
    const domain = new Domain();
    const { session, attempt } = domain.start(PRICED);
    const next = { ...RETRY, sameHop: how === 'wait' };
    if (how !== 'after') domain.failed(attempt, { unanswered: how, next });
    domain.validate(session, domain.code(session));
    if (how === 'after') domain.failed(attempt, { unanswered: 'resend', next });
    expect(domain.giveUp(attempt, OWNER, null).kind).toBe('stale');
    expect(domain.calledBack(attempt)).toEqual(['queued']);
    return { domain, attempt };
  }

  it.each(WAYS)('is what a receipt says, since it may well have brought that code: %s', (how) => {
    const { domain, attempt } = unanswered(how);
    domain.receipt(attempt, 'delivered');
    expect(domain.calledBack(attempt)).toEqual(['queued', 'sent', 'delivered']);
    expect(lastOf(domain, attempt)).toEqual(['delivered', '', 'verified']);
    expect(charged(domain, attempt)).toBe(7n);
  });

  it.each(WAYS)('has failed when none ever comes: %s', (how) => {
    const { domain, attempt } = unanswered(how);
    expect(domain.giveUp(attempt, OWNER, 1000).kind).toBe('recorded');
    expect(lastOf(domain, attempt)).toEqual(['failed', how === 'after' ? '1000' : '20', 'verified']);
    expect(charged(domain, attempt)).toBe(0n);
  });
});

describe('a message that may be with a carrier when its session is verified', () => {
  function dropped() {
    const domain = new Domain();
    const { session, attempt } = domain.start(PRICED);
    domain.validate(session, domain.code(session), { now: NOW + 5 });
    expect(domain.calledBack(attempt)).toEqual(['queued']);
    return { domain, attempt };
  }

  it('has failed without an error when it turns out that it was not handed over, whoever tells', () => {
    for (const owner of [OWNER, OWNER + 1]) {
      const { domain, attempt } = dropped();
      expect(domain.giveUp(attempt, owner, null).kind).toBe('recorded');
      expect(lastOf(domain, attempt)).toEqual(['failed', '', 'verified']);
      expect(domain.giveUp(attempt, owner, null).kind).toBe('stale');
      expect(charged(domain, attempt)).toBe(0n);
    }
  });

  it('is sent, and costs, when the carrier took it', () => {
    const { domain, attempt } = dropped();
    domain.accepted(attempt);
    expect(domain.giveUp(attempt, OWNER, null).kind).toBe('stale');
    expect(lastOf(domain, attempt)).toEqual(['sent', '', 'verified']);
    expect(charged(domain, attempt)).toBe(7n);
    domain.receipt(attempt, 'delivered');
    expect(lastOf(domain, attempt)).toEqual(['delivered', '', 'verified']);
  });

  it("stays the carrier's, and costs, when that has queued it itself, as its answer or its report says", () => {
    for (const tell of ['accepted', 'receipt'] as const) {
      const { domain, attempt } = dropped();
      if (tell === 'accepted') domain.accepted(attempt, { status: 'queued' });
      else domain.receipt(attempt, 'queued');
      expect(domain.giveUp(attempt, OWNER, 1000).kind).toBe('stale');
      expect(charged(domain, attempt)).toBe(7n);
      domain.receipt(attempt, 'delivered');
      expect(lastOf(domain, attempt)).toEqual(['delivered', '', 'verified']);
    }
  });

  it('has failed for the reason of that try, and is not tried again, when the carrier did not take it', () => {
    const { domain, attempt } = dropped();
    domain.failed(attempt, { errorCode: 30, next: { ...RETRY, at: NOW } });
    expect(domain.effectKinds).not.toContain('deliver');
    expect(lastOf(domain, attempt)).toEqual(['failed', '30', 'verified']);
    expect(domain.hop(attempt, 1).state).toBe('failed');
  });
});
