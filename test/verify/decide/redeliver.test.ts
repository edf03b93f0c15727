import { describe, expect, it } from 'vitest';
import { MAX_CALLBACK_TRIES } from '#verify/callbacks.js';
import type { AccountId, AttemptId, SessionId } from '#verify/model.js';
import { callbackId, parseCallbackId } from '#verify/model.js';
import { ACCOUNT, Domain, idOf, NOW, OWNER, URL_OF_CUSTOMER } from '../domain.js';

const FAILURE = { ok: false, httpStatus: 500, reason: 'answered 500' } as const;
const GOOD = { ok: true, httpStatus: 200, reason: null } as const;

/** An SMS attempt whose callbacks queued, sent and delivered wait. */
function delivered() {
  const domain = new Domain();
  const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER });
  domain.accepted(attempt);
  domain.receipt(attempt, 'delivered');
  return { domain, session, attempt };
}

/** The same, and the first callback has failed for good. */
function failed() {
  const all = delivered();
  for (let tries = 0; tries < 4; tries++) all.domain.called(all.attempt, 1, FAILURE);
  return all;
}

describe('the log of a callback (§6)', () => {
  it('has a row for each try: when, what was answered, how long it took, and when the next is due', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, { ...FAILURE, now: NOW + 10, latency: 7 });
    domain.called(attempt, 1, {
      ...FAILURE,
      now: NOW + 60_020,
      httpStatus: null,
      reason: 'no answer',
      latency: 5_000,
    });
    domain.called(attempt, 1, { now: NOW + 180_030 });
    const entry = { attempt, sequence: 1, byHand: false };
    expect(domain.tries(attempt, 1)).toEqual([
      {
        ...entry,
        number: 1,
        at: NOW + 10,
        httpStatus: 500,
        reason: 'answered 500',
        latency: 7,
        nextAt: NOW + 60_010,
      },
      {
        ...entry,
        number: 2,
        at: NOW + 60_020,
        httpStatus: null,
        reason: 'no answer',
        latency: 5_000,
        nextAt: NOW + 180_020,
      },
      { ...entry, number: 3, at: NOW + 180_030, httpStatus: 200, reason: null, latency: 12, nextAt: null },
    ]);
    expect(domain.tries(attempt, 2)).toEqual([]);
  });

  it('tells that the last try has none after it, and one that cannot help neither', () => {
    const { domain, attempt } = failed();
    expect(domain.tries(attempt, 1).map(({ nextAt }) => nextAt !== null)).toEqual([true, true, true, false]);
    domain.called(attempt, 2, { ...FAILURE, retriable: false, httpStatus: null, latency: null });
    expect(domain.tries(attempt, 2)).toMatchObject([{ number: 1, nextAt: null, latency: null }]);
  });

  it('has no row for what is stale or not the owner’s', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, { ...FAILURE, owner: OWNER + 1 });
    domain.called(attempt, 2);
    expect([...domain.tries(attempt, 1), ...domain.tries(attempt, 2)]).toEqual([]);
  });
});

describe('a redelivery (§6)', () => {
  it('makes a failed callback due at once, by the node that was asked, with its content', () => {
    const { domain, attempt } = failed();
    const before = domain.callback(attempt, 1);
    expect(domain.redeliver(attempt, 1, { now: NOW + 5, owner: OWNER + 1 })).toEqual({ kind: 'accepted' });
    const due = {
      ...before,
      state: 'ready',
      owner: OWNER + 1,
      triesBefore: 4,
      triedAt: null,
      nextAt: NOW + 5,
      updatedAt: NOW + 5,
    };
    expect(domain.callback(attempt, 1)).toEqual(due);
    expect(domain.effects).toEqual([{ kind: 'callback', callback: due }]);
  });

  it('of a delivered callback works too', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1);
    expect(domain.redeliver(attempt, 1).kind).toBe('accepted');
    domain.called(attempt, 1);
    expect(domain.callback(attempt, 1)).toMatchObject({ state: 'delivered', tries: 2 });
    expect(domain.tries(attempt, 1).map(({ number, byHand }) => [number, byHand])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('that fails is tried again after 60, 120 and 240 seconds, then no more', () => {
    const { domain, attempt } = failed();
    domain.redeliver(attempt, 1);
    for (const wait of [60_000, 120_000, 240_000]) {
      domain.called(attempt, 1, FAILURE);
      expect(domain.callback(attempt, 1)).toMatchObject({ state: 'ready', nextAt: NOW + wait });
    }
    domain.called(attempt, 1, FAILURE);
    expect(domain.callback(attempt, 1)).toMatchObject({ state: 'failed', tries: 8, triesBefore: 4 });
    expect(domain.tries(attempt, 1).map(({ byHand }) => byHand)).toEqual([
      ...Array(4).fill(false),
      ...Array(4).fill(true),
    ]);
    expect(domain.redeliver(attempt, 1).kind).toBe('accepted');
  });

  it('neither holds back nor releases the later callbacks of its attempt', () => {
    const { domain, attempt } = failed();
    const states = () => domain.callbacks(attempt).map(({ state }) => state);
    domain.redeliver(attempt, 1);
    expect(states()).toEqual(['ready', 'ready', 'held']);
    domain.called(attempt, 1);
    expect(domain.effects).toEqual([]);
    expect(states()).toEqual(['delivered', 'ready', 'held']);
    expect(domain.attempt(attempt).callbacksSettled).toBe(1);
    domain.redeliver(attempt, 1);
    domain.called(attempt, 2);
    expect(states()).toEqual(['ready', 'delivered', 'ready']);
    domain.called(attempt, 3);
    domain.called(attempt, 1, { ...FAILURE, retriable: false });
    expect(states()).toEqual(['failed', 'delivered', 'delivered']);
    expect(domain.attempt(attempt)).toMatchObject({ callbacksMade: 3, callbacksSettled: 3 });
  });

  it('does not hold back a callback that is made while it is under way', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER });
    domain.called(attempt, 1);
    domain.redeliver(attempt, 1);
    domain.expire(session, NOW, true);
    expect(domain.callback(attempt, 2).state).toBe('ready');
    domain.called(attempt, 1);
    expect(domain.attempt(attempt)).toMatchObject({ callbacksMade: 2, callbacksSettled: 1 });
  });

  it('is refused while the callback is still tried, or waits for an earlier one', () => {
    const { domain, attempt } = delivered();
    domain.called(attempt, 1, FAILURE);
    expect(domain.redeliver(attempt, 1)).toEqual({
      kind: 'unsettled',
      state: 'ready',
      nextAt: NOW + 60_000,
    });
    expect(domain.redeliver(attempt, 2)).toMatchObject({ kind: 'unsettled', state: 'held' });
    domain.called(attempt, 1);
    domain.redeliver(attempt, 1);
    const before = domain.callback(attempt, 1);
    expect(domain.redeliver(attempt, 1, { now: NOW + 9 })).toMatchObject({ kind: 'unsettled', nextAt: NOW });
    expect(domain.callback(attempt, 1)).toBe(before);
    expect(domain.effects).toEqual([]);
  });

  it('is not settled by a late result of the tries before it', () => {
    const { domain, attempt } = failed();
    domain.redeliver(attempt, 1, { owner: OWNER + 1 });
    for (const late of [GOOD, FAILURE]) {
      expect(domain.called(attempt, 1, { ...late, triesBefore: 0 }).kind).toBe('stale');
    }
    expect(domain.callback(attempt, 1)).toMatchObject({ state: 'ready', tries: 4 });
    expect(domain.called(attempt, 1, { owner: OWNER + 1 }).kind).toBe('recorded');
  });

  it('ends when a callback has been tried a hundred times', () => {
    const { domain, attempt } = failed();
    for (let tries = 4; tries < MAX_CALLBACK_TRIES; tries++) {
      expect(domain.redeliver(attempt, 1).kind).toBe('accepted');
      domain.called(attempt, 1);
    }
    expect(domain.callback(attempt, 1).tries).toBe(100);
    expect(domain.redeliver(attempt, 1)).toEqual({ kind: 'exhausted' });
  });

  it('is the business of the session’s account and its main account alone', () => {
    const sub = 'SAAAAAAAAAAAAAAAAAAA' as AccountId;
    const domain = new Domain();
    const template = domain.startCommand().application;
    const { attempt, session } = domain.start({
      url: URL_OF_CUSTOMER,
      application: { ...template, account: sub },
    });
    domain.called(attempt, 1);
    const other = 'MABBBBBBBBBBBBBBBBBB' as AccountId;
    expect(domain.redeliver(attempt, 1, { account: other }).kind).toBe('not-found');
    expect(domain.redeliver(attempt, 1, { session: idOf<SessionId>(77, 1) }).kind).toBe('not-found');
    expect(domain.redeliver(attempt, 9).kind).toBe('not-found');
    expect(domain.redeliver(idOf<AttemptId>(88, 2), 1, { session }).kind).toBe('not-found');
    for (const account of [sub, ACCOUNT]) {
      expect(domain.redeliver(attempt, 1, { account }).kind).toBe('accepted');
      domain.called(attempt, 1);
    }
  });
});

describe('the id of a callback', () => {
  const attempt = idOf<AttemptId>(1, 2);

  it('names attempt and sequence', () => {
    expect(callbackId(attempt, 12)).toBe(`${attempt}.12`);
    expect(parseCallbackId(`${attempt}.12`)).toEqual({ attempt, sequence: 12 });
  });

  it.each([
    '',
    attempt,
    `${attempt}.`,
    `${attempt}.0`,
    `${attempt}.01`,
    `${attempt}.1.1`,
    `${attempt}.-1`,
    `${attempt}.12345`,
    `${attempt}.1 `,
    `${attempt}.1\n`,
    `x${attempt}.1`,
    `${attempt.slice(1)}.1`,
  ])('is not %j', (text) => {
    expect(parseCallbackId(text)).toBeNull();
  });
});
