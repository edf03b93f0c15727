import { sequenceDistance } from './rtp.js';

/** A jump of sequence numbers beyond this is a new start, not loss (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3000;

/** What a receiver report says of a source (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Of the packets expected since the last report, in 1/256. */
  readonly fractionLost: number;
  readonly lost: number;
  readonly highestSequence: number;
  /** In units of the RTP clock, 1/8 ms. */
  readonly jitter: number;
}

/** Counts the packets of one source as RFC 3550 appendices A.1, A.3 and A.8 do. */
export class Reception {
  readonly ssrc: number;
  #base: number;
  #highest: number;
  #received = 0;
  #lostBefore = 0;
  #reportedExpected = 0;
  #reportedReceived = 0;
  #transit: number | null = null;
  #jitter = 0;

  constructor(ssrc: number, sequence: number) {
    this.ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence - 1;
  }

  /**
   * @param timestamp of the packet; null where it says nothing of the time of sending (telephone events)
   * @param arrival milliseconds, monotonic
   * @returns whether the packet is newer than all before it, neither a repeat nor overtaken
   */
  take(sequence: number, timestamp: number | null, arrival: number): boolean {
    const ahead = sequenceDistance(this.#highest & 0xffff, sequence);
    if (Math.abs(ahead) > MAX_DROPOUT) this.#startOver(sequence);
    else if (ahead > 0) this.#highest += ahead;
    this.#received++;
    if (timestamp !== null) this.#measure(timestamp, arrival);
    return ahead > 0 || Math.abs(ahead) > MAX_DROPOUT;
  }

  #startOver(sequence: number): void {
    this.#lostBefore = this.lost;
    this.#base = sequence;
    this.#highest = sequence;
    this.#received = 0;
    this.#reportedExpected = 0;
    this.#reportedReceived = 0;
    this.#transit = null;
  }

  #measure(timestamp: number, arrival: number): void {
    const transit = (Math.round(arrival * 8) - timestamp) | 0;
    if (this.#transit !== null) {
      const change = Math.abs((transit - this.#transit) | 0);
      // A sender that starts its timestamps anew is no jitter: nothing above four seconds counts.
      if (change < 32_000) this.#jitter += (change - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  get #expected(): number {
    return this.#highest - this.#base + 1;
  }

  /** Never below 0: repeats do not make up for loss elsewhere. */
  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#received);
  }

  get jitterMs(): number {
    return this.#jitter / 8;
  }

  /** The block of the next report; what it counts as "since the last report" begins anew. */
  report(): ReportBlock {
    const expected = this.#expected - this.#reportedExpected;
    const received = this.#received - this.#reportedReceived;
    this.#reportedExpected = this.#expected;
    this.#reportedReceived = this.#received;
    const fraction = expected <= 0 ? 0 : Math.floor(((expected - received) * 256) / expected);
    return {
      ssrc: this.ssrc,
      fractionLost: Math.min(255, Math.max(0, fraction)),
      lost: Math.min(0x7fffff, this.lost),
      highestSequence: this.#highest >>> 0,
      jitter: Math.floor(this.#jitter),
    };
  }
}
