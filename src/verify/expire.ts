import type { Effect, Expire } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { Session } from './model.js';
import { announce, record } from './progress.js';
import type { Change, State } from './state.js';
import { endUnwanted } from './unwanted.js';

/** What an attempt says that no carrier had taken when its session ended (contract §7, network error). */
const NEVER_TAKEN = { sms: 20, voice: 5000 } as const;

/** Ends a session whose time has passed. With `force`, one whose key is compromised, whatever its time. */
export function expire(state: State, command: Expire): Decision<Expire> {
  const session = state.session(command.session);
  if (!session) return unchanged({ kind: 'unknown' });
  const due = command.force || session.expiresAt <= command.now;
  if (session.status !== 'in-progress' || !due) return unchanged({ kind: 'stale' });
  return { outcome: { kind: 'recorded' }, ...expireSession(state, session, command) };
}

/**
 * The changes that end a session unverified: attempts that no carrier took end, and the expiry callback names
 * the last attempt (contract §6); if that one ends now, its callback says both. The live row goes only if it
 * is this session's.
 */
export function expireSession(
  state: State,
  session: Session,
  at: { readonly now: number; readonly owner: number },
): { changes: Change[]; effects: Effect[] } {
  const expired: Session = { ...session, status: 'expired', updatedAt: at.now };
  const changes: Change[] = [{ table: 'session', row: expired }];
  const effects: Effect[] = [];
  const live = state.live(session.application, session.recipient);
  if (live?.session === session.uuid) changes.push({ table: 'live', remove: live });
  for (const attempt of state.attemptsOf(session.uuid)) {
    const isLast = attempt.sequence === session.attempts;
    const pending = attempt.delivery === 'pending';
    if (!isLast && !pending) continue;
    const progress = pending
      ? endUnwanted(expired, attempt, NEVER_TAKEN[attempt.channel], at)
      : announce(expired, attempt, at);
    const written = record(progress);
    changes.push(...written.changes);
    effects.push(...written.effects);
    if (pending) effects.push({ kind: 'drop', attempt: attempt.uuid });
  }
  return { changes, effects };
}
