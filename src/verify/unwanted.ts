import type { Attempt, AttemptStatus, Session } from './model.js';
import { moveTo, type Progress } from './progress.js';

/** What a call comes to that was under way when its session ended (contract §7): it rang in vain, or we hung up. */
const REACHED: Partial<Record<AttemptStatus, readonly [status: AttemptStatus, errorCode: number]>> = {
  ringing: ['no-answer', 3000],
  'in-progress': ['failed', 4000],
};

/**
 * Ends an attempt that no carrier has taken and that is not wanted any more, since its session has ended.
 * @param errorCode of one that no carrier failed either; null: none
 */
export function endUnwanted(
  session: Session,
  attempt: Attempt,
  errorCode: number | null,
  at: { readonly now: number; readonly owner: number },
): Progress {
  const [status, code] = REACHED[attempt.status] ?? ['failed', attempt.errorCode ?? errorCode];
  const ended = moveTo(session, attempt, status, code, at);
  return { ...ended, attempt: { ...ended.attempt, delivery: 'done' } };
}

/**
 * Whether a message was dropped while a carrier may have been given it: no more is to be done for it, and how it ended is
 * still to be told, by its node or by a receipt.
 */
export function isDropped({
  delivery,
  status,
  taken,
}: Pick<Attempt, 'delivery' | 'status' | 'taken'>): boolean {
  return delivery === 'done' && status === 'queued' && !taken;
}
