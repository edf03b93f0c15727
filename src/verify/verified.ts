import type { Effect } from './commands.js';
import type { Attempt, Session } from './model.js';
import type { Change, State } from './state.js';

/** A session that became verified, and what follows from that. */
export interface Verified {
  readonly session: Session;
  readonly changes: readonly Change[];
  readonly effects: readonly Effect[];
}

/**
 * The session is verified, no longer live, and what was still to be delivered is dropped.
 * @param by the attempt that did it, whose row is left to the caller
 */
export function verifySession(state: State, session: Session, by?: Attempt['uuid']): Verified {
  const verified: Session = { ...session, status: 'verified' };
  const changes: Change[] = [{ table: 'session', row: verified }];
  const effects: Effect[] = [];
  const live = state.live(session.application, session.recipient);
  if (live?.session === session.uuid) changes.push({ table: 'live', remove: live });
  for (const attempt of state.attemptsOf(session.uuid)) {
    if (attempt.delivery !== 'pending' || attempt.uuid === by) continue;
    changes.push({ table: 'attempt', row: { ...attempt, delivery: 'done' } });
    effects.push({ kind: 'drop', attempt: attempt.uuid });
  }
  return { session: verified, changes, effects };
}
