import { describe, expect, it } from 'vitest';
import { Domain, MINUTE, NOW, OWNER, URL_OF_CUSTOMER } from '../domain.js';

function started() {
  const domain = new Domain();
  return { domain, ...domain.start({ url: URL_OF_CUSTOMER }) };
}

const LATER = NOW + 30_000;
const WAIT = {
  unanswered: 'wait',
  next: { kind: 'retry', carrier: 'two', at: LATER, sameHop: false },
} as const;
const RESEND = {
  unanswered: 'resend',
  next: { kind: 'retry', carrier: 'two', at: NOW, sameHop: false },
} as const;

describe('a submit without an answer', () => {
  it('stays on its hop with the reason and what followed, and the next hop is tried now', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, RESEND);
    expect(domain.hop(attempt, 1)).toMatchObject({
      state: 'unanswered',
      unanswered: 'resend',
      reason: 'no answer',
      errorCode: 20,
    });
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'pending', carrier: 'two', hop: 2 });
    expect(domain.effectKinds).toEqual(['deliver']);
  });

  it('that is waited for has its next hop later', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, WAIT);
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'unanswered', unanswered: 'wait' });
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'pending', hop: 2, nextAt: LATER });
    expect(domain.effectKinds).toEqual([]);
  });

  it('whose receipt comes meanwhile needs no next hop', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, WAIT);
    domain.receipt(attempt, 'sent');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'sent', delivery: 'handed', carrier: 'one' });
    expect(domain.effectKinds).toContain('drop');
    domain.receipt(attempt, 'undelivered', { errorCode: 80 });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'undelivered', errorCode: 80, delivery: 'done' });
  });

  it('that failed after all does not fail the attempt, whose next hop is still to come', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, WAIT);
    domain.receipt(attempt, 'undelivered', { errorCode: 80 });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'pending', hop: 2 });
  });

  it('counts as delivered whenever a receipt says so, whatever the next hop did', () => {
    for (const next of [WAIT, RESEND]) {
      const { domain, attempt } = started();
      domain.failed(attempt, next);
      domain.accepted(attempt, { number: 2, carrier: 'two', messageId: 'message-2' });
      domain.receipt(attempt, 'delivered', { now: NOW + MINUTE });
      expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', delivery: 'done' });
      expect(domain.hop(attempt, 1)).toMatchObject({ state: 'delivered', unanswered: next.unanswered });
    }
  });

  it('may be tried again on the same hop, whose answer then counts', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, { ...RESEND, next: { kind: 'retry', carrier: 'one', at: LATER, sameHop: true } });
    expect(domain.attempt(attempt)).toMatchObject({ hop: 1, delivery: 'pending' });
    domain.accepted(attempt, { now: LATER });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'accepted', reason: null, unanswered: 'resend' });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'sent', delivery: 'handed' });
  });

  it('stays unanswered when a second submit of it fails after the attempt went on', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, RESEND);
    expect(domain.failed(attempt, { reason: 'refused', next: { kind: 'fail' } }).kind).toBe('stale');
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'unanswered', reason: 'no answer' });
  });
});

describe('an attempt that passes over a carrier', () => {
  it('keeps its hop where that was never tried', () => {
    const { domain, attempt } = started();
    expect(domain.reroute(attempt).kind).toBe('recorded');
    expect(domain.attempt(attempt)).toMatchObject({ carrier: 'two', hop: 1, tries: 1, delivery: 'pending' });
    expect(domain.rows.hop(attempt, 1)).toBeUndefined();
    expect(domain.effects).toMatchObject([{ kind: 'deliver', delivery: { carrier: 'two', hop: 1 } }]);
  });

  it('begins the next hop where one was tried, which keeps its reason', () => {
    const { domain, attempt } = started();
    domain.failed(attempt, { next: { kind: 'retry', carrier: 'one', at: LATER, sameHop: true } });
    domain.reroute(attempt, { now: LATER });
    expect(domain.hop(attempt, 1)).toMatchObject({ carrier: 'one', state: 'failed', reason: 'no answer' });
    expect(domain.attempt(attempt)).toMatchObject({ carrier: 'two', hop: 2 });
  });

  it('is left alone when it went on meanwhile, is not ours, or is not wanted any more', () => {
    const { domain, session, attempt } = started();
    expect(domain.reroute(attempt, { owner: OWNER + 1 }).kind).toBe('not-owner');
    expect(domain.reroute(attempt, { tries: 7 }).kind).toBe('stale');
    expect(domain.reroute(attempt, { number: 2 }).kind).toBe('stale');
    expect(domain.reroute(attempt, { now: domain.session(session).expiresAt }).kind).toBe('stale');
    domain.accepted(attempt);
    expect(domain.reroute(attempt).kind).toBe('stale');
    expect(domain.attempt(attempt)).toMatchObject({ carrier: 'one', delivery: 'handed' });
  });
});

describe('what a carrier says that a message cost', () => {
  it('is on the hop, from the answer or from a receipt, the later one counting', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt, { cost: { amount: '0.0075', currency: 'USD' } });
    expect(domain.hop(attempt, 1).cost).toEqual({ amount: '0.0075', currency: 'USD' });
    domain.receipt(attempt, 'delivered');
    expect(domain.hop(attempt, 1).cost).toEqual({ amount: '0.0075', currency: 'USD' });
    domain.receipt(attempt, 'delivered', { cost: { amount: '0.015', currency: 'USD' } });
    expect(domain.hop(attempt, 1).cost).toEqual({ amount: '0.015', currency: 'USD' });
  });
});
