import { callbackHost } from './callback-url.js';
import type { CallbackTried } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import { type Attempt, type Callback, type CallbackState, type Session, sessionStatus } from './model.js';
import type { State } from './state.js';
import { formatTime } from './time.js';

/** Waits before the retries of a callback, in milliseconds (contract §6). */
export const CALLBACK_RETRIES: readonly number[] = [60_000, 120_000, 240_000];

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
    nextAt: at.now,
    httpStatus: null,
    reason: null,
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
 * Records one try. A success or the last failure settles the callback and releases the next of its attempt;
 * any other failure sets the time of the retry.
 */
export function callbackTried(state: State, command: CallbackTried): Decision<CallbackTried> {
  const callback = state.callback(command.attempt, command.sequence);
  const attempt = state.attempt(command.attempt);
  if (!callback || !attempt) return unchanged({ kind: 'unknown' });
  if (callback.state !== 'ready') return unchanged({ kind: 'stale' });
  if (!command.ok && callback.owner !== command.owner) return unchanged({ kind: 'not-owner' });

  const { now, httpStatus, reason } = command;
  const wait = CALLBACK_RETRIES[callback.tries];
  const tried = { ...callback, tries: callback.tries + 1, httpStatus, reason, updatedAt: now };
  if (!command.ok && command.retriable && wait !== undefined) {
    return {
      outcome: { kind: 'recorded' },
      changes: [{ table: 'callback', row: { ...tried, nextAt: now + wait } }],
      effects: [],
    };
  }
  const settled: Callback = { ...tried, state: command.ok ? 'delivered' : 'failed' };
  const next = state.callback(command.attempt, command.sequence + 1);
  const released: Callback | null =
    next?.state === 'held' ? { ...next, state: 'ready', owner: command.owner, nextAt: now } : null;
  return {
    outcome: { kind: 'recorded' },
    changes: [
      { table: 'callback', row: settled },
      { table: 'attempt', row: { ...attempt, callbacksSettled: command.sequence } },
      ...(released ? [{ table: 'callback' as const, row: released }] : []),
    ],
    effects: released ? [{ kind: 'callback', callback: released }] : [],
  };
}
