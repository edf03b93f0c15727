import { callbackHost } from './callback-url.js';
import type { CallbackTried, RedeliverCallback } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import {
  type Attempt,
  type Callback,
  type CallbackState,
  type CallbackTry,
  mayUse,
  type Session,
  sessionStatus,
} from './model.js';
import type { Change, State } from './state.js';
import { formatTime } from './time.js';

/** Waits before the retries of a callback, in milliseconds (contract §6). */
const CALLBACK_RETRIES: readonly number[] = [60_000, 120_000, 240_000];

/** Tries past which a callback is not redelivered any more: its log is bounded. */
export const MAX_CALLBACK_TRIES = 100;

/** Milliseconds until a callback is tried again if its next try fails; undefined when that is the last one. */
export function retryWait({
  tries,
  triesBefore,
}: Pick<Callback, 'tries' | 'triesBefore'>): number | undefined {
  return CALLBACK_RETRIES[tries - triesBefore];
}

/** Several SDK validators mishandle other characters in a GET (contract §6). */
const SAFE_IN_GET = /^[A-Za-z0-9 ._-]*$/;

/** A callback about the attempt as it is; its content is fixed here. */
export function callbackFor(
  session: Session,
  url: string,
  attempt: Attempt,
  sequence: number,
  state: CallbackState,
  at: { readonly now: number; readonly owner: number },
): Callback {
  return {
    attempt: attempt.uuid,
    sequence,
    session: session.uuid,
    account: session.account,
    url,
    method: session.method,
    host: callbackHost(url),
    body: callbackBody(session, attempt, at.now),
    state,
    owner: at.owner,
    tries: 0,
    triesBefore: 0,
    nextAt: at.now,
    httpStatus: null,
    reason: null,
    triedAt: null,
    latency: null,
    createdAt: at.now,
    updatedAt: at.now,
  };
}

/** The parameters of contract §6, form-encoded. Empty values are sent. */
function callbackBody(session: Session, attempt: Attempt, now: number): string {
  const body = new URLSearchParams({
    SessionUUID: session.uuid,
    SessionStatus: sessionStatus(session, now),
    AttemptUUID: attempt.uuid,
    AttemptSequence: String(attempt.sequence),
    Channel: attempt.channel,
    ChannelStatus: channelStatus(attempt),
    ChannelErrorCode: attempt.errorCode === null ? '' : String(attempt.errorCode),
    Recipient: session.recipient,
    RequestTime: formatTime(attempt.createdAt),
    Locale: attempt.locale,
    BrandName: attempt.brandName,
    CodeLength: String(session.code.length),
    AppHash: attempt.appHash,
  });
  if (session.method === 'GET' && !SAFE_IN_GET.test(attempt.brandName)) body.delete('BrandName');
  return body.toString();
}

/** Empty for a call that never rang when its session expires: the contract names no status before `ringing`. */
function channelStatus(attempt: Attempt): string {
  return attempt.channel === 'voice' && attempt.status === 'queued' ? '' : attempt.status;
}

/**
 * Records one try. A success or the last failure settles the callback and, the first time that it is settled,
 * releases the next of its attempt; any other failure sets the time of the retry.
 */
export function callbackTried(state: State, command: CallbackTried): Decision<CallbackTried> {
  const callback = state.callback(command.attempt, command.sequence);
  const attempt = state.attempt(command.attempt);
  if (!callback || !attempt) return unchanged({ kind: 'unknown' });
  if (callback.state !== 'ready' || callback.triesBefore !== command.triesBefore) {
    return unchanged({ kind: 'stale' });
  }
  if (!command.ok && callback.owner !== command.owner) return unchanged({ kind: 'not-owner' });

  const { now, httpStatus, reason, latency } = command;
  const wait = command.ok || !command.retriable ? undefined : retryWait(callback);
  const nextAt = wait === undefined ? null : now + wait;
  const before = logged(callback);
  const result = { tries: callback.tries + 1, httpStatus, reason, triedAt: now, latency };
  const tried = { ...callback, ...result, updatedAt: now };
  if (nextAt !== null) {
    return {
      outcome: { kind: 'recorded' },
      changes: [{ table: 'callback', row: { ...tried, nextAt } }, ...before],
      effects: [],
    };
  }
  const settled: Callback = { ...tried, state: command.ok ? 'delivered' : 'failed' };
  // A redelivery was settled before: the later ones of its attempt have not waited for it.
  if (command.sequence <= attempt.callbacksSettled) {
    return {
      outcome: { kind: 'recorded' },
      changes: [{ table: 'callback', row: settled }, ...before],
      effects: [],
    };
  }
  const next = state.callback(command.attempt, command.sequence + 1);
  const released: Callback | null =
    next?.state === 'held' ? { ...next, state: 'ready', owner: command.owner, nextAt: now } : null;
  return {
    outcome: { kind: 'recorded' },
    changes: [
      { table: 'callback', row: settled },
      { table: 'attempt', row: { ...attempt, callbacksSettled: command.sequence } },
      ...(released ? [{ table: 'callback' as const, row: released }] : []),
      ...before,
    ],
    effects: released ? [{ kind: 'callback', callback: released }] : [],
  };
}

/** The last try of a callback, while its row has it and the log not yet. */
export function lastTry(callback: Callback): CallbackTry | null {
  const { attempt, sequence, tries, triedAt, httpStatus, reason, latency, state, nextAt } = callback;
  if (triedAt === null) return null;
  return {
    attempt,
    sequence,
    number: tries,
    at: triedAt,
    httpStatus,
    reason,
    latency,
    nextAt: state === 'ready' ? nextAt : null,
    byHand: callback.triesBefore > 0,
  };
}

/** What moves the last try to the log, before the row is used for another. */
function logged(callback: Callback): readonly Change[] {
  const row = lastTry(callback);
  return row ? [{ table: 'callbackTry', row }] : [];
}

/**
 * Makes a settled callback due once more, its content as it was and its schedule of retries anew. The later ones of
 * its attempt neither wait for it nor are released by it: `callbacksSettled` stays.
 */
export function redeliverCallback(state: State, command: RedeliverCallback): Decision<RedeliverCallback> {
  const callback = state.callback(command.attempt, command.sequence);
  const attempt = state.attempt(command.attempt);
  const isTheirs = attempt?.session === command.session && mayUse(command.account, attempt);
  if (!callback || !isTheirs) return unchanged({ kind: 'not-found' });
  if (callback.state === 'ready' || callback.state === 'held') {
    return unchanged({ kind: 'unsettled', state: callback.state, nextAt: callback.nextAt });
  }
  if (callback.tries >= MAX_CALLBACK_TRIES) return unchanged({ kind: 'exhausted' });
  const { now, owner } = command;
  const due: Callback = {
    ...callback,
    state: 'ready',
    owner,
    triesBefore: callback.tries,
    triedAt: null,
    nextAt: now,
    updatedAt: now,
  };
  return {
    outcome: { kind: 'accepted' },
    changes: [{ table: 'callback', row: due }, ...logged(callback)],
    effects: [{ kind: 'callback', callback: due }],
  };
}
