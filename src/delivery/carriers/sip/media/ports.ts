export interface PortRange {
  readonly from: number;
  /** Included. */
  readonly to: number;
}

/** How many pairs a range has. */
export function pairsIn({ from, to }: PortRange): number {
  return Math.max(0, Math.floor((to + 1 - from - (from % 2)) / 2));
}

/**
 * Pairs of ports (RFC 3550 §11): an even one for RTP, the next for RTCP. The pair that has been free longest is given
 * first, so that late packets of a call that has ended do not reach the next one.
 */
export class PortPairs {
  readonly #free: number[];
  /** The free ones are a queue that begins here; what lies before is cut off now and then. */
  #first = 0;

  /** @param random from 0 to 1: where in the range to begin, so that a port is not to be guessed */
  constructor(range: PortRange, random: number) {
    const first = range.from + (range.from % 2);
    const pairs = Array.from({ length: pairsIn(range) }, (_, index) => first + 2 * index);
    const start = Math.floor(random * pairs.length);
    this.#free = [...pairs.slice(start), ...pairs.slice(0, start)];
  }

  get free(): number {
    return this.#free.length - this.#first;
  }

  /** The even port of a pair; null when all are taken. */
  take(): number | null {
    if (this.free === 0) return null;
    const port = this.#free[this.#first++]!;
    if (this.#first > 1024) {
      this.#free.splice(0, this.#first);
      this.#first = 0;
    }
    return port;
  }

  give(port: number): void {
    this.#free.push(port);
  }
}
