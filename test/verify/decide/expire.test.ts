import { describe, expect, it } from 'vitest';
import type { SessionId } from '#verify/model.js';
import { application, Domain, idOf, NOW, RECIPIENT, URL_OF_CUSTOMER } from '../domain.js';

const EXPIRY = 600_000;
const END = NOW + EXPIRY;

describe('expiring a session', () => {
  it('ends it and its being live once its time has passed, and not a millisecond before', () => {
    const domain = new Domain();
    const { session } = domain.start();
    expect(domain.expire(session, END - 1).kind).toBe('stale');
    expect(domain.session(session).status).toBe('in-progress');
    expect(domain.expire(session, END).kind).toBe('recorded');
    expect(domain.session(session)).toMatchObject({ status: 'expired', updatedAt: END });
    expect(domain.rows.live(application().uuid, RECIPIENT)).toBeUndefined();
  });

  it('by force ends one whose time has not passed', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER });
    expect(domain.expire(session, NOW, true).kind).toBe('recorded');
    expect(domain.session(session).status).toBe('expired');
    expect(domain.bodies(attempt).at(-1)?.SessionStatus).toBe('expired');
  });

  it('happens once', () => {
    const domain = new Domain();
    const { session } = domain.start({ url: URL_OF_CUSTOMER });
    domain.expire(session, END);
    expect(domain.expire(session, END).kind).toBe('stale');
    expect(domain.expire(session, END, true).kind).toBe('stale');
    expect(domain.effects).toEqual([]);
  });

  it('never touches a verified session, even by force', () => {
    const domain = new Domain();
    const { session } = domain.start();
    domain.validate(session, domain.code(session));
    expect(domain.expire(session, END, true).kind).toBe('stale');
    expect(domain.session(session).status).toBe('verified');
  });

  it('is unknown of a session that does not exist', () => {
    expect(new Domain().expire(idOf<SessionId>(99), END).kind).toBe('unknown');
  });

  it('leaves the live row of the session that followed', () => {
    const domain = new Domain();
    const first = domain.start();
    const second = domain.start({ now: END });
    domain.expire(first.session, END);
    expect(domain.rows.live(application().uuid, RECIPIENT)?.session).toBe(second.session);
  });
});

describe('the attempts of an expired session', () => {
  it('fail when no carrier took them, with the error of the last try if there was one', () => {
    const domain = new Domain();
    const first = domain.start();
    domain.failed(first.attempt, {
      errorCode: 80,
      next: { kind: 'retry', carrier: 'one', at: END, sameHop: true },
    });
    const second = domain.start();
    const third = domain.start({ channel: 'voice' });
    domain.expire(first.session, END);
    expect(domain.attempt(first.attempt)).toMatchObject({
      status: 'failed',
      errorCode: 80,
      delivery: 'done',
    });
    expect(domain.attempt(second.attempt)).toMatchObject({ status: 'failed', errorCode: 20 });
    expect(domain.attempt(third.attempt)).toMatchObject({ status: 'failed', errorCode: 5000 });
    expect(domain.effectKinds).toEqual(['drop', 'drop', 'drop']);
  });

  it('stay as they are when a carrier has them: its receipt may still come', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start();
    domain.accepted(attempt);
    domain.expire(session, END);
    expect(domain.attempt(attempt)).toMatchObject({ status: 'sent', delivery: 'handed' });
    domain.receipt(attempt, 'delivered');
    expect(domain.attempt(attempt).status).toBe('delivered');
    expect(domain.session(session).status).toBe('expired');
  });
});

describe('the expiry callback', () => {
  it('comes once, last, and names the last attempt', () => {
    const domain = new Domain();
    const first = domain.start({ url: URL_OF_CUSTOMER });
    domain.accepted(first.attempt);
    const second = domain.start();
    domain.accepted(second.attempt);
    domain.receipt(second.attempt, 'delivered');
    domain.expire(first.session, END);
    expect(domain.bodies(first.attempt).map((body) => body.SessionStatus)).not.toContain('expired');
    const ofSecond = domain.bodies(second.attempt);
    expect(ofSecond.map((body) => body.SessionStatus)).toEqual([
      'in-progress',
      'in-progress',
      'in-progress',
      'expired',
    ]);
    expect(ofSecond.at(-1)).toMatchObject({
      AttemptUUID: second.attempt,
      AttemptSequence: '2',
      ChannelStatus: 'delivered',
    });
  });

  it('says in one that an attempt failed which no carrier took', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER });
    domain.expire(session, END);
    expect(domain.bodies(attempt)).toEqual([
      expect.objectContaining({ SessionStatus: 'in-progress', ChannelStatus: 'queued' }),
      expect.objectContaining({ SessionStatus: 'expired', ChannelStatus: 'failed', ChannelErrorCode: '20' }),
    ]);
    expect(domain.callbacks(attempt).map(({ state }) => state)).toEqual(['ready', 'held']);
  });

  it('comes for a call that a carrier took and that never rang, with an empty channel status', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start({ url: URL_OF_CUSTOMER, channel: 'voice' });
    domain.accepted(attempt);
    domain.expire(session, END);
    expect(domain.bodies(attempt)).toEqual([
      expect.objectContaining({ SessionStatus: 'expired', Channel: 'voice', ChannelStatus: '' }),
    ]);
    expect(domain.effectKinds).toEqual(['callback']);
  });

  it('is none without a URL', () => {
    const domain = new Domain();
    const { session, attempt } = domain.start();
    domain.expire(session, END);
    expect(domain.attempt(attempt).callbacksMade).toBe(0);
    expect(domain.effectKinds).toEqual(['drop']);
  });
});
