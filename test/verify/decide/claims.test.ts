import { describe, expect, it } from 'vitest';
import { Domain, NOW, OWNER, URL_OF_CUSTOMER } from '../domain.js';

function started() {
  const domain = new Domain();
  const { session, attempt } = domain.start({ channel: 'voice', url: URL_OF_CUSTOMER });
  return { domain, session, attempt };
}

describe('a status of a call that is under way', () => {
  it('is shown and called back, and the attempt stays to be delivered', () => {
    const { domain, attempt } = started();
    expect(domain.receipt(attempt, 'ringing', { underWay: true }).kind).toBe('recorded');
    expect(domain.receipt(attempt, 'in-progress', { underWay: true }).kind).toBe('recorded');
    expect(domain.attempt(attempt)).toMatchObject({
      status: 'in-progress',
      delivery: 'pending',
      taken: false,
      hop: 1,
    });
    expect(domain.calledBack(attempt)).toEqual(['ringing', 'in-progress']);
    expect(domain.rows.hop(attempt, 1)).toBeUndefined();
  });

  it('ends nothing, and is stale once another hop is being tried', () => {
    const { domain, attempt } = started();
    expect(domain.receipt(attempt, 'completed', { underWay: true }).kind).toBe('stale');
    domain.failed(attempt, { next: { kind: 'retry', carrier: 'one', at: NOW, sameHop: false } });
    expect(domain.receipt(attempt, 'ringing', { underWay: true }).kind).toBe('stale');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'pending', hop: 2 });
  });
});

describe('a claim', () => {
  it('is the mark that an attempt is brought: nobody tries it again', () => {
    const { domain, attempt } = started();
    expect(domain.accepted(attempt, { claim: true, messageId: null }).kind).toBe('recorded');
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'handed', taken: true });
    expect(domain.failed(attempt, {}).kind).toBe('stale');
    domain.receipt(attempt, 'completed', { duration: 21 });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'completed', delivery: 'done', duration: 21 });
  });

  it('is refused to a node that does not own the attempt', () => {
    const { domain, attempt } = started();
    expect(domain.accepted(attempt, { claim: true, owner: OWNER + 1 }).kind).toBe('not-owner');
    expect(domain.attempt(attempt).delivery).toBe('pending');
  });

  it('is refused a second time, on a hop that was left, and after the session', () => {
    const twice = started();
    twice.domain.accepted(twice.attempt, { claim: true });
    expect(twice.domain.accepted(twice.attempt, { claim: true }).kind).toBe('stale');

    const left = started();
    left.domain.failed(left.attempt, { next: { kind: 'retry', carrier: 'two', at: NOW, sameHop: false } });
    expect(left.domain.accepted(left.attempt, { claim: true }).kind).toBe('stale');

    const late = started();
    expect(late.domain.accepted(late.attempt, { claim: true, now: NOW + 3_600_000 }).kind).toBe('stale');
    expect(late.domain.attempt(late.attempt).delivery).toBe('pending');
  });
});

it('a call that was not answered ends with the status that says so', () => {
  const { domain, attempt } = started();
  domain.failed(attempt, { errorCode: 3010, status: 'busy', next: { kind: 'fail' } });
  expect(domain.attempt(attempt)).toMatchObject({ status: 'busy', errorCode: 3010, delivery: 'done' });
  expect(domain.calledBack(attempt)).toEqual(['busy']);
});
