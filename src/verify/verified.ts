import type { Effect } from './commands.js';
import type { Attempt, Session } from './model.js';
import { record } from './progress.js';
import type { Change, State } from './state.js';
import { endUnwanted } from './unwanted.js';

/** A session that became verified, and what follows from that. */
export interface Verified {
  readonly session: Session;
  readonly changes: readonly Change[];
  readonly effects: readonly Effect[];
}

/**
 * The session is verified, no longer live, and what was still to be delivered is dropped. A message may be with a carrier
 * this very moment: its node tells how it ended (see `isDropped`). A call cannot come about any more, whoever makes it, since
 * its claim is refused.
 * @param by the attempt that did it, whose row is left to the caller
 */
export function verifySession(
  state: State,
  session: Session,
  at: { readonly now: number; readonly owner: number },
  by?: Attempt['uuid'],
): Verified {
  const verified: Session = { ...session, status: 'verified' };
  const changes: Change[] = [{ table: 'session', row: verified }];
  const effects: Effect[] = [];
  const live = state.live(session.application, session.recipient);
  if (live?.session === session.uuid) changes.push({ table: 'live', remove: live });
  for (const attempt of state.attemptsOf(session.uuid)) {
    if (attempt.delivery !== 'pending' || attempt.uuid === by) continue;
    const ended =
      attempt.channel === 'sms'
        ? { attempt: { ...attempt, delivery: 'done' as const, updatedAt: at.now }, callbacks: [] }
        : endUnwanted(verified, attempt, null, at);
    const written = record(ended);
    changes.push(...written.changes);
    effects.push({ kind: 'drop', attempt: attempt.uuid }, ...written.effects);
  }
  return { session: verified, changes, effects };
}
