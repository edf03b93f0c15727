import { setImmediate } from 'node:timers';
import type { Environment, Timer } from '#environment.js';

interface Scheduled {
  readonly at: number;
  /** How long after its creation it was to run. */
  readonly delay: number;
  /** Order of creation: timers of one moment run in it. */
  readonly order: number;
  readonly task: () => void;
  cancelled: boolean;
}

export interface VirtualTimeOptions {
  /** Everything random follows from it: the same seed, the same bytes. */
  readonly seed?: number;
  /** Wall-clock time at the start, in milliseconds since 1970. */
  readonly start?: number;
}

/** An `Environment` whose time passes only when a test says so, and whose randomness follows from a seed. */
export class VirtualEnvironment implements Environment {
  readonly #start: number;
  readonly #random: () => number;
  /** By time, the earliest last. */
  readonly #timers: Scheduled[] = [];
  #elapsed = 0;
  #created = 0;

  constructor({ seed = 1, start = Date.UTC(2026, 0, 31, 8, 52, 39, 363) }: VirtualTimeOptions = {}) {
    this.#start = start;
    this.#random = randomNumbers(seed);
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  randomBytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.#random() >>> 24);
  }

  after(delay: number, task: () => void): Timer {
    const at = this.#elapsed + Math.max(0, delay);
    const timer = { at, delay, order: this.#created++, task, cancelled: false };
    this.#timers.splice(this.#placeOf(timer), 0, timer);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  /** Timers that are still to run. */
  get pending(): number {
    return this.#timers.filter((timer) => !timer.cancelled).length;
  }

  /** Whether a timer is still to run that was set to this delay, in milliseconds. */
  isPending(delay: number): boolean {
    return this.#timers.some((timer) => !timer.cancelled && timer.delay === delay);
  }

  /** When the next timer runs, in milliseconds from now; null when there is none. */
  get untilNext(): number | null {
    this.#discardCancelled();
    const next = this.#timers.at(-1);
    return next ? next.at - this.#elapsed : null;
  }

  /**
   * Lets `duration` milliseconds pass: runs the timers that fall due, each at its own moment and in order, and
   * lets what they set going settle before the next one. Timers that they start run too, if they fall due.
   */
  async advance(duration: number): Promise<void> {
    const end = this.#elapsed + duration;
    await settle();
    for (let next = this.#takeDue(end); next; next = this.#takeDue(end)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.task();
      await settle();
    }
    this.#elapsed = end;
  }

  #takeDue(end: number): Scheduled | null {
    this.#discardCancelled();
    const next = this.#timers.at(-1);
    return next && next.at <= end ? this.#timers.pop()! : null;
  }

  #discardCancelled(): void {
    while (this.#timers.at(-1)?.cancelled) this.#timers.pop();
  }

  /** Where a timer goes, found by halving: behind those that run after it. */
  #placeOf(timer: Scheduled): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle]!;
      const runsLater = other.at > timer.at || (other.at === timer.at && other.order > timer.order);
      if (runsLater) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Lets promises that need no timer and no outside world resolve, however long their chain. */
export async function settle(turns = 2): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/**
 * Waits for something that sockets or workers bring about in real time, without letting virtual time pass.
 * @throws Error naming `what` when it has not come within a minute
 */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await settle(1);
  }
}

/** Unsigned 32-bit numbers of the generator "sfc32" (C. Doty-Humphrey, PractRand). */
export function randomNumbers(seed: number): () => number {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88 ^ Math.floor(seed / 2 ** 32);
  let c = 0xb7e15162;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 16; round++) next();
  return next;
}
