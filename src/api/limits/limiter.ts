import type { Environment } from '../../environment.js';
import { nextUse, type Rate } from '../../verify/limits.js';

/** Counts uses by key against one rate. */
export interface Limiter {
  /** Milliseconds until a use of this key is allowed; 0: now. */
  wait(key: string): number;
  /** Counts a use, allowed or not. */
  take(key: string): void;
  /** Undoes one use. */
  giveBack(key: string): void;
  /** Whether some use of this key has not grown back yet. */
  isUsed(key: string): boolean;
}

/** Keys that are remembered at least, those used last; at most twice as many. A key takes some 100 bytes. */
const KEYS = 50_000;

const UNLIMITED: Limiter = { wait: () => 0, take: () => {}, giveBack: () => {}, isUsed: () => false };

/**
 * A limiter in memory, by the monotonic clock. Every node counts for itself, so that n nodes allow at most n times
 * the rate, and a restart forgets. With more keys in use than are remembered, the ones used least lately start
 * afresh.
 * @param rate null: everything is allowed
 */
export function createLimiter(environment: Environment, rate: Rate | null, keys = KEYS): Limiter {
  if (rate === null) return UNLIMITED;
  // Two generations: when the young one is full it becomes the old one, which is dropped whole. Removing single
  // keys from the front of a Map gets slow, as it steps over those that were removed before.
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  const wholeAt = (key: string) => young.get(key) ?? old.get(key);
  const put = (key: string, value: number) => {
    if (young.size >= keys && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    wait: (key) => nextUse(rate, wholeAt(key), environment.monotonic()).wait,
    take: (key) => put(key, nextUse(rate, wholeAt(key), environment.monotonic()).wholeAt),
    giveBack: (key) => {
      const known = wholeAt(key);
      if (known !== undefined) put(key, known - rate.per / rate.count);
    },
    isUsed: (key) => (wholeAt(key) ?? Number.NEGATIVE_INFINITY) > environment.monotonic(),
  };
}
