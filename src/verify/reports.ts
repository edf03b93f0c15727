import { isErrorOf } from './channel-errors.js';
import type { GiveUp, HopAccepted, HopFailed, Receipt, ReportOutcome, Reroute } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import { type Attempt, type AttemptStatus, type Hop, type Session, sessionStatus } from './model.js';
import { announce, moveTo, type Progress, record } from './progress.js';
import { deliveryOf } from './start-attempt.js';
import { RECEIPT_VALIDITY, type State } from './state.js';
import { isFailure, isStatusOf, isSuccess } from './statuses.js';
import { endUnwanted, isDropped } from './unwanted.js';
import { type Verified, verifySession } from './verified.js';

/**
 * The carrier has the message: the hop gets its id, and an SMS is `sent`. A call says nothing before it rings. A
 * carrier that knows at once how the message fared has that recorded with the acceptance. The claim of a call that asks to
 * press 1 says that it was pressed: the session is verified, and the attempt completed, with the same commit.
 */
export function hopAccepted(state: State, command: HopAccepted): Decision<HopAccepted> {
  const found = find(state, command.attempt);
  if (!found) return unchanged({ kind: 'unknown' });
  const { attempt, session } = found;
  if (command.claim) {
    const current = attempt.delivery === 'pending' && attempt.hop === command.number;
    if (!current || sessionStatus(session, command.now) !== 'in-progress') {
      return unchanged(reportOf('stale', attempt));
    }
    if (attempt.owner !== command.owner) return unchanged(reportOf('not-owner', attempt));
  }
  const known = state.hop(attempt.uuid, command.number);
  const settled = known && !isOpen(known) && known.state !== 'failed';
  const confirmed = command.claim === true && attempt.confirmByKey;
  const status = confirmed
    ? 'completed'
    : (command.status ?? (attempt.channel === 'sms' ? 'sent' : 'queued'));
  const hop: Hop = {
    ...(known ?? newHop(attempt.uuid, command.number, command)),
    carrier: command.carrier,
    messageId: command.messageId ?? known?.messageId ?? null,
    state: settled ? known.state : isSuccess(status) ? 'delivered' : 'accepted',
    ...(settled ? {} : { reason: null, errorCode: null }),
    cost: command.cost ?? known?.cost ?? null,
    updatedAt: command.now,
  };
  // A hop that the attempt has left behind may still deliver, but does not take the attempt's work over.
  const handed =
    attempt.delivery === 'pending' && attempt.hop === command.number
      ? { ...attempt, delivery: 'handed' as const, carrier: command.carrier, tries: attempt.tries + 1 }
      : attempt;
  const taken = { ...handed, taken: true };
  const { progress, verified } = confirmed
    ? confirm(state, session, taken, command)
    : { progress: moveTo(session, taken, status, null, command), verified: null };
  return recorded(progress, hop, verified);
}

/** The callee pressed the key: the session is verified and the attempt completed, and a callback says both. */
function confirm(
  state: State,
  session: Session,
  attempt: Attempt,
  at: { readonly now: number; readonly owner: number },
): { readonly progress: Progress; readonly verified: Verified } {
  const verified = verifySession(state, { ...session, updatedAt: at.now }, at, attempt.uuid);
  const { attempt: answered, callbacks } = moveTo(session, attempt, 'in-progress', null, at);
  const moved = moveTo(verified.session, answered, 'completed', null, at);
  // That the call is over may have been told before.
  const told = answered.status === 'completed' ? announce(verified.session, answered, at) : moved;
  return { progress: { ...told, callbacks: [...callbacks, ...told.callbacks] }, verified };
}

/** A try did not succeed. The hop's failure is a fact; retrying and giving up need the ownership. */
export function hopFailed(state: State, command: HopFailed): Decision<HopFailed> {
  const found = find(state, command.attempt);
  if (!found) return unchanged({ kind: 'unknown' });
  const { attempt, session } = found;
  const { now, next } = command;
  const known = state.hop(attempt.uuid, command.number);
  const current = (attempt.delivery === 'pending' || isDropped(attempt)) && attempt.hop === command.number;
  // An accepted hop stays accepted: this answer came from a second submit of it. So does one that may have arrived.
  const open = known?.state === 'retrying' || (known?.state === 'unanswered' && current);
  if (known && !open) return unchanged(reportOf('stale', attempt));
  const owned = attempt.owner === command.owner;
  const wanted = sessionStatus(session, now) === 'in-progress';
  // That a hop failed for good is part of the intention: of a node that no longer owns, it is left to the owner.
  const triedAgain = current && (!owned || (wanted && next.kind === 'retry' && next.sameHop));
  const hop: Hop = {
    ...(known ?? newHop(attempt.uuid, command.number, command)),
    carrier: command.carrier,
    // What may have reached a carrier stays so, until a receipt says more.
    state: command.unanswered ? 'unanswered' : triedAgain ? 'retrying' : 'failed',
    reason: command.reason,
    errorCode: command.errorCode,
    unanswered: command.unanswered ?? known?.unanswered ?? null,
    updatedAt: now,
  };
  if (!current || !owned) {
    return {
      outcome: reportOf(current ? 'not-owner' : 'stale', attempt),
      changes: [{ table: 'hop', row: hop }],
      effects: [],
    };
  }
  if (command.unanswered && isDropped(attempt)) {
    return { outcome: reportOf('stale', attempt), changes: [{ table: 'hop', row: hop }], effects: [] };
  }
  if (command.unwanted && !wanted) return recorded(endUnwanted(session, attempt, null, command), hop);
  if (next.kind === 'retry' && wanted) {
    const retried: Attempt = {
      ...attempt,
      carrier: next.carrier,
      hop: next.sameHop ? attempt.hop : attempt.hop + 1,
      tries: attempt.tries + 1,
      nextAt: next.at,
      errorCode: command.errorCode,
      updatedAt: now,
    };
    return {
      outcome: reportOf('recorded', retried),
      changes: [
        { table: 'attempt', row: retried },
        { table: 'hop', row: hop },
      ],
      // A retry that is due at once goes on from memory; a later one waits in its row.
      effects: next.at <= now ? [{ kind: 'deliver', delivery: deliveryOf(session, retried) }] : [],
    };
  }
  return recorded(failed(session, attempt, command, command.status), hop);
}

/** What the carrier told about a message that it took (or, after a crash, that nobody recorded it took). */
export function receipt(state: State, command: Receipt): Decision<Receipt> {
  const { attempt, ...decision } = receiptFor(state, command);
  if (!attempt) return decision;
  const before = state.attempt(attempt)?.status;
  const moved = decision.outcome.kind === 'recorded' && decision.outcome.status !== before;
  return { ...decision, outcome: { ...decision.outcome, attempt, ...(moved ? { moved } : {}) } };
}

function receiptFor(
  state: State,
  command: Receipt,
): Decision<Receipt> & { readonly attempt?: Attempt['uuid'] } {
  const { by } = command;
  const known = by.kind === 'hop' ? state.hop(by.attempt, by.number) : meantBy(state, command, by.messageId);
  const found = find(state, by.kind === 'hop' ? by.attempt : known?.attempt);
  if (!found) return unchanged<Receipt>({ kind: 'unknown' });
  const { attempt, session } = found;
  // Which carrier is trying the present hop is in its node's memory until it answers: one that is down is passed over.
  const beingTried = by.kind === 'hop' && by.number === attempt.hop && (!known || isOpen(known));
  if (known?.carrier !== command.carrier && !beingTried) return unchanged<Receipt>({ kind: 'unknown' });
  const { uuid } = attempt;
  if (!isStatusOf(attempt.channel, command.status)) return unchanged<Receipt>(reportOf('stale', attempt));

  const number = known?.number ?? attempt.hop;
  if (command.underWay) {
    const ends = isSuccess(command.status) || isFailure(command.status);
    if (ends || attempt.delivery !== 'pending' || number !== attempt.hop) {
      return { ...unchanged<Receipt>(reportOf('stale', attempt)), attempt: uuid };
    }
    return { ...recorded(moveTo(session, attempt, command.status, null, command), null), attempt: uuid };
  }
  // A status that both channels have may come with a code that only the other one has.
  const { errorCode } = command;
  const explained = errorCode !== null && isErrorOf(attempt.channel, errorCode) ? errorCode : null;
  const success = isSuccess(command.status);
  const failure = isFailure(command.status);
  const settled = known?.state === 'delivered' || (known?.state === 'undelivered' && !success);
  const hop: Hop = {
    ...(known ?? newHop(attempt.uuid, number, command)),
    carrier: command.carrier,
    messageId: known?.messageId ?? command.messageId ?? null,
    ...(settled
      ? {}
      : {
          state: success
            ? ('delivered' as const)
            : failure
              ? ('undelivered' as const)
              : ('accepted' as const),
          errorCode: failure ? explained : null,
        }),
    cost: command.cost ?? known?.cost ?? null,
    updatedAt: command.now,
  };
  // The attempt fails only with the hop that has it: another hop may still be delivering.
  if (failure && number !== attempt.hop && !hasIt(state, attempt, number)) {
    const { changes } = recorded({ attempt: { ...attempt, taken: true }, callbacks: [] }, hop);
    return { outcome: reportOf('stale', attempt), changes, effects: [], attempt: uuid };
  }
  // The receipt that was waited for came: the carrier has the message, and the next hop is not wanted.
  const awaited = number === attempt.hop - 1 && known?.state === 'unanswered' && known.unanswered === 'wait';
  const handed: Attempt =
    attempt.delivery === 'pending' && (number === attempt.hop || awaited)
      ? { ...attempt, delivery: 'handed', carrier: command.carrier }
      : attempt;
  const taken = takenBy(handed, command);
  const confirmed =
    command.confirmed === true &&
    attempt.confirmByKey &&
    command.status === 'completed' &&
    sessionStatus(session, command.now) === 'in-progress';
  const { progress, verified } = confirmed
    ? confirm(state, session, taken, command)
    : { progress: moveTo(session, taken, command.status, explained, command), verified: null };
  const decision = recorded(progress, hop, verified);
  if (attempt.delivery === 'pending' && progress.attempt.delivery !== 'pending') {
    decision.effects.push({ kind: 'drop', attempt: uuid });
  }
  return { ...decision, attempt: uuid };
}

/** Whether a hop that the attempt has left behind has it all the same: nothing after it was ever taken. */
function hasIt(state: State, attempt: Attempt, number: number): boolean {
  if (attempt.delivery !== 'handed') return false;
  for (let later = number + 1; later <= attempt.hop; later++) {
    const hop = state.hop(attempt.uuid, later);
    if (hop && hop.state !== 'failed') return false;
  }
  return true;
}

/** The attempt that a carrier has by its own report. What it says first of a call's duration holds: charges are made of it. */
function takenBy(attempt: Attempt, { status, duration, now }: Receipt): Attempt {
  const told = attempt.channel === 'voice' && status === 'completed' && duration !== undefined;
  return told && attempt.duration === null
    ? { ...attempt, taken: true, duration, updatedAt: now }
    : { ...attempt, taken: true };
}

/** The newest hop with this message id, unless it is so old that the carrier must mean another message. */
function meantBy(state: State, command: Receipt, messageId: string): Hop | undefined {
  const hop = state.hopByMessage(command.carrier, messageId);
  return hop && hop.createdAt >= command.now - RECEIPT_VALIDITY ? hop : undefined;
}

/**
 * The attempt goes to another carrier without a try. A hop that was tried before keeps its reason and ends, and the next
 * one begins; one that never was is simply the other carrier's. The move counts as a try: going once round the route is
 * one failure, however many carriers were passed over.
 */
export function reroute(state: State, command: Reroute): Decision<Reroute> {
  const found = find(state, command.attempt);
  if (!found) return unchanged({ kind: 'unknown' });
  const { attempt, session } = found;
  const { now } = command;
  const current =
    attempt.delivery === 'pending' && attempt.hop === command.number && attempt.tries === command.tries;
  if (!current || sessionStatus(session, now) !== 'in-progress') return unchanged(reportOf('stale', attempt));
  if (attempt.owner !== command.owner) return unchanged(reportOf('not-owner', attempt));
  const hop = state.hop(attempt.uuid, attempt.hop);
  const moved: Attempt = {
    ...attempt,
    carrier: command.carrier,
    hop: hop ? attempt.hop + 1 : attempt.hop,
    tries: attempt.tries + 1,
    nextAt: now,
    updatedAt: now,
  };
  const ended: Hop | null = hop?.state === 'retrying' ? { ...hop, state: 'failed', updatedAt: now } : null;
  return {
    outcome: reportOf('recorded', moved),
    changes: [{ table: 'attempt', row: moved }, ...(ended ? [{ table: 'hop' as const, row: ended }] : [])],
    effects: [{ kind: 'deliver', delivery: deliveryOf(session, moved) }],
  };
}

/** The owner stops trying, or an attempt that was dropped turns out not to have been handed over: it fails. */
export function giveUp(state: State, command: GiveUp): Decision<GiveUp> {
  const found = find(state, command.attempt);
  if (!found) return unchanged({ kind: 'unknown' });
  const { attempt, session } = found;
  if (isDropped(attempt)) {
    const mayHaveArrived = command.errorCode === null && isUnanswered(state, attempt);
    if (mayHaveArrived) return unchanged(reportOf('stale', attempt));
    return recorded(endUnwanted(session, attempt, command.errorCode, command), null);
  }
  if (attempt.delivery !== 'pending') return unchanged(reportOf('stale', attempt));
  if (attempt.owner !== command.owner) return unchanged(reportOf('not-owner', attempt));
  return recorded(failed(session, attempt, command), null);
}

function failed(
  session: Session,
  attempt: Attempt,
  command: HopFailed | GiveUp,
  status: AttemptStatus = 'failed',
): Progress {
  const progress = moveTo(
    session,
    { ...attempt, tries: attempt.tries + 1 },
    status,
    command.errorCode ?? attempt.errorCode,
    command,
  );
  return { ...progress, attempt: { ...progress.attempt, delivery: 'done' } };
}

function find(
  state: State,
  uuid: Attempt['uuid'] | undefined,
): { attempt: Attempt; session: Session } | null {
  const attempt = uuid && state.attempt(uuid);
  const session = attempt && state.session(attempt.session);
  return attempt && session ? { attempt, session } : null;
}

function newHop(attempt: Attempt['uuid'], number: number, of: { carrier: string; now: number }): Hop {
  return {
    attempt,
    number,
    carrier: of.carrier,
    messageId: null,
    state: 'accepted',
    reason: null,
    errorCode: null,
    createdAt: of.now,
    updatedAt: of.now,
    unanswered: null,
    cost: null,
  };
}

/** Whether a carrier may have the attempt though it gave no answer. */
function isUnanswered(state: State, attempt: Attempt): boolean {
  for (let number = 1; number <= attempt.hop; number++) {
    if (state.hop(attempt.uuid, number)?.state === 'unanswered') return true;
  }
  return false;
}

/** Whether the hop was tried without success and may be tried again. */
function isOpen(hop: Hop): boolean {
  return hop.state === 'retrying' || hop.state === 'unanswered';
}

function reportOf(kind: ReportOutcome['kind'], { status, channel }: Pick<Attempt, 'status' | 'channel'>) {
  return { kind, status, channel } satisfies ReportOutcome;
}

function recorded(progress: Progress, hop: Hop | null, verified: Verified | null = null) {
  const { changes, effects } = record(progress);
  if (hop) changes.push({ table: 'hop', row: hop });
  const outcome = reportOf('recorded', progress.attempt);
  if (!verified) return { outcome, changes, effects };
  return {
    outcome: { ...outcome, verified: true } satisfies ReportOutcome,
    changes: [...verified.changes, ...changes],
    effects: [...verified.effects, ...effects],
  };
}
