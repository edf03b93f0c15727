/** Milliseconds of sound in a frame: the pace of all calls. */
export const FRAME_MS = 20;

/**
 * Moments within a frame at which calls send, 1 ms apart: what a timer of Node can tell apart. 200 calls then send ten
 * packets at a time instead of 200.
 */
export const PHASES = 20;
const PHASE_MS = FRAME_MS / PHASES;

/** Sent later than this after its time, in milliseconds, a packet counts as late. */
export const LATE_MS = 5;

/**
 * After a stall longer than this, in milliseconds, what was missed is left out instead of sent at once: a jitter
 * buffer takes up a few frames, more of them it would throw away, and with them a part of a digit.
 */
export const MAX_CATCH_UP_MS = 100;

/** A moment at which the calls of one phase send. */
export interface Slot {
  readonly phase: number;
  /** When, in the milliseconds of the clock that was given. */
  readonly at: number;
}

/**
 * The timetable of all calls. Every slot's time is counted from one origin, so that no delay of a timer adds up, and
 * calls are spread over the phases of a frame. Knows no clock: times come in as arguments.
 */
export class Pacer {
  readonly #origin: number;
  readonly #calls = new Array<number>(PHASES).fill(0);
  #active = 0;
  /** The next slot to be looked at, counted from the origin. */
  #next = 0;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: number) {
    this.#origin = now;
  }

  /** The phase with the fewest calls, which has one more from now on. */
  add(now: number): number {
    if (this.#active === 0) this.#next = Math.max(this.#next, this.#slotAfter(now));
    else this.#passEmpty(this.#slotAfter(now) - 1);
    this.#active++;
    const phase = this.#calls.indexOf(Math.min(...this.#calls));
    this.#calls[phase]!++;
    return phase;
  }

  remove(phase: number): void {
    this.#calls[phase]!--;
    this.#active--;
  }

  /**
   * The slots whose time has come, in order, each once, those without calls left out.
   * @returns also `skipped`: the frames that a stall before them made every call miss
   */
  due(now: number): { skipped: number; slots: Slot[] } {
    const slots: Slot[] = [];
    if (this.#active === 0) return { skipped: 0, slots };
    const last = this.#slotAfter(now) - 1;
    this.#passEmpty(last);
    const missed = (last - this.#next) * PHASE_MS;
    const skipped = missed > MAX_CATCH_UP_MS ? Math.floor(missed / FRAME_MS) : 0;
    // Whole frames are skipped, so that every call misses the same number.
    this.#next += skipped * PHASES;
    for (; this.#next <= last; this.#next++) {
      const phase = this.#next % PHASES;
      if (this.#calls[phase]! > 0) slots.push({ phase, at: this.#origin + this.#next * PHASE_MS });
    }
    return { skipped, slots };
  }

  /** When the next slot with calls is due; null when there is no call. */
  nextAt(): number | null {
    if (this.#active === 0) return null;
    let slot = this.#next;
    while (this.#calls[slot % PHASES] === 0) slot++;
    return this.#origin + slot * PHASE_MS;
  }

  /** Slots without calls, up to `last`, are over: a call that joins later has none of them. */
  #passEmpty(last: number): void {
    while (this.#next <= last && this.#calls[this.#next % PHASES] === 0) this.#next++;
  }

  #slotAfter(now: number): number {
    return Math.floor((now - this.#origin) / PHASE_MS) + 1;
  }
}
