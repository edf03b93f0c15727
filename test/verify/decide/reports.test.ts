import { describe, expect, it } from 'vitest';
import type { AttemptId } from '#verify/model.js';
import { Domain, idOf, MINUTE, NOW, OWNER, URL_OF_CUSTOMER } from '../domain.js';

const EXPIRY = 600_000;
const ANOTHER_OWNER = OWNER + 1;

function started(channel: 'sms' | 'voice' = 'sms') {
  const domain = new Domain();
  const { session, attempt } = domain.start({ channel, url: URL_OF_CUSTOMER });
  return { domain, session, attempt };
}

/** An attempt that carrier `one` could not take and that waits for carrier `two`. */
function onSecondHop() {
  const { domain, session, attempt } = started();
  domain.failed(attempt, { next: { kind: 'retry', carrier: 'two', at: NOW, sameHop: false } });
  return { domain, session, attempt };
}

describe('a carrier that takes an attempt', () => {
  it('has it from then on: an SMS is sent, the hop keeps the message id', () => {
    const { domain, attempt } = started();
    expect(domain.accepted(attempt)).toEqual({ kind: 'recorded', status: 'sent', channel: 'sms' });
    expect(domain.attempt(attempt)).toMatchObject({
      status: 'sent',
      delivery: 'handed',
      carrier: 'one',
      tries: 1,
    });
    expect(domain.hop(attempt, 1)).toMatchObject({
      carrier: 'one',
      messageId: 'message-1',
      state: 'accepted',
      reason: null,
    });
    expect(domain.calledBack(attempt)).toEqual(['queued', 'sent']);
  });

  it('says nothing yet about a call', () => {
    const { domain, attempt } = started('voice');
    domain.accepted(attempt);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'handed' });
    expect(domain.calledBack(attempt)).toEqual([]);
  });

  it('is recorded whoever learns it: a fact needs no ownership', () => {
    const { domain, attempt } = started();
    expect(domain.accepted(attempt, { owner: ANOTHER_OWNER }).kind).toBe('recorded');
    expect(domain.attempt(attempt).delivery).toBe('handed');
  });

  it('may say so twice without a second callback, and keeps the id it told first when it tells none', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    domain.accepted(attempt, { messageId: null });
    expect(domain.hop(attempt, 1).messageId).toBe('message-1');
    expect(domain.attempt(attempt).callbacksMade).toBe(2);
  });

  it('does not take back what was delivered when its answer comes after the receipt', () => {
    const { domain, attempt } = started();
    domain.receipt(attempt, 'delivered');
    domain.accepted(attempt);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', delivery: 'done' });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'delivered', messageId: 'message-1' });
  });

  it('after the attempt went on to another carrier does not stop that one', () => {
    const { domain, attempt } = onSecondHop();
    domain.accepted(attempt, { number: 1 });
    expect(domain.hop(attempt, 1).state).toBe('accepted');
    expect(domain.attempt(attempt)).toMatchObject({
      delivery: 'pending',
      hop: 2,
      carrier: 'two',
      status: 'sent',
    });
  });

  it('is unknown of an attempt that does not exist', () => {
    expect(new Domain().accepted(idOf<AttemptId>(99)).kind).toBe('unknown');
  });
});

describe('a try that did not succeed', () => {
  it('waits for its next try on the same hop, without an effect until it is due', () => {
    const { domain, attempt } = started();
    const next = { kind: 'retry', carrier: 'one', at: NOW + MINUTE, sameHop: true } as const;
    expect(domain.failed(attempt, { next })).toEqual({ kind: 'recorded', status: 'queued', channel: 'sms' });
    expect(domain.attempt(attempt)).toMatchObject({
      hop: 1,
      tries: 1,
      nextAt: NOW + MINUTE,
      delivery: 'pending',
    });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'retrying', errorCode: 20, reason: 'no answer' });
    expect(domain.effects).toEqual([]);
  });

  it('goes on at once on the next carrier, as the next hop', () => {
    const { domain, attempt } = onSecondHop();
    expect(domain.attempt(attempt)).toMatchObject({ hop: 2, carrier: 'two', tries: 1, delivery: 'pending' });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'failed', carrier: 'one' });
    expect(domain.effects).toEqual([
      { kind: 'deliver', delivery: expect.objectContaining({ attempt, hop: 2, carrier: 'two', tries: 1 }) },
    ]);
  });

  it('for good fails the attempt with the carrier’s error code', () => {
    const { domain, attempt } = started();
    expect(domain.failed(attempt, { errorCode: 50 }).status).toBe('failed');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', errorCode: 50, delivery: 'done' });
    expect(domain.hop(attempt, 1).state).toBe('failed');
    expect(domain.bodies(attempt).at(-1)).toMatchObject({ ChannelStatus: 'failed', ChannelErrorCode: '50' });
  });

  it('leaves no error code on an attempt that another try delivers', () => {
    const { domain, attempt } = onSecondHop();
    domain.accepted(attempt, { number: 2, carrier: 'two' });
    expect(domain.attempt(attempt).errorCode).toBeNull();
    expect(domain.bodies(attempt).at(-1)).toMatchObject({ ChannelStatus: 'sent', ChannelErrorCode: '' });
  });

  it('is stale on a hop that a carrier has: the answer came from a second submit of it', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    expect(domain.failed(attempt).kind).toBe('stale');
    expect(domain.hop(attempt, 1).state).toBe('accepted');
    expect(domain.attempt(attempt).status).toBe('sent');
  });

  it('of a session whose time has passed is not tried again', () => {
    const { domain, attempt } = started();
    const next = { kind: 'retry', carrier: 'one', at: NOW + EXPIRY + 1, sameHop: true } as const;
    domain.failed(attempt, { now: NOW + EXPIRY, next });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', delivery: 'done' });
    expect(domain.hop(attempt, 1).state).toBe('failed');
  });

  it('of a verified session is not tried again', () => {
    const { domain, session, attempt } = started();
    domain.validate(session, domain.code(session));
    const next = { kind: 'retry', carrier: 'one', at: NOW, sameHop: true } as const;
    expect(domain.failed(attempt, { next })).toMatchObject({ kind: 'recorded', status: 'failed' });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'failed', errorCode: 20, delivery: 'done' });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'failed', reason: 'no answer' });
  });
});

describe('a node that no longer owns an attempt', () => {
  it('has its failure recorded and its intention refused', () => {
    const { domain, attempt } = started();
    const before = domain.attempt(attempt);
    expect(domain.failed(attempt, { owner: ANOTHER_OWNER }).kind).toBe('not-owner');
    expect(domain.attempt(attempt)).toBe(before);
    expect(domain.hop(attempt, 1)).toMatchObject({ errorCode: 20, reason: 'no answer' });
  });

  it('leaves the owner free to fail or to go on after it', () => {
    for (const next of [
      { kind: 'fail' },
      { kind: 'retry', carrier: 'two', at: NOW, sameHop: false },
    ] as const) {
      const { domain, attempt } = started();
      domain.failed(attempt, { owner: ANOTHER_OWNER });
      expect(domain.failed(attempt, { next }).kind).toBe('recorded');
      expect(domain.attempt(attempt)).toMatchObject(
        next.kind === 'fail' ? { status: 'failed', delivery: 'done' } : { hop: 2, carrier: 'two' },
      );
    }
  });

  it('cannot give up', () => {
    const { domain, attempt } = started();
    expect(domain.giveUp(attempt, ANOTHER_OWNER).kind).toBe('not-owner');
    expect(domain.attempt(attempt).delivery).toBe('pending');
  });
});

describe('giving up', () => {
  it('fails an attempt that waits', () => {
    const { domain, attempt } = started();
    expect(domain.giveUp(attempt)).toEqual({ kind: 'recorded', status: 'failed', channel: 'sms' });
    expect(domain.attempt(attempt)).toMatchObject({ delivery: 'done', errorCode: 20 });
  });

  it('is stale on an attempt that a carrier has', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    expect(domain.giveUp(attempt)).toEqual({ kind: 'stale', status: 'sent', channel: 'sms' });
    expect(domain.giveUp(idOf<AttemptId>(99)).kind).toBe('unknown');
  });
});

describe('a receipt', () => {
  it('moves the attempt forward and calls back every step that was never reported', () => {
    const { domain, attempt } = started('voice');
    domain.accepted(attempt);
    expect(domain.receipt(attempt, 'completed').kind).toBe('recorded');
    expect(domain.calledBack(attempt)).toEqual(['ringing', 'in-progress', 'completed']);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'completed', delivery: 'done' });
    expect(domain.hop(attempt, 1).state).toBe('delivered');
  });

  it('carries its error code on a failure only', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    domain.receipt(attempt, 'undelivered', { errorCode: 70 });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'undelivered', errorCode: 70 });
    domain.receipt(attempt, 'delivered', { errorCode: 70 });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', errorCode: null });
    expect(domain.bodies(attempt).map((body) => body.ChannelErrorCode)).toEqual(['', '', '70', '']);
  });

  it('repeated or late changes nothing and calls nothing back', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    domain.receipt(attempt, 'delivered');
    const made = domain.attempt(attempt).callbacksMade;
    for (const status of ['delivered', 'sent', 'queued', 'undelivered', 'failed'] as const) {
      domain.receipt(attempt, status);
      expect(domain.effects).toEqual([]);
    }
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', callbacksMade: made });
    expect(domain.hop(attempt, 1).state).toBe('delivered');
  });

  it('finds its hop by carrier and message id', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt, { messageId: 'abc' });
    const by = { kind: 'message', messageId: 'abc' } as const;
    expect(domain.receipt(attempt, 'delivered', { by, carrier: 'two' }).kind).toBe('unknown');
    expect(domain.receipt(attempt, 'delivered', { by: { ...by, messageId: 'abd' } }).kind).toBe('unknown');
    expect(domain.receipt(attempt, 'delivered', { by }).status).toBe('delivered');
  });

  it('by a message id that the carrier used again means the newest hop', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt, { messageId: 'abc' });
    const later = domain.start();
    domain.accepted(later.attempt, { messageId: 'abc', now: NOW + 1 });
    domain.receipt(attempt, 'delivered', { by: { kind: 'message', messageId: 'abc' }, now: NOW + 2 });
    expect(domain.attempt(later.attempt).status).toBe('delivered');
    expect(domain.attempt(attempt).status).toBe('sent');
  });

  it('by a message id is believed for 72 hours', () => {
    const by = { kind: 'message', messageId: 'abc' } as const;
    const receiptAfter = (hours: number, extra: number) => {
      const { domain, attempt } = started();
      domain.accepted(attempt, { messageId: 'abc' });
      return domain.receipt(attempt, 'delivered', { by, now: NOW + hours * 60 * MINUTE + extra }).kind;
    };
    expect(receiptAfter(72, 0)).toBe('recorded');
    expect(receiptAfter(72, 1)).toBe('unknown');
  });

  it('of a hop that no one recorded yet hands it to the carrier, and its submit is not repeated', () => {
    const { domain, attempt } = started();
    expect(domain.receipt(attempt, 'sent').kind).toBe('recorded');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'sent', delivery: 'handed' });
    expect(domain.effects).toContainEqual({ kind: 'drop', attempt });
  });

  it('of a hop that was never tried, or from a carrier that does not have it, is unknown', () => {
    const { domain, attempt } = started();
    expect(domain.receipt(attempt, 'delivered', {}, 2).kind).toBe('unknown');
    domain.accepted(attempt);
    expect(domain.receipt(attempt, 'delivered', { carrier: 'two' }).kind).toBe('unknown');
    expect(domain.receipt(idOf<AttemptId>(99), 'delivered').kind).toBe('unknown');
    expect(domain.attempt(attempt).status).toBe('sent');
  });

  it('comes from whichever carrier tries the hop: one that is down is passed over in memory', () => {
    for (const tried of [false, true]) {
      const { domain, attempt } = started();
      const next = { kind: 'retry', carrier: 'one', at: NOW + MINUTE, sameHop: true } as const;
      if (tried) domain.failed(attempt, { next });
      expect(domain.receipt(attempt, 'delivered', { carrier: 'two' }).kind).toBe('recorded');
      expect(domain.hop(attempt, 1)).toMatchObject({ carrier: 'two', state: 'delivered' });
    }
  });

  it('with a status that the channel does not have is stale', () => {
    const { domain, attempt } = started();
    domain.accepted(attempt);
    expect(domain.receipt(attempt, 'completed').kind).toBe('stale');
    expect(domain.attempt(attempt).status).toBe('sent');
  });

  it('says delivered of any hop: the attempt is delivered and the other carrier is not asked', () => {
    const { domain, attempt } = onSecondHop();
    domain.receipt(attempt, 'delivered');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', delivery: 'done' });
    expect(domain.effects).toContainEqual({ kind: 'drop', attempt });
  });

  it('that hop 1 did not deliver never fails an attempt that hop 2 is delivering', () => {
    const { domain, attempt } = onSecondHop();
    for (const status of ['undelivered', 'failed'] as const) {
      expect(domain.receipt(attempt, status, { errorCode: 70 }).kind).toBe('stale');
    }
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'pending', hop: 2 });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'undelivered', errorCode: 70 });
    domain.accepted(attempt, { number: 2, carrier: 'two' });
    domain.receipt(attempt, 'delivered', { carrier: 'two' }, 2);
    expect(domain.attempt(attempt).status).toBe('delivered');
  });

  it('that a late hop delivered turns a failed attempt into a delivered one', () => {
    const { domain, attempt } = started();
    domain.failed(attempt);
    domain.receipt(attempt, 'delivered');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'delivered', errorCode: null });
    expect(domain.calledBack(attempt)).toEqual(['queued', 'failed', 'delivered']);
  });

  it('after the session ended is still a fact, and calls back the status of the session then', () => {
    const { domain, session, attempt } = started();
    domain.accepted(attempt);
    domain.validate(session, domain.code(session));
    domain.receipt(attempt, 'delivered');
    expect(domain.bodies(attempt).at(-1)).toMatchObject({
      SessionStatus: 'verified',
      ChannelStatus: 'delivered',
    });
    expect(domain.session(session).status).toBe('verified');
  });
});
