import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { chargesOf, MAX_CALL_SECONDS } from '#verify/charges.js';
import type { StartAttempt } from '#verify/commands.js';
import { type AttemptStatus, CHANNELS, type SessionStatus } from '#verify/model.js';
import { application, Domain, MINUTE, NOW } from './domain.js';

/** Amounts of one. */
const SMS = { price: { price: 1, increment: null } } as const;
const VOICE = { channel: 'voice', price: { price: 1, increment: 60 } } as const;
const PLACEHOLDERS = '$' + '{brand_name}$' + '{code}';

function charge(domain: Domain, attempt: Parameters<Domain['attempt']>[0]): bigint {
  const row = domain.attempt(attempt);
  return chargesOf(domain.session(row.session), [row]).attempts[0]!;
}

/** A domain with one attempt, and what it is charged. */
function attempted(changes: Partial<StartAttempt>) {
  const domain = new Domain();
  const { session, attempt } = domain.start(changes);
  return { domain, session, attempt, charged: () => Number(charge(domain, attempt)) };
}

describe('the charge of an SMS', () => {
  // The code is six digits; the brand four letters.
  test.each([
    [1, 'a', 160],
    [2, 'a', 161],
    [2, 'a', 306],
    [3, 'a', 307],
    [1, 'щ', 70],
    [2, 'щ', 71],
    [2, 'щ', 134],
    [3, 'щ', 135],
  ])('is that of %d segments for %s to the length of %d', (segments, letter, length) => {
    const template = letter.repeat(length - 10) + PLACEHOLDERS;
    const { domain, attempt, charged } = attempted({ ...SMS, application: application({ template }) });
    expect(domain.attempt(attempt).segments).toBe(segments);
    expect(charged()).toBe(0);
    domain.accepted(attempt);
    expect(charged()).toBe(segments);
  });

  it('is that of the text as it is sent: with its last line, and in GSM-7 where typography alone is not', () => {
    const lines = { template: `${'a'.repeat(140)}“${PLACEHOLDERS}”` };
    const plain = attempted({ ...SMS, application: application(lines) });
    expect(plain.domain.attempt(plain.attempt).segments).toBe(1);
    const bound = attempted({ ...SMS, application: application({ ...lines, domain: 'acme.example' }) });
    expect(bound.domain.attempt(bound.attempt).segments).toBe(2);
  });

  it('counts a caller-chosen code by its own length', () => {
    const template = 'a'.repeat(150) + PLACEHOLDERS;
    const { domain, attempt } = attempted({ ...SMS, application: application({ template }) });
    const again = domain.start({ ...SMS, application: application({ template }), otp: '1234567' });
    expect([attempt, again.attempt].map((each) => domain.attempt(each).segments)).toEqual([1, 2]);
  });

  it('is owed once a carrier took it, whatever became of it', () => {
    for (const status of ['sent', 'delivered', 'undelivered', 'failed'] as const) {
      const { domain, attempt, charged } = attempted(SMS);
      domain.accepted(attempt);
      expect(charged()).toBe(1);
      domain.receipt(attempt, status);
      expect(domain.attempt(attempt).status).toBe(status);
      expect(charged()).toBe(1);
    }
  });

  it('is owed when a receipt is the first that is heard of the carrier', () => {
    const { domain, attempt, charged } = attempted(SMS);
    domain.receipt(attempt, 'failed');
    expect(charged()).toBe(1);
  });

  it('is owed for a carrier that was left behind but had taken it after all', () => {
    const { domain, attempt, charged } = attempted(SMS);
    const next = { kind: 'retry', carrier: 'two', at: NOW, sameHop: false } as const;
    domain.failed(attempt, { next });
    expect(charged()).toBe(0);
    domain.receipt(attempt, 'undelivered');
    expect(domain.attempt(attempt)).toMatchObject({ status: 'queued', delivery: 'pending' });
    expect(charged()).toBe(1);
    domain.accepted(attempt, { number: 2, carrier: 'two' });
    domain.receipt(attempt, 'delivered', { carrier: 'two' }, 2);
    expect(charged()).toBe(1);
  });

  it('is owed when the carrier took it only after the session had expired', () => {
    const { domain, session, attempt, charged } = attempted(SMS);
    domain.expire(session, NOW + 10 * MINUTE);
    expect(charged()).toBe(0);
    domain.accepted(attempt, { now: NOW + 10 * MINUTE });
    expect(domain.attempt(attempt).status).toBe('failed');
    expect(charged()).toBe(1);
  });

  it('is none when it failed before any carrier took it', () => {
    const refused = attempted(SMS);
    refused.domain.failed(refused.attempt);
    const unrouted = attempted({ ...SMS, carrier: null });
    const givenUp = attempted(SMS);
    givenUp.domain.giveUp(givenUp.attempt);
    for (const { domain, attempt, charged } of [refused, unrouted, givenUp]) {
      expect(domain.attempt(attempt).status).toBe('failed');
      expect(charged()).toBe(0);
    }
  });

  it('is none without a price, nor are its segments counted', () => {
    const { domain, attempt, charged } = attempted({});
    domain.accepted(attempt);
    expect(charged()).toBe(0);
    expect(domain.attempt(attempt)).toMatchObject({ price: null, segments: null, increment: null });
  });
});

describe('the charge of a call', () => {
  test.each([
    [1, 60, undefined],
    [1, 60, 0],
    [1, 60, 1],
    [1, 60, 60],
    [2, 60, 61],
    [2, 60, 120],
    [3, 60, 121],
    [10, 6, 60],
    [11, 6, 61],
    [61, 1, 61],
    [1440, 60, MAX_CALL_SECONDS],
  ])('is that of %d increments of %d s when it lasted %s s', (increments, increment, duration) => {
    const { domain, attempt, charged } = attempted({ ...VOICE, price: { price: 1, increment } });
    domain.accepted(attempt);
    domain.receipt(attempt, 'in-progress');
    expect(charged()).toBe(0);
    domain.receipt(attempt, 'completed', { duration });
    expect(charged()).toBe(increments);
  });

  it('that was not completed is none', () => {
    for (const status of ['busy', 'no-answer', 'failed', 'ringing'] as const) {
      const { domain, attempt, charged } = attempted(VOICE);
      domain.accepted(attempt);
      domain.receipt(attempt, status, { duration: 30 });
      expect(charged()).toBe(0);
      expect(domain.attempt(attempt).duration).toBeNull();
    }
  });

  it('grows when the duration is told later, and holds what was told first', () => {
    const { domain, attempt, charged } = attempted(VOICE);
    domain.accepted(attempt);
    domain.receipt(attempt, 'completed');
    expect(charged()).toBe(1);
    domain.receipt(attempt, 'completed', { now: NOW + 1, duration: 90 });
    expect(charged()).toBe(2);
    expect(domain.attempt(attempt).updatedAt).toBe(NOW + 1);
    domain.receipt(attempt, 'completed', { now: NOW + 2, duration: 600 });
    expect(charged()).toBe(2);
    expect(domain.attempt(attempt).updatedAt).toBe(NOW + 1);
  });

  it('has no duration on an SMS', () => {
    const { domain, attempt } = attempted(SMS);
    domain.accepted(attempt);
    domain.receipt(attempt, 'delivered', { duration: 90 });
    expect(domain.attempt(attempt).duration).toBeNull();
  });
});

describe('the charges of a session', () => {
  it('add the validation once it is verified, as it was when the session began', () => {
    const { domain, session } = attempted({ validationPrice: 5 });
    const validation = () => chargesOf(domain.session(session), []).validation;
    domain.start({ validationPrice: 9 });
    expect(domain.validate(session, '000')).toBe('invalid');
    expect(validation()).toBe(0n);
    domain.validate(session, domain.code(session));
    expect(validation()).toBe(5n);
    expect(domain.validate(session, domain.code(session))).toBe('already-verified');
    expect(validation()).toBe(5n);
  });

  it('have no validation when it expires', () => {
    const { domain, session } = attempted({ validationPrice: 5 });
    domain.expire(session, NOW + 10 * MINUTE);
    expect(chargesOf(domain.session(session), []).total).toBe(0n);
  });

  it('have an attempt for each channel that was tried, at the price of its time', () => {
    const { domain, session, attempt } = attempted(SMS);
    const call = domain.start({ ...VOICE, price: { price: 7, increment: 60 } }).attempt;
    const again = domain.start({ price: { price: 3, increment: null } }).attempt;
    for (const each of [attempt, again]) domain.accepted(each);
    domain.accepted(call, { status: 'completed' });
    const attempts = [attempt, call, again].map((each) => domain.attempt(each));
    expect(chargesOf(domain.session(session), attempts)).toEqual({
      total: 11n,
      validation: 0n,
      attempts: [1n, 7n, 3n],
    });
  });

  it('to a test number are none, then and later', () => {
    const prices = { ...SMS, validationPrice: 5 };
    const { domain, session } = attempted({ ...prices, test: true, otp: '424242' });
    domain.start({ ...prices, ...VOICE, test: true });
    domain.start({ ...prices, test: false });
    expect(domain.validate(session, '424242')).toBe('validated');
    const attempts = domain.rows.attemptsOf(session);
    expect(attempts).toHaveLength(3);
    expect(chargesOf(domain.session(session), attempts).total).toBe(0n);
  });

  it('are in total what they are one by one, exactly and never less than nothing', () => {
    const amount = fc.integer({ min: 0, max: 1e14 - 1 });
    const attempts = fc.record({
      channel: fc.constantFrom(...CHANNELS),
      status: fc.constantFrom<AttemptStatus>('queued', 'sent', 'delivered', 'failed', 'completed', 'busy'),
      price: fc.option(amount),
      segments: fc.option(fc.integer({ min: 1, max: 50 })),
      increment: fc.option(fc.integer({ min: 1, max: 3600 })),
      taken: fc.boolean(),
      duration: fc.option(fc.integer({ min: 0, max: MAX_CALL_SECONDS })),
    });
    const sessions = fc.record({
      status: fc.constantFrom<SessionStatus>('in-progress', 'verified', 'expired'),
      validationPrice: amount,
    });
    fc.assert(
      fc.property(sessions, fc.array(attempts, { maxLength: 10 }), (session, rows) => {
        const charges = chargesOf(session, rows);
        const all = [charges.validation, ...charges.attempts];
        expect(charges.attempts).toHaveLength(rows.length);
        expect(charges.total).toBe(all.reduce((sum, each) => sum + each));
        for (const each of all) expect(each >= 0n).toBe(true);
        for (const [index, row] of rows.entries()) {
          if (!row.taken || row.price === null) expect(charges.attempts[index]).toBe(0n);
        }
      }),
    );
  });
});
