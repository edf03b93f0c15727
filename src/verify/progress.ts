import { callbackFor } from './callbacks.js';
import type { Effect } from './commands.js';
import type { Attempt, AttemptStatus, Callback, Session } from './model.js';
import type { Change } from './state.js';
import { isFailure, isSuccess, stepsTo } from './statuses.js';

/** An attempt after a report, with the callbacks that its steps demand. */
export interface Progress {
  readonly attempt: Attempt;
  readonly callbacks: readonly Callback[];
}

/**
 * Moves an attempt forward to a status, through every step that was never reported; each step calls back.
 * Not forward: the attempt as it is, and no callback.
 */
export function moveTo(
  session: Session,
  attempt: Attempt,
  to: AttemptStatus,
  errorCode: number | null,
  at: { readonly now: number; readonly owner: number },
): Progress {
  const callbacks: Callback[] = [];
  let moved = attempt;
  for (const status of stepsTo(attempt.channel, attempt.status, to)) {
    const step = {
      ...moved,
      status,
      errorCode: status === to && isFailure(status) ? errorCode : null,
      delivery: isSuccess(status) || isFailure(status) ? ('done' as const) : moved.delivery,
      updatedAt: at.now,
    };
    const called = announce(session, step, at);
    moved = called.attempt;
    callbacks.push(...called.callbacks);
  }
  return { attempt: moved, callbacks };
}

/** Makes the callback of the attempt's present state; none when the session has no URL. */
export function announce(
  session: Session,
  attempt: Attempt,
  at: { readonly now: number; readonly owner: number },
): Progress {
  if (session.url === null) return { attempt, callbacks: [] };
  const sequence = attempt.callbacksMade + 1;
  const held = attempt.callbacksMade > attempt.callbacksSettled;
  const callback = callbackFor(session, session.url, attempt, sequence, held ? 'held' : 'ready', at);
  return { attempt: { ...attempt, callbacksMade: sequence }, callbacks: [callback] };
}

/** The changes and effects of a progress. */
export function record(progress: Progress): { changes: Change[]; effects: Effect[] } {
  const changes: Change[] = [{ table: 'attempt', row: progress.attempt }];
  const effects: Effect[] = [];
  for (const callback of progress.callbacks) {
    changes.push({ table: 'callback', row: callback });
    if (callback.state === 'ready') effects.push({ kind: 'callback', callback });
  }
  return { changes, effects };
}
