import { DtmfReceiver, type KeyPress } from './dtmf.js';
import { SQUARES } from './g711.js';
import type { Codec } from './media.js';
import { Reception } from './reception.js';
import { emptyHeader, payloadEnd, readHeader } from './rtp.js';
import type { Agreement } from './sdp.js';
import type { SrtpReceiver } from './srtp.js';
import { levelOf, VOICE_FRAME, VoiceDetector } from './voice.js';

/** Received packets of 100 ms that are looked at; the rest is thrown away. Ten times what a peer with 10 ms packets sends. */
const MAX_PER_WINDOW = 100;
const WINDOW_MS = 100;

/** What was heard, in the order in which it was. */
export interface Hearing {
  press(press: KeyPress): void;
  voiceStarts(): void;
  voiceEnds(lengthMs: number): void;
}

/** Makes key presses and voice of a call's packets. Knows neither sockets nor clocks. */
export class Receiver {
  readonly #hearing: Hearing;
  readonly #voice: VoiceDetector;
  readonly #dtmf = new DtmfReceiver();
  readonly #header = emptyHeader();
  #reception: Reception | null = null;
  #lostBefore = 0;
  #windowFrom = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #packets = 0;

  constructor(voiceEndsAfter: number, hearing: Hearing) {
    this.#hearing = hearing;
    this.#voice = new VoiceDetector(voiceEndsAfter);
  }

  get packets(): number {
    return this.#packets;
  }

  get lost(): number {
    return this.#lostBefore + (this.#reception?.lost ?? 0);
  }

  get jitterMs(): number {
    return this.#reception?.jitterMs ?? 0;
  }

  /** The peer's source; null before its first packet. */
  get reception(): Reception | null {
    return this.#reception;
  }

  /** Whether a packet at `now` is still within what is looked at. */
  hasRoom(now: number): boolean {
    if (now - this.#windowFrom >= WINDOW_MS) {
      this.#windowFrom = now;
      this.#inWindow = 0;
    }
    return ++this.#inWindow <= MAX_PER_WINDOW;
  }

  /**
   * Takes a packet from outside, whatever it holds.
   * @param listening whether the call has been answered: what comes before counts, but is not heard
   * @returns whether it is one that the peer may send
   */
  take(
    packet: Buffer,
    agreement: Agreement,
    srtp: SrtpReceiver | null,
    now: number,
    listening: boolean,
  ): boolean {
    const header = this.#header;
    if (!readHeader(packet, header)) return false;
    const { payloadType, timestamp, sequence } = header;
    const codec = agreement.receive[payloadType];
    const isEvent = agreement.eventsIn.includes(payloadType);
    if (!codec && !isEvent && payloadType !== COMFORT_NOISE) return false;
    const length = srtp ? srtp.open(packet, header.start) : packet.length;
    const end = length < 0 ? -1 : payloadEnd(packet, header, length);
    if (end < 0) return false;
    const newer = this.#count(header.ssrc, sequence, isEvent ? null : timestamp, now);
    if (!listening) return true;
    if (isEvent) this.#press(packet.subarray(header.start, end), timestamp, header.marker, now);
    else if (codec && newer) this.#hear(codec, packet, header.start, end, now);
    return true;
  }

  /** To be called every frame: what has ended because nothing came. */
  pass(now: number): void {
    const press = this.#dtmf.overdue(now);
    if (press) this.#hearing.press(press);
    const change = this.#voice.quiet(now);
    if (change?.kind === 'end') this.#hearing.voiceEnds(change.lengthMs);
  }

  #count(ssrc: number, sequence: number, timestamp: number | null, now: number): boolean {
    if (this.#reception?.ssrc !== ssrc) {
      this.#lostBefore = this.lost;
      this.#reception = new Reception(ssrc, sequence);
    }
    this.#packets++;
    return this.#reception!.take(sequence, timestamp, now);
  }

  #press(payload: Uint8Array, timestamp: number, marker: boolean, now: number): void {
    for (const press of this.#dtmf.take(payload, timestamp, marker, now)) this.#hearing.press(press);
  }

  #hear(codec: Codec, packet: Buffer, start: number, end: number, now: number): void {
    for (let from = start; from < end; from += VOICE_FRAME) {
      const to = Math.min(end, from + VOICE_FRAME);
      const level = levelOf(SQUARES[codec], packet, from, to);
      // A packet of several frames is as if its frames had come in their time.
      const change = this.#voice.hear(level, now - (end - to) / 8);
      if (change?.kind === 'start') this.#hearing.voiceStarts();
      if (change?.kind === 'end') this.#hearing.voiceEnds(change.lengthMs);
    }
  }
}

/** RFC 3551 §6. Accepted from everybody: a peer may use it whether we do or not. */
const COMFORT_NOISE = 13;
