/** An address and port, as sockets say them. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** Quiet of the known source, in milliseconds, after which another port of its address may take its place. */
const MOVED_AFTER = 1000;

/**
 * Symmetric RTP (RFC 4961) that no stranger can turn: sends to where the peer's packets come from. The first source
 * is kept; another port of the same address takes over once the first has been quiet for a second (a NAT that has
 * forgotten its mapping); another address never does, unless a new SDP says so.
 *
 * The source that SDP names comes before other ports of its address, and once it has sent it is kept, however quiet it
 * gets: behind that address, a border controller's, are the calls of others, and one of them may be made to send here.
 */
export class Latch {
  readonly #anyAddress: boolean;
  #told: Source | null = null;
  #learnt: Source | null = null;
  #lastAt = 0;

  /** @param anyAddress whether the first source may have another address than SDP told */
  constructor(anyAddress: boolean) {
    this.#anyAddress = anyAddress;
  }

  /** What the peer's SDP says. A change of it makes the next source the first one again. */
  tell(source: Source): void {
    if (this.#told && isSame(this.#told, source)) return;
    this.#told = source;
    this.#learnt = null;
  }

  /** Where to send; null before any SDP. */
  get target(): Source | null {
    return this.#learnt ?? this.#told;
  }

  /** Where the peer's packets come from; null before the first. */
  get learnt(): Source | null {
    return this.#learnt;
  }

  /** Whether a packet may be the peer's, to be asked before it is looked at. */
  admits(source: Source, now: number): boolean {
    // Nobody can be answered at port 0, which only a forged packet has; Node throws when it is told to.
    if (!this.#told || source.port === 0) return false;
    if (!this.#learnt) return this.#anyAddress || source.address === this.#told.address;
    if (source.address !== this.#learnt.address) return false;
    if (source.port === this.#learnt.port || isSame(source, this.#told)) return true;
    return !isSame(this.#learnt, this.#told) && now - this.#lastAt > MOVED_AFTER;
  }

  /** A packet that was admitted has proved to be one. */
  learn(source: Source, now: number): void {
    this.#lastAt = now;
    if (this.#learnt && isSame(this.#learnt, source)) return;
    this.#learnt = { address: source.address, port: source.port };
  }
}

function isSame(one: Source, other: Source): boolean {
  return one.address === other.address && one.port === other.port;
}
