/** A part of what is played: G.711 bytes, or samples of silence. */
export type Part = { readonly bytes: Uint8Array } | { readonly silence: number };

/** What one frame holds. */
export type Filled =
  /** Nothing is left to be played. */
  | 'nothing'
  /** Silence that belongs to what is played. */
  | 'silence'
  | 'sound';

/** Cuts parts into frames, one after the other without a gap. */
export class Playback {
  readonly #parts: readonly Part[];
  #part = 0;
  #offset = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts.filter((part) => lengthOf(part) > 0);
  }

  get ended(): boolean {
    return this.#part >= this.#parts.length;
  }

  /** Fills `target` from `start` to `end`; where the parts end before the frame, with `silenceByte`. */
  fill(target: Uint8Array, start: number, end: number, silenceByte: number): Filled {
    if (this.ended) return 'nothing';
    let filled: Filled = 'silence';
    let at = start;
    while (at < end && !this.ended) {
      const part = this.#parts[this.#part]!;
      const size = Math.min(end - at, lengthOf(part) - this.#offset);
      if ('bytes' in part) {
        target.set(part.bytes.subarray(this.#offset, this.#offset + size), at);
        filled = 'sound';
      } else {
        target.fill(silenceByte, at, at + size);
      }
      at += size;
      this.#offset += size;
      if (this.#offset === lengthOf(part)) {
        this.#part++;
        this.#offset = 0;
      }
    }
    target.fill(silenceByte, at, end);
    return filled;
  }
}

function lengthOf(part: Part): number {
  return 'bytes' in part ? part.bytes.length : part.silence;
}
