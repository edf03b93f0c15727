import { timestampDistance } from './rtp.js';

/** The digits by their event codes (RFC 4733 §3.2). */
export const DIGITS = '0123456789*#ABCD';

export const MAX_DIGITS = 64;

export interface KeyPress {
  readonly digit: string;
  readonly durationMs: number;
}

/** Milliseconds without a packet of an event after which it counts as ended: its three end packets were lost. */
const LOST_END_MS = 200;

/** Most key presses of a second that are believed. The shortest real ones (40 ms on, 40 ms off) make 12. */
const MAX_PER_SECOND = 20;

/** Longest press that is told apart from longer ones, in units of 1/8 ms: two minutes. */
const MAX_DURATION = 120 * 8000;

interface Pressed {
  readonly event: number;
  /** Of the first packet, which all packets of an event share. */
  readonly timestamp: number;
  /** Duration of the segments before the current one (RFC 4733 §2.5.1.3). */
  readonly before: number;
  duration: number;
  lastAt: number;
  ended: boolean;
}

/**
 * Hears key presses in telephone events. Each counts once, when it has ended: by the end bit, by the next event, or
 * by no more packets coming. Repeats, and packets that were overtaken, change nothing.
 */
export class DtmfReceiver {
  #pressed: Pressed | null = null;
  #second = 0;
  #inSecond = 0;

  /**
   * @param payload of a telephone event packet, of any length
   * @param at arrival, in milliseconds of a monotonic clock
   * @returns the presses that ended with it, at most two
   */
  take(payload: Uint8Array, timestamp: number, marker: boolean, at: number): KeyPress[] {
    const event = payload[0];
    if (payload.length < 4 || event === undefined || event >= DIGITS.length) return [];
    const end = (payload[1]! & 0x80) !== 0;
    const duration = (payload[2]! << 8) | payload[3]!;
    const done: KeyPress[] = [];
    const last = this.#pressed;
    const ahead = last ? timestampDistance(last.timestamp, timestamp) : 1;
    if (ahead < 0 && last && at - last.lastAt < 1000) return done;
    if (ahead !== 0 || !last) {
      const continued = last !== null && continues(last, event, marker, ahead);
      if (!continued) this.#finish(done, at);
      const before = continued ? Math.min(MAX_DURATION, last.before + last.duration) : 0;
      this.#pressed = { event, timestamp, before, duration: 0, lastAt: at, ended: false };
    }
    const pressed = this.#pressed!;
    if (pressed.event !== event || pressed.ended) return done;
    pressed.duration = Math.max(pressed.duration, duration);
    pressed.lastAt = at;
    if (end) this.#finish(done, at);
    return done;
  }

  /** The press whose end packets were lost, once that is certain; to be asked every frame. */
  overdue(at: number): KeyPress | null {
    if (!this.#pressed || this.#pressed.ended || at - this.#pressed.lastAt < LOST_END_MS) return null;
    const done: KeyPress[] = [];
    this.#finish(done, at);
    return done[0] ?? null;
  }

  #finish(done: KeyPress[], at: number): void {
    const pressed = this.#pressed;
    if (!pressed || pressed.ended) return;
    pressed.ended = true;
    const second = Math.floor(at / 1000);
    if (second !== this.#second) this.#inSecond = 0;
    this.#second = second;
    if (++this.#inSecond > MAX_PER_SECOND) return;
    const durationMs = Math.round((pressed.before + pressed.duration) / 8);
    done.push({ digit: DIGITS[pressed.event]!, durationMs });
  }
}

/** A key held for longer than 8 s goes on as a new segment: same event, no marker, where the old one ended. */
function continues(last: Pressed, event: number, marker: boolean, ahead: number): boolean {
  return !last.ended && last.event === event && !marker && last.duration >= 0xff00 && ahead <= 0xffff + 160;
}

/** Length of a press that we send, and of the pause after it, in samples. */
const PRESS = 160 * 8;
const PAUSE = 80 * 8;
/** How often the last packet of an event is sent (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;
/** Power of the tone in -dBm0. */
const VOLUME = 10;

export interface EventPacket {
  /** How many samples before this packet's own time the event began: all its packets carry that timestamp. */
  readonly age: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** Key presses to be sent, one packet per frame. */
export class DtmfSender {
  readonly #waiting: number[] = [];
  #event = 0;
  #age = 0;
  #duration = 0;
  #endPackets = 0;
  #pause = 0;

  /** @param digits of `DIGITS` */
  add(digits: string): void {
    for (const digit of digits) this.#waiting.push(DIGITS.indexOf(digit));
  }

  /** Forgets what has not been sent. */
  clear(): void {
    this.#waiting.length = 0;
    this.#duration = 0;
    this.#pause = 0;
  }

  /** Digits that are not yet sent to their end. */
  get left(): number {
    return this.#waiting.length + (this.#pressing ? 1 : 0);
  }

  /** Whether there is anything to be sent, pauses included, so that no sound goes between the digits. */
  get busy(): boolean {
    return this.left > 0 || this.#pause > 0;
  }

  get #pressing(): boolean {
    return this.#duration > 0;
  }

  /**
   * What the next frame sends; null in a pause.
   * @param samples of the frame
   */
  next(samples: number): EventPacket | null {
    if (!this.#pressing && this.#pause > 0) {
      this.#pause = Math.max(0, this.#pause - samples);
      return null;
    }
    const first = !this.#pressing;
    if (first) {
      const event = this.#waiting.shift();
      if (event === undefined) return null;
      this.#event = event;
      this.#age = 0;
      this.#endPackets = 0;
    } else {
      this.#age += samples;
    }
    this.#duration = Math.min(PRESS, this.#duration + samples);
    const end = this.#duration >= PRESS;
    const flags = (end ? 0x80 : 0) | VOLUME;
    const payload = Uint8Array.of(this.#event, flags, this.#duration >> 8, this.#duration & 0xff);
    if (end && ++this.#endPackets === END_PACKETS) {
      this.#duration = 0;
      this.#pause = Math.max(0, PAUSE - (END_PACKETS - 1) * samples);
    }
    return { age: this.#age, marker: first, payload };
  }
}
