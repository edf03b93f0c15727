import type { Attempt, Session } from './model.js';

/** Longest call that a carrier may report, in seconds. */
export const MAX_CALL_SECONDS = 86_400;

export function isCallDuration(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_CALL_SECONDS;
}

/** What a session costs at a moment (contract §4), in amounts (see `amounts.ts`). */
export interface Charges {
  readonly total: bigint;
  readonly validation: bigint;
  /** One for each attempt, in the same order. */
  readonly attempts: readonly bigint[];
}

/** The charges of a session, from what its rows fixed when they were accepted: no rate card is asked. */
export function chargesOf(
  session: Pick<Session, 'status' | 'validationPrice'>,
  attempts: readonly Priced[],
): Charges {
  const validation = session.status === 'verified' ? BigInt(session.validationPrice) : 0n;
  const each = attempts.map(chargeOf);
  return { total: each.reduce((sum, charge) => sum + charge, validation), validation, attempts: each };
}

/** What the charge of an attempt depends on. */
type Priced = Pick<Attempt, 'channel' | 'status' | 'price' | 'segments' | 'increment' | 'taken' | 'duration'>;

/**
 * An SMS costs its segments once a carrier took it, whatever became of it. A call costs its started increments
 * once it is completed: one at least, as when the carrier told no duration.
 */
function chargeOf({ channel, status, price, segments, increment, taken, duration }: Priced): bigint {
  if (price === null || !taken) return 0n;
  if (channel === 'sms') return BigInt(price) * BigInt(segments ?? 1);
  if (status !== 'completed') return 0n;
  const started = increment === null ? 1 : Math.ceil((duration ?? 0) / increment);
  return BigInt(price) * BigInt(Math.max(1, started));
}
