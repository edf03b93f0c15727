import { EventEmitter } from 'node:events';
import { DIGITS, MAX_DIGITS } from './dtmf.js';
import {
  type Codec,
  MAX_CLIP_SAMPLES,
  type MediaEvents,
  type MediaSession,
  type MediaStats,
  type Sound,
} from './media.js';
import type { Order, SessionNews } from './protocol.js';
import { type Agreement, answerTo, EVENT_TYPE, type LocalMedia, readAnswer, writeOffer } from './sdp.js';

/** Sounds of one `play`. */
const MAX_SOUNDS = 1000;
const MAX_SILENCE_MS = 60_000;

/** What a session needs of the thread that does the work. */
export interface Thread {
  post(order: Order): void;
  /** Hands over what the thread does not have yet, and plays it. */
  play(id: number, play: number, codec: Codec, clips: readonly Sound[]): void;
}

interface PendingSend {
  resolve(): void;
  reject(error: Error): void;
}

const NOTHING: MediaStats = {
  packetsSent: 0,
  packetsLate: 0,
  packetsReceived: 0,
  packetsLost: 0,
  jitterMs: 0,
  remote: null,
  codec: null,
  srtp: false,
};

/** A call's media as the main thread sees it: agrees with the peer, and passes the rest on to the media thread. */
export class Session implements MediaSession {
  readonly port: number;
  readonly #id: number;
  readonly #thread: Thread;
  readonly #events = new EventEmitter();
  #local: Omit<LocalMedia, 'version'>;
  #version = 1;
  #lastText: string | null = null;
  #agreement: Agreement | null = null;
  #numbers = 0;
  readonly #plays = new Map<number, (how: 'played' | 'stopped') => void>();
  readonly #sends = new Map<number, PendingSend>();
  #closed: Promise<MediaStats> | null = null;
  #resolveClosed: (stats: MediaStats) => void = () => {};
  #failed = false;

  constructor(id: number, local: Omit<LocalMedia, 'version' | 'eventType'>, thread: Thread) {
    this.#id = id;
    this.port = local.port;
    this.#local = { ...local, eventType: EVENT_TYPE };
    this.#thread = thread;
  }

  offer(): string {
    return this.#write((version) => writeOffer({ ...this.#local, version }));
  }

  answer(sdp: string): 'ok' | { readonly refused: string } {
    const agreement = readAnswer(sdp, { ...this.#local, version: this.#version });
    if ('refused' in agreement) return agreement;
    this.#agree(agreement);
    return 'ok';
  }

  answerOffer(sdp: string): string | null {
    const current = this.#agreement?.codec ?? null;
    const result = answerTo(sdp, { ...this.#local, version: this.#version }, current);
    if ('refused' in result) return null;
    this.#agree(result.agreement);
    return this.#write(result.answer);
  }

  start(): void {
    this.#post({ kind: 'start', id: this.#id });
  }

  async play(clips: readonly Sound[]): Promise<'played' | 'stopped'> {
    clips.forEach(checkSound);
    if (clips.length > MAX_SOUNDS)
      throw new RangeError(`more than ${MAX_SOUNDS} sounds to be played at once`);
    const codec = this.#agreement?.codec;
    if (this.#failed || this.#closed || !codec) return 'stopped';
    const play = ++this.#numbers;
    const ended = new Promise<'played' | 'stopped'>((resolve) => this.#plays.set(play, resolve));
    this.#thread.play(this.#id, play, codec, clips);
    return ended;
  }

  stopPlaying(): void {
    this.#post({ kind: 'stop', id: this.#id });
  }

  async sendDtmf(digits: string): Promise<void> {
    if (digits.length > MAX_DIGITS || ![...digits].every((digit) => DIGITS.includes(digit))) {
      throw new RangeError(`key presses to be sent are at most ${MAX_DIGITS} of ${DIGITS}`);
    }
    if (this.#failed || this.#closed) throw new Error('the call has ended');
    if (!this.#agreement || this.#agreement.events === null) {
      throw new Error('the peer takes no telephone events');
    }
    const send = ++this.#numbers;
    const ended = new Promise<void>((resolve, reject) => this.#sends.set(send, { resolve, reject }));
    this.#thread.post({ kind: 'dtmf', id: this.#id, send, digits });
    return ended;
  }

  on<Name extends keyof MediaEvents>(name: Name, listener: (...values: MediaEvents[Name]) => void): void {
    this.#events.on(name, listener as (...values: unknown[]) => void);
  }

  close(): Promise<MediaStats> {
    this.#closed ??= new Promise((resolve) => {
      this.#resolveClosed = resolve;
      if (this.#failed) resolve(NOTHING);
      else this.#thread.post({ kind: 'close', id: this.#id });
    });
    return this.#closed;
  }

  /** What the media thread says of this session. */
  hear(news: SessionNews): void {
    if (news.kind === 'play-ended') this.#endPlay(news.play, news.how);
    else if (news.kind === 'dtmf-ended') this.#endSend(news.send, news.failure);
    else if (news.kind === 'dtmf') this.#emit('dtmf', news.digit, news.durationMs);
    else if (news.kind === 'voice-start') this.#emit('voice-start');
    else if (news.kind === 'voice-end') this.#emit('voice-end', news.lengthMs);
    else if (news.kind === 'timeout') this.#emit('media-timeout', 'no-packets');
    else if (news.kind === 'closed') this.#end(news.stats);
  }

  /** The media thread has died, and this session's media with it. */
  fail(): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#end(NOTHING);
    this.#emit('media-timeout', 'failed');
  }

  #end(stats: MediaStats): void {
    for (const play of [...this.#plays.keys()]) this.#endPlay(play, 'stopped');
    for (const send of [...this.#sends.keys()]) this.#endSend(send, 'the call has ended');
    // Closed from within (all calls end): a `close` that comes later gets the same answer.
    this.#closed ??= Promise.resolve(stats);
    this.#resolveClosed(stats);
  }

  #agree(agreement: Agreement): void {
    this.#agreement = agreement;
    if (agreement.events !== null) this.#local = { ...this.#local, eventType: agreement.events };
    this.#post({ kind: 'agree', id: this.#id, agreement });
  }

  /** The text with the next version, where it differs from the last one (RFC 3264 §8). */
  #write(textOf: (version: number) => string): string {
    let text = textOf(this.#version);
    if (this.#lastText !== null && text !== this.#lastText) text = textOf(++this.#version);
    this.#lastText = text;
    return text;
  }

  #post(order: Order): void {
    if (!this.#failed && !this.#closed) this.#thread.post(order);
  }

  #emit<Name extends keyof MediaEvents>(name: Name, ...values: MediaEvents[Name]): void {
    this.#events.emit(name, ...values);
  }

  #endPlay(play: number, how: 'played' | 'stopped'): void {
    this.#plays.get(play)?.(how);
    this.#plays.delete(play);
  }

  #endSend(send: number, failure: string | null): void {
    const pending = this.#sends.get(send);
    this.#sends.delete(send);
    if (failure === null) pending?.resolve();
    else pending?.reject(new Error(failure));
  }
}

function checkSound(sound: Sound): void {
  if ('samples' in sound) {
    if (sound.samples.length > MAX_CLIP_SAMPLES) {
      throw new RangeError(`a clip of ${sound.samples.length} samples; at most ${MAX_CLIP_SAMPLES}`);
    }
  } else if (!(sound.silence >= 0 && sound.silence <= MAX_SILENCE_MS)) {
    throw new RangeError(`${sound.silence} ms of silence; 0 to ${MAX_SILENCE_MS}`);
  }
}
