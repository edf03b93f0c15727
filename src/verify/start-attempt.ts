import { failuresWithin } from './budget.js';
import { OPTED_OUT } from './channel-errors.js';
import { newCode } from './codes.js';
import type { Delivery, Effect, StartAttempt } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import { expireSession } from './expire.js';
import { compareRequest, remembered } from './idempotency.js';
import type { Keyring } from './keyring.js';
import { segmentsOf } from './messages/encoding.js';
import { domainOf } from './messages/last-line.js';
import { fitsRetriever, type Renderable, renderText } from './messages/render.js';
import { chooseTemplate } from './messages/template.js';
import { type Attempt, MAX_VALIDATIONS, type Session, sessionStatus } from './model.js';
import { announce, moveTo, type Progress, record } from './progress.js';
import type { Price } from './rate-card.js';
import type { Change, State } from './state.js';

/** No route serves the channel and recipient: SMS 90, voice 5020 (contract §7). */
const NO_ROUTE = { sms: 90, voice: 5020 } as const;

/**
 * Contract §2: a create for a pair with a live session adds an attempt to it and repeats its code; otherwise it
 * starts a session. A live row whose time has passed never blocks: its session is expired here, callback
 * included.
 */
export function startAttempt(state: State, command: StartAttempt, keyring: Keyring): Decision<StartAttempt> {
  const { now, application, recipient, idempotency } = command;
  if (idempotency) {
    const known = compareRequest(state.idempotency(idempotency.key), idempotency.digest, keyring, now);
    if (known.kind === 'other') return unchanged({ kind: 'refused', reason: 'idempotency-key' });
    if (known.kind === 'same') return unchanged({ kind: 'repeated', session: known.session });
  }
  const budget = state.budget(application.account, recipient);
  if (failuresWithin(budget, now).length >= command.failedValidationsLimit) {
    return unchanged({ kind: 'refused', reason: 'recipient' });
  }

  const changes: Change[] = [];
  const effects: Effect[] = [];
  const live = state.live(application.uuid, recipient);
  const found = live && state.session(live.session);
  if (found && sessionStatus(found, now) === 'in-progress') {
    if (found.attempts >= found.maxAttempts) return unchanged({ kind: 'refused', reason: 'attempts' });
    if (found.validations >= MAX_VALIDATIONS) return unchanged({ kind: 'refused', reason: 'validations' });
    const wait = coolingFor(state, found, now);
    if (wait > 0) return unchanged({ kind: 'cooling', wait });
  } else if (found?.status === 'in-progress') {
    const expired = expireSession(state, found, command);
    changes.push(...expired.changes);
    effects.push(...expired.effects);
  }

  const resumed = found && sessionStatus(found, now) === 'in-progress' ? found : null;
  const session = resumed ? resend(resumed, command, keyring) : begin(command, keyring);
  const attempt = newAttempt(session, command);
  if (!fitsRetriever(attempt, session.code.length)) {
    return unchanged({ kind: 'refused', reason: 'app-hash' });
  }
  // A call that has not rung yet has no status that the contract names.
  const queued = attempt.channel === 'sms' ? announce(session, attempt, command) : { attempt, callbacks: [] };
  const progress = session.test
    ? pretend(session, queued, command)
    : command.channel === 'sms' && state.optOut(command.main, recipient)
      ? failAtOnce(session, queued, OPTED_OUT, command)
      : command.carrier === null
        ? failAtOnce(session, queued, NO_ROUTE[command.channel], command)
        : queued;

  const written = record(progress);
  changes.push({ table: 'session', row: session }, ...written.changes);
  if (!resumed) {
    changes.push({
      table: 'live',
      row: { application: application.uuid, recipient, session: session.uuid, expiresAt: session.expiresAt },
    });
  }
  if (idempotency) {
    changes.push({
      table: 'idempotency',
      row: remembered(idempotency, session.uuid, keyring, now),
    });
  }
  effects.push(...written.effects);
  if (progress.attempt.delivery === 'pending') {
    effects.push({ kind: 'deliver', delivery: deliveryOf(session, progress.attempt) });
  }
  return {
    outcome: { kind: 'started', session: session.uuid, isNew: !resumed },
    changes,
    effects,
  };
}

/** What the dispatcher needs of a pending attempt. */
export function deliveryOf(session: Session, attempt: Attempt): Delivery {
  const { uuid, sequence, channel, locale, brandName, appHash, domain, template, dtmf, src } = attempt;
  const { confirmByKey, hop, tries, nextAt, takeovers } = attempt;
  const { recipient, country, application, alias, expiresAt, code, account, main } = session;
  return {
    attempt: uuid,
    session: session.uuid,
    account,
    main,
    application,
    alias,
    sequence,
    channel,
    recipient,
    country,
    locale,
    brandName,
    appHash,
    domain,
    template,
    dtmf,
    confirmByKey,
    src,
    code,
    carrier: attempt.carrier ?? '',
    hop,
    tries,
    nextAt,
    takeovers,
    expiresAt,
  };
}

function begin(command: StartAttempt, keyring: Keyring): Session {
  const { now, application } = command;
  return {
    uuid: command.session,
    account: application.account,
    main: command.main,
    application: application.uuid,
    alias: application.alias,
    recipient: command.recipient,
    country: command.country,
    channel: command.channel,
    locale: command.locale,
    status: 'in-progress',
    code: newCode(keyring, command.session, {
      otp: command.otp,
      nonce: command.nonce,
      length: command.codeLength,
    }),
    url: command.url ?? application.url,
    method: command.method ?? application.method,
    maxAttempts: application.maxAttempts,
    resendCooldown: application.resendCooldown,
    test: command.test,
    validationPrice: command.test ? 0 : command.validationPrice,
    attempts: 1,
    validations: 0,
    requestorIp: command.requestorIp,
    expiresAt: now + application.expiry * 1000,
    createdAt: now,
    updatedAt: now,
  };
}

function resend(session: Session, command: StartAttempt, keyring: Keyring): Session {
  const { nonce } = command;
  // Whether it is a test, and a test's code, are rules of the session: the list of numbers may have changed since.
  const otp = session.test || command.test ? null : command.otp;
  return {
    ...session,
    channel: command.channel,
    locale: command.locale,
    code: otp === null ? session.code : newCode(keyring, session.uuid, { otp, nonce, length: otp.length }),
    url: command.url ?? session.url,
    method: command.method ?? session.method,
    attempts: session.attempts + 1,
    updatedAt: command.now,
  };
}

function newAttempt(session: Session, command: StartAttempt): Attempt {
  const { application, locale, brandName, appHash, channel } = command;
  const message = {
    channel,
    brandName,
    appHash,
    domain: domainOf({ appHash, domain: application.domain }),
    template: chooseTemplate({ template: application.template, locale, brandName }),
  };
  const { price, segments, increment } = priceOf(session, message, command.price);
  // Field by field: an object as large as this one is made ten times as slowly from spread parts.
  return {
    channel,
    brandName,
    appHash,
    domain: message.domain,
    template: message.template,
    uuid: command.attempt,
    session: session.uuid,
    account: session.account,
    main: session.main,
    sequence: session.attempts,
    status: 'queued',
    errorCode: null,
    locale,
    dtmf: command.dtmf,
    confirmByKey: channel === 'voice' && application.confirmByKey,
    fraudCheck: command.fraudCheck,
    src: command.src,
    price,
    segments,
    increment,
    taken: false,
    duration: null,
    delivery: 'pending',
    owner: command.owner,
    carrier: session.test ? null : command.carrier,
    hop: 1,
    tries: 0,
    nextAt: command.now,
    takeovers: 0,
    callbacksMade: 0,
    callbacksSettled: 0,
    createdAt: command.now,
    updatedAt: command.now,
  };
}

/** What the attempt costs, by the text as it will be sent: any code of the same length has as many segments. */
function priceOf(session: Session, message: Renderable, price: Price | null) {
  if (price === null || session.test) return { price: null, segments: null, increment: null };
  const isSms = message.channel === 'sms';
  return {
    price: price.price,
    segments: isSms ? segmentsOf(renderText(message, '0'.repeat(session.code.length))).count : null,
    increment: isSms ? null : price.increment,
  };
}

/** Milliseconds until the session may have its next attempt; 0: now. */
function coolingFor(state: State, session: Session, now: number): number {
  const cooldown = session.resendCooldown * 1000;
  const last = state.attemptsOf(session.uuid).at(-1);
  if (!last || cooldown === 0) return 0;
  // A clock that went back must not lengthen the wait.
  return Math.min(cooldown, Math.max(0, last.createdAt + cooldown - now));
}

/** An attempt to a test number has arrived as soon as it is accepted; every step calls back. */
function pretend(session: Session, queued: Progress, command: StartAttempt): Progress {
  const arrived = command.channel === 'sms' ? 'delivered' : 'completed';
  const done = moveTo(session, queued.attempt, arrived, null, command);
  return { attempt: done.attempt, callbacks: [...queued.callbacks, ...done.callbacks] };
}

/** Nothing is sent; every step calls back. */
function failAtOnce(session: Session, queued: Progress, errorCode: number, command: StartAttempt): Progress {
  const failed = moveTo(session, queued.attempt, 'failed', errorCode, command);
  return { attempt: failed.attempt, callbacks: [...queued.callbacks, ...failed.callbacks] };
}
