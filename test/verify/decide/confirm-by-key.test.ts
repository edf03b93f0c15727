import { describe, expect, it } from 'vitest';
import { chargesOf } from '#verify/charges.js';
import { application, Domain, MINUTE, NOW, OWNER, RECIPIENT, URL_OF_CUSTOMER } from '../domain.js';

const CONFIRMING = application({ confirmByKey: true });
const LATER = NOW + 5_000;

/** A session whose first attempt is a call that asks to press 1. */
function called(changes: Parameters<Domain['start']>[0] = {}) {
  const domain = new Domain();
  const started = domain.start({
    application: CONFIRMING,
    channel: 'voice',
    url: URL_OF_CUSTOMER,
    ...changes,
  });
  return { domain, ...started };
}

const lastOf = (domain: Domain, attempt: Parameters<Domain['bodies']>[0]) => domain.bodies(attempt).at(-1);

describe('an application that confirms by key', () => {
  it('has its calls ask for it, and its messages bring the code as ever', () => {
    const { domain, attempt } = called();
    expect(domain.attempt(attempt).confirmByKey).toBe(true);
    expect(domain.effects).toMatchObject([{ kind: 'deliver', delivery: { confirmByKey: true } }]);
    const sms = domain.start({ application: CONFIRMING, channel: 'sms' });
    expect(sms.isNew).toBe(false);
    expect(domain.attempt(sms.attempt).confirmByKey).toBe(false);
  });

  it('settles with each attempt how that is confirmed: a change of the application does not change it', () => {
    const { domain, attempt } = called();
    const second = domain.start({ application: application(), channel: 'voice' });
    expect([attempt, second.attempt].map((uuid) => domain.attempt(uuid).confirmByKey)).toEqual([true, false]);
  });
});

describe('the claim of a call that asks to press 1', () => {
  it('verifies the session and completes the attempt in one, and one callback says both', () => {
    const { domain, session, attempt } = called();
    domain.receipt(attempt, 'ringing', { underWay: true });
    domain.receipt(attempt, 'in-progress', { underWay: true });
    const outcome = domain.accepted(attempt, { claim: true, now: LATER });
    expect(outcome).toEqual({ kind: 'recorded', status: 'completed', channel: 'voice', verified: true });
    expect(domain.session(session)).toMatchObject({ status: 'verified', validations: 0, updatedAt: LATER });
    expect(domain.attempt(attempt)).toMatchObject({ status: 'completed', delivery: 'done', taken: true });
    expect(domain.hop(attempt, 1)).toMatchObject({ state: 'delivered', carrier: 'one' });
    expect(
      domain.bodies(attempt).map(({ ChannelStatus, SessionStatus }) => [ChannelStatus, SessionStatus]),
    ).toEqual([
      ['ringing', 'in-progress'],
      ['in-progress', 'in-progress'],
      ['completed', 'verified'],
    ]);
  });

  it('ends the session: its code is refused, other attempts are dropped, and a create starts another', () => {
    const { domain, session, attempt } = called();
    const sms = domain.start({ application: CONFIRMING });
    const code = domain.code(session);
    domain.accepted(attempt, { claim: true });
    expect(domain.effects).toContainEqual({ kind: 'drop', attempt: sms.attempt });
    expect(domain.attempt(sms.attempt).delivery).toBe('done');
    expect(domain.rows.live(CONFIRMING.uuid, RECIPIENT)).toBeUndefined();
    expect(domain.validate(session, code)).toBe('already-verified');
    expect(domain.start({ application: CONFIRMING }).isNew).toBe(true);
  });

  it('counts once: whoever comes second changes nothing', () => {
    const { domain, session, attempt } = called();
    domain.accepted(attempt, { claim: true });
    const before = domain.session(session);
    expect(domain.accepted(attempt, { claim: true, now: LATER }).kind).toBe('stale');
    expect(domain.receipt(attempt, 'completed', { confirmed: true, now: LATER })).not.toHaveProperty(
      'verified',
    );
    expect(domain.session(session)).toEqual(before);
    expect(domain.attempt(attempt).callbacksMade).toBe(3);
  });

  it.each([
    ['another node has taken the call over', { claim: true, owner: OWNER + 1 }, 'not-owner'],
    ['the session has expired', { claim: true, now: NOW + 10 * MINUTE }, 'stale'],
    ['the attempt has gone on to another hop', { claim: true, number: 2 }, 'stale'],
  ] as const)('verifies nothing when %s', (_, changes, kind) => {
    const { domain, session, attempt } = called();
    expect(domain.accepted(attempt, changes).kind).toBe(kind);
    expect(domain.session(session).status).toBe('in-progress');
    expect(domain.attempt(attempt).status).toBe('queued');
  });

  it('verifies nothing when the code was typed meanwhile', () => {
    const { domain, session, attempt } = called();
    expect(domain.validate(session, domain.code(session))).toBe('validated');
    expect(domain.accepted(attempt, { claim: true }).kind).toBe('stale');
  });

  it('of a call that speaks the code only marks it', () => {
    const { domain, session, attempt } = called({ application: application() });
    expect(domain.accepted(attempt, { claim: true })).not.toHaveProperty('verified');
    expect(domain.session(session).status).toBe('in-progress');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'handed' });
  });

  it('is followed by the end of the call, which adds its duration and calls nobody back', () => {
    const { domain, session, attempt } = called({
      price: { price: 100, increment: 60 },
      validationPrice: 7,
    });
    domain.accepted(attempt, { claim: true });
    const charges = () => chargesOf(domain.session(session), [domain.attempt(attempt)]);
    expect(charges()).toMatchObject({ total: 107n, validation: 7n, attempts: [100n] });
    expect(domain.receipt(attempt, 'completed', { duration: 61 }).kind).toBe('recorded');
    expect(domain.attempt(attempt)).toMatchObject({ duration: 61, callbacksMade: 3 });
    expect(charges()).toMatchObject({ total: 207n, attempts: [200n] });
  });
});

describe('a carrier that reports that the key was pressed', () => {
  it('verifies the session, before or after it said that it has the call', () => {
    for (const first of [true, false]) {
      const { domain, session, attempt } = called();
      if (first) domain.accepted(attempt, { status: 'in-progress' });
      const outcome = domain.receipt(attempt, 'completed', { confirmed: true, duration: 9 });
      expect(outcome).toMatchObject({ kind: 'recorded', verified: true, attempt });
      expect(domain.effectKinds.includes('drop')).toBe(!first);
      if (!first) domain.accepted(attempt);
      expect(domain.session(session).status).toBe('verified');
      expect(domain.attempt(attempt)).toMatchObject({ status: 'completed', delivery: 'done', duration: 9 });
      expect(lastOf(domain, attempt)).toMatchObject({
        ChannelStatus: 'completed',
        SessionStatus: 'verified',
      });
    }
  });

  it('has that called back even when it had said before that the call was over', () => {
    const { domain, session, attempt } = called();
    domain.receipt(attempt, 'completed', { duration: 9 });
    expect(domain.session(session).status).toBe('in-progress');
    expect(domain.receipt(attempt, 'completed', { confirmed: true })).toHaveProperty('verified', true);
    expect(
      domain
        .bodies(attempt)
        .slice(-2)
        .map(({ SessionStatus }) => SessionStatus),
    ).toEqual(['in-progress', 'verified']);
  });

  it.each([
    ['the call did not ask for it', application(), 'completed', NOW],
    ['the call did not come about', CONFIRMING, 'failed', NOW],
    ['the session has expired', CONFIRMING, 'completed', NOW + 10 * MINUTE],
  ] as const)('verifies nothing when %s', (_, of, status, now) => {
    const { domain, session, attempt } = called({ application: of });
    expect(domain.receipt(attempt, status, { confirmed: true, now })).not.toHaveProperty('verified');
    expect(domain.session(session).status).toBe('in-progress');
  });
});

it('a session without a URL is verified without a callback', () => {
  const { domain, session, attempt } = called({ url: null });
  domain.accepted(attempt, { claim: true });
  expect(domain.session(session).status).toBe('verified');
  expect(domain.attempt(attempt).callbacksMade).toBe(0);
});
