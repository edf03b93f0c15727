import { describe, expect, it } from 'vitest';
import type { AttemptId } from '#verify/model.js';
import { Domain, idOf, MINUTE, NOW, OWNER, RECIPIENT, URL_OF_CUSTOMER } from '../domain.js';

const FAILURE = { ok: false, httpStatus: 500, reason: 'answered 500' } as const;

/** An SMS attempt whose callbacks queued, sent and delivered wait. */
function delivered() {
  const domain = new Domain();
  const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER });
  domain.accepted(attempt);
  domain.receipt(attempt, 'delivered');
  return { domain, session, attempt };
}

const states = (domain: Domain, attempt: AttemptId) => domain.callbacks(attempt).map(({ state }) => state);

describe('a callback', () => {
  it('carries every parameter of the contract, empty ones too', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER, brandName: 'Acme & Söhne' });
    expect(domain.bodies(attempt)).toEqual([
      {
        SessionUUID: session,
        SessionStatus: 'in-progress',
        AttemptUUID: attempt,
        AttemptSequence: '1',
        Channel: 'sms',
        ChannelStatus: 'queued',
        ChannelErrorCode: '',
        Recipient: RECIPIENT,
        RequestTime: '2026-01-31T08:52:39.363000Z',
        Locale: 'en',
        BrandName: 'Acme & Söhne',
        CodeLength: '6',
        AppHash: '',
      },
    ]);
    expect(domain.callback(attempt, 1)).toMatchObject({
      url: URL_OF_CUSTOMER,
      method: 'POST',
      host: 'customer.example:443',
      owner: OWNER,
      tries: 0,
      nextAt: NOW,
      state: 'ready',
    });
  });

  it.each([
    ['Acme Inc. v1_2-x', true],
    ['', true],
    ['Acme & Co', false],
    ['Söhne', false],
    ['a+b', false],
  ])('by GET with the brand name %j names it: %s', (brandName, named) => {
    const domain = new Domain();
    const { attempt } = domain.start({ url: URL_OF_CUSTOMER, method: 'GET', brandName });
    const [body] = domain.bodies(attempt);
    expect(body && 'BrandName' in body).toBe(named);
    expect(Object.keys(body ?? {})).toHaveLength(named ? 13 : 12);
  });

  it('keeps the content that it was made with, whatever happens after', () => {
    const { domain, session, attempt } = delivered();
    const before = domain.callback(attempt, 1).body;
    domain.start({ url: 'https://other.example/', method: 'GET' });
    domain.validate(session, domain.code(session));
    domain.called(attempt, 1, FAILURE);
    expect(domain.callback(attempt, 1)).toMatchObject({ body: before, url: URL_OF_CUSTOMER, method: 'POST' });
  });

  it('never holds the code', () => {
    const { domain, session, attempt } = delivered();
    for (const { body } of domain.callbacks(attempt)) expect(body).not.toContain(domain.code(session));
  });
});

describe('the callbacks of one attempt', () => {
  it('go out one after the other: a later one is held until the one before is settled', () => {
    const { domain, attempt } = delivered();
    expect(states(domain, attempt)).toEqual(['ready', 'held', 'held']);
    domain.called(attempt, 1, { now: NOW + 5 });
    expect(states(domain, attempt)).toEqual(['delivered', 'ready', 'held']);
    expect(domain.effects).toEqual([{ kind: 'callback', callback: domain.callback(attempt, 2) }]);
    expect(domain.callback(attempt, 2)).toMatchObject({ nextAt: NOW + 5, tries: 0 });
    domain.called(attempt, 2);
    domain.called(attempt, 3);
    expect(states(domain, attempt)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(domain.effects).toEqual([]);
    expect(domain.attempt(attempt)).toMatchObject({ callbacksMade: 3, callbacksSettled: 3 });
  });

  it('are ready at once when all earlier ones are settled', () => {
    const domain = new Domain();
    const { attempt } = domain.start({ url: URL_OF_CUSTOMER });
    domain.called(attempt, 1);
    domain.accepted(attempt);
    expect(states(domain, attempt)).toEqual(['delivered', 'ready']);
    expect(domain.effectKinds).toEqual(['callback']);
  });

  it('do not hold up those of another attempt', () => {
    const domain = new Domain();
    domain.start({ url: URL_OF_CUSTOMER });
    const second = domain.start();
    expect(states(domain, second.attempt)).toEqual(['ready']);
  });

  it('are released by the last failure too', () => {
    const { domain, attempt } = delivered();
    for (let i = 0; i < 4; i++) domain.called(attempt, 1, FAILURE);
    expect(states(domain, attempt)).toEqual(['failed', 'ready', 'held']);
  });

  it('pass to the node that settles the one before', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, { owner: OWNER + 1 });
    expect(domain.callback(attempt, 2)).toMatchObject({ state: 'ready', owner: OWNER + 1 });
  });
});

describe('a callback that fails', () => {
  it('is tried again after 60, 120 and 240 seconds, then no more', () => {
    const { domain, attempt } = delivered();
    for (const [tries, wait] of [
      [1, 60_000],
      [2, 120_000],
      [3, 240_000],
    ] as const) {
      expect(domain.called(attempt, 1, { ...FAILURE, now: NOW + tries }).kind).toBe('recorded');
      expect(domain.callback(attempt, 1)).toMatchObject({
        state: 'ready',
        tries,
        nextAt: NOW + tries + wait,
        httpStatus: 500,
        reason: 'answered 500',
      });
      expect(domain.effects).toEqual([]);
    }
    domain.called(attempt, 1, { ...FAILURE, now: NOW + 10 * MINUTE });
    expect(domain.callback(attempt, 1)).toMatchObject({ state: 'failed', tries: 4 });
    expect(domain.attempt(attempt).callbacksSettled).toBe(1);
  });

  it('once can still succeed', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, FAILURE);
    domain.called(attempt, 1);
    expect(domain.callback(attempt, 1)).toMatchObject({
      state: 'delivered',
      tries: 2,
      httpStatus: 200,
      reason: null,
    });
  });

  it('for good at once when trying again cannot help', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, { ...FAILURE, retriable: false, httpStatus: null, reason: 'private address' });
    expect(domain.callback(attempt, 1)).toMatchObject({
      state: 'failed',
      tries: 1,
      reason: 'private address',
    });
    expect(domain.callback(attempt, 2).state).toBe('ready');
  });

  it('is no longer the business of a node that does not own it; its success is', () => {
    const { domain, attempt } = delivered();
    const before = domain.callback(attempt, 1);
    expect(domain.called(attempt, 1, { ...FAILURE, owner: OWNER + 1 }).kind).toBe('not-owner');
    expect(domain.callback(attempt, 1)).toBe(before);
    expect(domain.called(attempt, 1, { owner: OWNER + 1 }).kind).toBe('recorded');
    expect(domain.callback(attempt, 1).state).toBe('delivered');
  });
});

describe('a report of a callback', () => {
  it('that is settled, or not its turn, is stale', () => {
    const { domain, attempt } = delivered();
    expect(domain.called(attempt, 2).kind).toBe('stale');
    domain.called(attempt, 1);
    expect(domain.called(attempt, 1).kind).toBe('stale');
    expect(domain.called(attempt, 1, FAILURE).kind).toBe('stale');
    expect(domain.attempt(attempt).callbacksSettled).toBe(1);
  });

  it('that does not exist is unknown', () => {
    const { domain, attempt } = delivered();
    expect(domain.called(attempt, 9).kind).toBe('unknown');
    expect(domain.called(idOf<AttemptId>(99), 1).kind).toBe('unknown');
  });
});
