import type { Environment } from '../../../environment.js';

/** Pause after the SMSC says that it is too much, in milliseconds: doubling from first to last. */
const PAUSE_FIRST = 1_000;
const PAUSE_LAST = 8_000;
/** After so long without such an answer the rate grows again, step by step. */
const RECOVER_EVERY = 5_000;
const RECOVER_BY = 1.5;
const SLOWEST = 1;

/** How fast messages may go. Counts SMS, not messages. */
export interface Pace {
  /** SMS a second at present; null: no limit. */
  readonly rate: number | null;
  /** Milliseconds until so many SMS may go. */
  delay(count: number): number;
  /** Counts them as gone. */
  take(count: number): void;
  /** The SMSC said that it is too much: halves the rate and pauses. */
  throttled(): void;
}

/**
 * A token bucket whose rate is halved when the SMSC is overrun, and grows back to what is configured by half of
 * itself every five seconds.
 * @param configured SMS a second; null: no limit
 * @param burst SMS that may go at once after a pause
 */
export function createPace(
  environment: Pick<Environment, 'monotonic' | 'randomBytes'>,
  configured: number | null,
  burst: number,
): Pace {
  const ceiling = configured ?? Number.POSITIVE_INFINITY;
  let rate = ceiling;
  /** Past it an unlimited pace is unlimited again. */
  let enough = ceiling;
  let tokens = burst;
  let countedAt = environment.monotonic();
  let pausedUntil = 0;
  let pauses = 0;
  let changedAt = 0;
  let second = { start: countedAt, count: 0, before: 0 };

  function refill(now: number): void {
    while (rate < ceiling && now - changedAt >= RECOVER_EVERY) {
      rate *= RECOVER_BY;
      changedAt += RECOVER_EVERY;
      if (rate >= Math.min(ceiling, enough)) {
        rate = ceiling;
        pauses = 0;
      }
    }
    const from = Math.max(countedAt, Math.min(pausedUntil, now));
    tokens =
      rate === Number.POSITIVE_INFINITY ? burst : Math.min(burst, tokens + ((now - from) * rate) / 1000);
    countedAt = now;
  }

  /** SMS in the last second or so, when there is no rate to halve. */
  function observed(now: number): number {
    const elapsed = Math.max(now - second.start, 1_000);
    return Math.max(second.before, (second.count * 1000) / elapsed);
  }

  return {
    get rate() {
      refill(environment.monotonic());
      return rate === Number.POSITIVE_INFINITY ? null : rate;
    },
    delay(count) {
      const now = environment.monotonic();
      refill(now);
      const pause = Math.max(0, pausedUntil - now);
      if (rate === Number.POSITIVE_INFINITY) return pause;
      const missing = Math.min(count, burst) - tokens;
      return missing > 1e-6 ? pause + Math.ceil((missing * 1000) / rate) : pause;
    },
    take(count) {
      const now = environment.monotonic();
      refill(now);
      if (rate !== Number.POSITIVE_INFINITY) tokens -= count;
      if (now - second.start >= 1_000) {
        second = { start: now, count: 0, before: (second.count * 1000) / (now - second.start) };
      }
      second.count += count;
    },
    throttled() {
      const now = environment.monotonic();
      refill(now);
      // The rest of the window that was under way gets the same answer.
      if (now < pausedUntil) return;
      const base = rate === Number.POSITIVE_INFINITY ? observed(now) : rate;
      if (rate === ceiling) enough = base * 2;
      rate = Math.max(Math.min(SLOWEST, ceiling), base / 2);
      const jitter = 0.875 + (environment.randomBytes(1)[0]! / 255) * 0.25;
      pausedUntil = now + Math.round(Math.min(PAUSE_FIRST * 2 ** pauses, PAUSE_LAST) * jitter);
      pauses = Math.min(pauses + 1, 10);
      changedAt = pausedUntil;
      tokens = 0;
    },
  };
}
