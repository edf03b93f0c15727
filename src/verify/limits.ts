/** At most `count` at once; each use grows back after `per / count` milliseconds, all of them after `per`. */
export interface Rate {
  readonly count: number;
  /** Milliseconds. */
  readonly per: number;
}

/** What an operator may bound; a rate that is null is no limit. Rates are counted by each node for itself. */
export interface Limits {
  /** Failed validations of one recipient in 24 h (contract §3). */
  readonly failedValidationsPerRecipient: number;
  /** List requests a minute and account (contract §5). */
  readonly listsPerMinute: number;
  readonly creates: {
    readonly perAccount: Rate | null;
    readonly perApplication: Rate | null;
    /** Of one account. */
    readonly perRecipient: Rate | null;
    readonly perAddress: Rate | null;
  };
  /** Redeliveries of callbacks that an account asks for. */
  readonly redeliveriesPerAccount: Rate | null;
  readonly failedAuthentications: {
    readonly perAddress: Rate | null;
    readonly perAuthId: Rate | null;
  };
  /** Countries that may be sent to, as ISO 3166-1 alpha-2; null: all. */
  readonly countries: readonly string[] | null;
}

/** Less than this is rounding: a rate's uses add up to `per` only nearly. Milliseconds. */
const ROUNDING = 0.001;

/**
 * The generic cell rate algorithm (ITU-T I.371, virtual scheduling), which needs one number for each thing that
 * is counted: when all of its uses will have grown back.
 * @param wholeAt that moment; undefined when nothing was used, or so long ago that it was forgotten
 * @returns milliseconds until the next use is allowed, 0 when it is now, and what `wholeAt` is after it
 */
export function nextUse(
  rate: Rate,
  wholeAt: number | undefined,
  now: number,
): { wait: number; wholeAt: number } {
  const after = Math.max(wholeAt ?? now, now) + rate.per / rate.count;
  const wait = after - now - rate.per;
  return { wait: wait > ROUNDING ? wait : 0, wholeAt: after };
}
