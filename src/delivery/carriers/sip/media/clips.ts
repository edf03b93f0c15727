import { encode } from './g711.js';
import type { Codec } from './media.js';
import type { Order } from './protocol.js';

/** Bytes of clips that the media thread keeps: the prompts of some thirty locales, or 70 minutes. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Which clips the media thread has. Each is encoded and handed over once per codec, then named by its number. */
export class Clips {
  readonly #limit: number;
  readonly #numbers: Readonly<Record<Codec, WeakMap<Int16Array, number>>> = {
    PCMU: new WeakMap(),
    PCMA: new WeakMap(),
  };
  /** The bytes of each that is there, the one used longest ago first. */
  readonly #sizes = new Map<number, number>();
  #bytes = 0;
  #last = 0;

  constructor(limit = MAX_BYTES) {
    this.#limit = limit;
  }

  /**
   * The number of a clip.
   * @param post hands the clip over, where it is not there yet; the bytes may be given away
   */
  numberOf(samples: Int16Array, codec: Codec, post: (order: Order & { kind: 'clip' }) => void): number {
    const known = this.#numbers[codec].get(samples);
    const size = known === undefined ? undefined : this.#sizes.get(known);
    if (known !== undefined && size !== undefined) {
      this.#sizes.delete(known);
      this.#sizes.set(known, size);
      return known;
    }
    const clip = ++this.#last;
    const bytes = encode(codec, samples);
    this.#numbers[codec].set(samples, clip);
    this.#sizes.set(clip, bytes.length);
    this.#bytes += bytes.length;
    post({ kind: 'clip', clip, bytes });
    return clip;
  }

  /** What is to be forgotten now, over there too. After a play, so that none of its own clips is missing. */
  overflow(): number[] {
    const forgotten: number[] = [];
    for (const [clip, size] of this.#sizes) {
      if (this.#bytes <= this.#limit) break;
      this.#sizes.delete(clip);
      this.#bytes -= size;
      forgotten.push(clip);
    }
    return forgotten;
  }

  /** A new media thread has none. */
  clear(): void {
    this.#sizes.clear();
    this.#bytes = 0;
  }
}
