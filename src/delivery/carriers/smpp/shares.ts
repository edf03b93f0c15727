import type { CarrierContext } from '../../carrier.js';

/** What a node may use of a carrier. */
export interface Share {
  /** The window of each of its binds. */
  readonly windows: readonly number[];
  /** SMS a second; null: no limit. */
  readonly rate: number | null;
  /** SMS at once after a pause. */
  readonly burst: number;
}

/**
 * A node's share of a carrier's totals: every so-manieth bind, with its part of window and rate, so that all nodes
 * together never exceed them. A node beyond the last bind has none.
 */
export function shareOf(
  total: {
    readonly binds: number;
    readonly window: number;
    readonly rate: number | null;
    readonly burst: number;
  },
  { index, count }: CarrierContext['share'],
): Share {
  const { binds, window, rate, burst } = total;
  const windowOf = (bind: number) => Math.floor(window / binds) + (bind < window % binds ? 1 : 0);
  const mine = Array.from({ length: binds }, (_, bind) => bind).filter((bind) => bind % count === index);
  const part = mine.length / binds;
  return {
    windows: mine.map(windowOf),
    rate: rate === null ? null : rate * part,
    burst: Math.max(1, Math.floor(burst * part)),
  };
}
