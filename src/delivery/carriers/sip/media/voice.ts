/** Samples of a frame on which voice is judged: 20 ms at 8 kHz. */
export const VOICE_FRAME = 160;

/** Below this level, in dB under full scale, nothing is voice: speech on a telephone line is at -35 to -15. */
const QUIETEST_VOICE = -50;
/** Above this level everything is, however loud the street. */
const LOUDEST_NOISE = -20;
/** How far voice stands out from the noise of the line, in dB. */
const MARGIN = 10;
/** What is taken for the noise in the first two seconds, since many a callee speaks with the first frame. */
const FIRST_FLOOR = -60;
const QUIETEST = -90;

/**
 * The noise floor is the lowest level of the last two seconds, kept as eight minima of a quarter of a second each:
 * speech dips to the line's noise several times in that time, while a steady noise has no dips and becomes the floor.
 */
const WINDOWS = 8;
const FRAMES_PER_WINDOW = 13;

/** Frames of voice that make a beginning; fewer are a click. Each frame without voice takes one away again. */
const ONSET = 3;

export type VoiceChange = { readonly kind: 'start' } | { readonly kind: 'end'; readonly lengthMs: number };

/** Tells sound from silence by energy, above a floor that follows the line's noise. Times come in as arguments. */
export class VoiceDetector {
  readonly #endsAfter: number;
  readonly #minima = new Array<number>(WINDOWS).fill(FIRST_FLOOR);
  #window = 0;
  #inWindow = 0;
  #onset = 0;
  #startedAt: number | null = null;
  #lastVoiceAt = 0;

  /** @param endsAfter milliseconds of quiet that end a sound */
  constructor(endsAfter: number) {
    this.#endsAfter = endsAfter;
  }

  get speaking(): boolean {
    return this.#startedAt !== null;
  }

  /** The level above which a frame counts as voice, in dB under full scale. */
  get threshold(): number {
    const floor = Math.min(...this.#minima);
    return Math.min(LOUDEST_NOISE, Math.max(QUIETEST_VOICE, floor + MARGIN));
  }

  /**
   * @param level of a frame of 20 ms, in dB under full scale
   * @param at the end of the frame, in milliseconds of a monotonic clock
   */
  hear(level: number, at: number): VoiceChange | null {
    const voiced = level > this.threshold;
    this.#remember(Math.max(QUIETEST, level));
    if (!voiced) {
      this.#onset = Math.max(0, this.#onset - 1);
      return this.quiet(at);
    }
    this.#lastVoiceAt = at;
    if (this.#startedAt !== null || ++this.#onset < ONSET) return null;
    this.#onset = 0;
    this.#startedAt = at - ONSET * 20;
    return { kind: 'start' };
  }

  /** What has become of the sound at a moment, frames or none: peers with silence suppression send none. */
  quiet(at: number): VoiceChange | null {
    if (this.#startedAt === null || at - this.#lastVoiceAt < this.#endsAfter) return null;
    const lengthMs = Math.max(0, Math.round(this.#lastVoiceAt - this.#startedAt));
    this.#startedAt = null;
    this.#onset = 0;
    return { kind: 'end', lengthMs };
  }

  #remember(level: number): void {
    if (this.#inWindow === FRAMES_PER_WINDOW) {
      this.#window = (this.#window + 1) % WINDOWS;
      this.#minima[this.#window] = Number.POSITIVE_INFINITY;
      this.#inWindow = 0;
    }
    this.#inWindow++;
    this.#minima[this.#window] = Math.min(this.#minima[this.#window]!, level);
  }
}

/** The level of G.711 bytes in dB under full scale, by the table of squares of their codec. */
export function levelOf(squares: Float64Array, bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += squares[bytes[at]!]!;
  if (to <= from || sum === 0) return QUIETEST;
  return Math.max(QUIETEST, 10 * Math.log10(sum / (to - from) / 32_768 ** 2));
}
