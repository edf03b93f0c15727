import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  ApplicationId,
  Attempt,
  AttemptId,
  AttemptStatus,
  Recipient,
  Session,
  SessionId,
} from '#verify/model.js';
import { MAX_VALIDATIONS } from '#verify/model.js';
import { isFailure, isSuccess, stepsTo } from '#verify/statuses.js';
import { isDropped } from '#verify/unwanted.js';
import { application, Domain, idOf, NOW, OWNER, URL_OF_CUSTOMER, wrongFor } from '../domain.js';

const APPLICATIONS = [0, 1].map((index) =>
  application({
    uuid: idOf<ApplicationId>(index, 9),
    maxAttempts: 3,
    expiry: 60,
    confirmByKey: index === 1,
  }),
);
const RECIPIENTS = ['14155550101', '14155550102'] as Recipient[];
const LIMIT = 15;

const pick = fc.nat(99);
const owner = fc.constantFrom(OWNER, OWNER, OWNER, OWNER + 1);
const carrier = fc.constantFrom('one', 'one', 'two');
const hop = fc.integer({ min: 1, max: 3 });
const status = fc.constantFrom<AttemptStatus>(
  ...(['queued', 'sent', 'delivered', 'undelivered', 'failed'] as const),
  ...(['ringing', 'in-progress', 'completed', 'busy', 'no-answer'] as const),
);
const next = fc.oneof(
  fc.constant({ kind: 'fail' as const }),
  fc.record({
    kind: fc.constant('retry' as const),
    carrier,
    wait: fc.integer({ min: 0, max: 20_000 }),
    sameHop: fc.boolean(),
  }),
);
const step = fc.oneof(
  fc.record({
    do: fc.constant('start' as const),
    application: fc.nat(1),
    recipient: fc.nat(1),
    channel: fc.constantFrom('sms' as const, 'voice' as const),
    routed: fc.constantFrom(true, true, true, false),
    url: fc.boolean(),
    otp: fc.option(fc.stringMatching(/^[0-9]{4,8}$/), { freq: 3 }),
  }),
  fc.record({ do: fc.constant('validate' as const), pick, right: fc.boolean() }),
  fc.record({
    do: fc.constant('accepted' as const),
    pick,
    owner,
    carrier,
    hop,
    told: fc.boolean(),
    claim: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('failed' as const),
    pick,
    owner,
    carrier,
    hop,
    next,
    unanswered: fc.constantFrom(undefined, undefined, 'resend' as const, 'wait' as const),
    unwanted: fc.constantFrom(false, false, true),
  }),
  fc.record({ do: fc.constant('reroute' as const), pick, owner, carrier }),
  fc.record({ do: fc.constant('opt' as const), pick, out: fc.boolean() }),
  fc.record({
    do: fc.constant('receipt' as const),
    pick,
    owner,
    carrier,
    hop,
    status,
    byMessage: fc.boolean(),
    confirmed: fc.boolean(),
  }),
  fc.record({ do: fc.constant('give up' as const), pick, owner }),
  fc.record({ do: fc.constant('expire' as const), pick, force: fc.constantFrom(false, false, true) }),
  fc.record({ do: fc.constant('called' as const), pick, owner, ok: fc.boolean(), retriable: fc.boolean() }),
  fc.record({ do: fc.constant('redeliver' as const), pick, owner, again: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), millis: fc.integer({ min: 1, max: 40_000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A domain under random commands, which checks after each that nothing went back and every promise holds. */
class Watched {
  readonly domain = new Domain();
  readonly sessions = new Set<SessionId>();
  readonly attempts: AttemptId[] = [];
  readonly verifications = new Map<SessionId, number>();
  readonly #sessionsBefore = new Map<SessionId, Session>();
  readonly #attemptsBefore = new Map<AttemptId, Attempt>();
  readonly #bodies = new Map<string, string>();
  #now = NOW;

  take(step: Step): void {
    const { domain } = this;
    const now = this.#now;
    if (step.do === 'wait') {
      this.#now += step.millis;
      return;
    }
    if (step.do === 'start') {
      this.#start(step);
      return;
    }
    const attempt = this.attempts[step.pick % Math.max(1, this.attempts.length)];
    if (!attempt) return;
    const session = domain.attempt(attempt).session;
    switch (step.do) {
      case 'validate': {
        const right = domain.code(session);
        const otp = step.right ? right : wrongFor(right);
        const outcome = domain.validate(session, otp, { now, failedValidationsLimit: LIMIT });
        if (outcome !== 'validated') return;
        expect(step.right).toBe(true);
        this.verifications.set(session, (this.verifications.get(session) ?? 0) + 1);
        return;
      }
      case 'accepted': {
        const outcome = domain.accepted(attempt, {
          now,
          claim: step.claim,
          owner: step.owner,
          carrier: step.carrier,
          number: Math.min(step.hop, domain.attempt(attempt).hop),
          messageId: step.told ? `message-${step.pick % 3}` : null,
        });
        if (outcome.verified) this.#confirmed(attempt);
        return;
      }
      case 'failed':
        domain.failed(attempt, {
          now,
          owner: step.owner,
          carrier: step.carrier,
          number: Math.min(step.hop, domain.attempt(attempt).hop),
          unanswered: step.unanswered,
          unwanted: step.unwanted && step.unanswered === undefined,
          next: step.next.kind === 'fail' ? step.next : { ...step.next, at: now + step.next.wait },
        });
        return;
      case 'receipt': {
        const outcome = domain.receipt(attempt, step.status, {
          now,
          confirmed: step.confirmed,
          owner: step.owner,
          carrier: step.carrier,
          by: step.byMessage
            ? { kind: 'message', messageId: `message-${step.pick % 3}` }
            : { kind: 'hop', attempt, number: step.hop },
          errorCode: 70,
        });
        if (outcome.verified) this.#confirmed(outcome.attempt!);
        return;
      }
      case 'reroute':
        domain.reroute(attempt, { now, owner: step.owner, carrier: step.carrier });
        return;
      case 'opt': {
        const { recipient } = domain.session(session);
        if (step.out) domain.optOut({ recipient, createdAt: now });
        else domain.optIn(undefined, recipient);
        return;
      }
      case 'give up':
        domain.giveUp(attempt, step.owner);
        return;
      case 'expire':
        domain.expire(session, now, step.force);
        return;
      case 'called': {
        const sequence = Math.max(1, domain.attempt(attempt).callbacksSettled + (step.pick % 3));
        const { owner, ok, retriable } = step;
        domain.called(attempt, sequence, { now, owner, ok, retriable });
        return;
      }
      case 'redeliver': {
        const { callbacksSettled, callbacksMade } = domain.attempt(attempt);
        const sequence = 1 + (step.pick % Math.max(1, callbacksMade));
        const { kind } = domain.redeliver(attempt, sequence, { now, owner: step.owner });
        if (kind === 'accepted') expect(sequence).toBeLessThanOrEqual(callbacksSettled);
        if (step.again) expect(domain.redeliver(attempt, sequence, { now }).kind).not.toBe('accepted');
        domain.called(attempt, sequence, { now, owner: step.owner, ok: step.again });
      }
    }
  }

  /** Whatever happened, its owner can bring every attempt that waits to an end. */
  finish(): void {
    for (const uuid of this.attempts) {
      const before = this.domain.attempt(uuid);
      const { delivery, owner, hop, carrier } = before;
      if (isDropped(before)) this.domain.giveUp(uuid, owner);
      if (delivery === 'pending') {
        this.domain.failed(uuid, { now: this.#now, owner, number: hop, carrier: carrier ?? '' });
        expect(this.domain.attempt(uuid).delivery).toBe('done');
      }
      expect(isDropped(this.domain.attempt(uuid))).toBe(false);
    }
  }

  /** A call was answered with the key: it asked for it, and its session was not verified before. */
  #confirmed(attempt: AttemptId): void {
    const { session, status, confirmByKey } = this.domain.attempt(attempt);
    expect([confirmByKey, status]).toEqual([true, 'completed']);
    this.verifications.set(session, (this.verifications.get(session) ?? 0) + 1);
  }

  #start(step: Extract<Step, { do: 'start' }>): void {
    const command = this.domain.startCommand({
      now: this.#now,
      application: APPLICATIONS[step.application]!,
      recipient: RECIPIENTS[step.recipient]!,
      channel: step.channel,
      carrier: step.routed ? 'one' : null,
      url: step.url ? URL_OF_CUSTOMER : null,
      otp: step.otp,
      failedValidationsLimit: LIMIT,
    });
    const outcome = this.domain.run(command);
    if (outcome.kind !== 'started') return;
    this.sessions.add(outcome.session);
    this.attempts.push(command.attempt);
  }

  check(): void {
    for (const uuid of this.sessions) this.#checkSession(this.domain.session(uuid));
    for (const uuid of this.attempts) this.#checkAttempt(this.domain.attempt(uuid));
    for (const { uuid } of APPLICATIONS) {
      for (const recipient of RECIPIENTS) this.#checkPair(uuid, recipient);
    }
    for (const recipient of RECIPIENTS) {
      expect(this.domain.failures(application().account, recipient).length).toBeLessThanOrEqual(LIMIT);
    }
  }

  /** One live session per application and recipient: the one that the live row names. */
  #checkPair(uuid: ApplicationId, recipient: Recipient): void {
    const open = [...this.sessions]
      .map((session) => this.domain.session(session))
      .filter((each) => each.application === uuid && each.recipient === recipient)
      .filter((each) => each.status === 'in-progress')
      .map((each) => each.uuid);
    const live = this.domain.rows.live(uuid, recipient);
    expect(open).toEqual(live ? [live.session] : []);
  }

  #checkSession(session: Session): void {
    expect(session.validations).toBeLessThanOrEqual(MAX_VALIDATIONS);
    expect(session.attempts).toBeLessThanOrEqual(session.maxAttempts);
    expect(this.verifications.get(session.uuid) ?? 0).toBe(session.status === 'verified' ? 1 : 0);
    const attempts = this.domain.rows.attemptsOf(session.uuid);
    expect(attempts.map(({ sequence }) => sequence)).toEqual(attempts.map((_, index) => index + 1));
    expect(attempts).toHaveLength(session.attempts);
    if (session.status !== 'in-progress') {
      expect(attempts.filter(({ delivery }) => delivery === 'pending')).toEqual([]);
    }
    const before = this.#sessionsBefore.get(session.uuid);
    if (before) {
      if (before.status !== 'in-progress') expect(session.status).toBe(before.status);
      expect(session.validations).toBeGreaterThanOrEqual(before.validations);
      expect(session.expiresAt).toBe(before.expiresAt);
    }
    this.#sessionsBefore.set(session.uuid, freeze(session));
  }

  #checkAttempt(attempt: Attempt): void {
    const before = this.#attemptsBefore.get(attempt.uuid);
    if (before && before.status !== attempt.status) {
      expect(stepsTo(attempt.channel, before.status, attempt.status)).not.toEqual([]);
    }
    if (before?.delivery === 'done') expect(attempt.delivery).toBe('done');
    if (isSuccess(attempt.status)) expect(attempt.errorCode).toBeNull();
    if (attempt.delivery === 'pending') expect(attempt.carrier).not.toBeNull();
    // Nothing that is over stays on its way: a message that was dropped may, until it is told how that ended.
    if (attempt.delivery === 'done' && !isDropped(attempt)) {
      const ended = isSuccess(attempt.status) || isFailure(attempt.status) || attempt.status === 'sent';
      // A carrier that queues it, and says so, has it.
      expect(ended || (attempt.status === 'queued' && attempt.taken)).toBe(true);
    }
    if (isDropped(attempt)) expect(attempt.channel).toBe('sms');
    this.#attemptsBefore.set(attempt.uuid, freeze(attempt));
    this.#checkCallbacks(attempt);
  }

  /** In order, none lost, content fixed: settled ones, then one that is ready, then those that it holds back. */
  #checkCallbacks(attempt: Attempt): void {
    for (const [index, callback] of this.domain.callbacks(attempt.uuid).entries()) {
      const ahead = index - attempt.callbacksSettled;
      const redelivered = callback.triesBefore > 0 ? ['ready'] : [];
      const states = ahead < 0 ? ['delivered', 'failed', ...redelivered] : ahead === 0 ? ['ready'] : ['held'];
      expect(states).toContain(callback.state);
      expect(callback.tries - callback.triesBefore).toBeLessThanOrEqual(4);
      expect(this.domain.tries(attempt.uuid, callback.sequence)).toHaveLength(callback.tries);
      const key = `${attempt.uuid}.${callback.sequence}`;
      expect(callback.body).toBe(this.#bodies.get(key) ?? callback.body);
      this.#bodies.set(key, callback.body);
      freeze(callback);
    }
  }
}

/** A row that `decide` changed in place would throw from now on. */
function freeze<Row extends object>(row: Row): Row {
  return Object.freeze(row);
}

describe('whatever commands come, in whatever order', () => {
  it('every promise of sessions, attempts and callbacks holds after each, and nothing goes back', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const watched = new Watched();
        for (const each of steps) {
          watched.take(each);
          watched.check();
        }
        watched.finish();
        watched.check();
      }),
      { numRuns: 150 },
    );
  });
});
