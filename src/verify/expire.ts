import type { Effect, Expire } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { Attempt, Session } from './model.js';
import { announce, moveTo, type Progress, record } from './progress.js';
import type { Change, State } from './state.js';

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
 * The changes that end a session unverified: attempts that no carrier took fail, and the expiry callback names
 * the last attempt (contract §6); if that one fails now, its callback says both. The live row goes only if it
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
    const progress = pending ? failUntaken(expired, attempt, at) : announce(expired, attempt, at);
    const written = record(progress);
    changes.push(...written.changes);
    effects.push(...written.effects);
    if (pending) effects.push({ kind: 'drop', attempt: attempt.uuid });
  }
  return { changes, effects };
}

function failUntaken(session: Session, attempt: Attempt, at: { now: number; owner: number }): Progress {
  const failed = moveTo(session, attempt, 'failed', attempt.errorCode ?? NEVER_TAKEN[attempt.channel], at);
  return { ...failed, attempt: { ...failed.attempt, delivery: 'done' } };
}
