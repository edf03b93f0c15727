import { DtmfSender } from './dtmf.js';
import { SILENCE_BYTE } from './g711.js';
import type { Codec } from './media.js';
import type { Part } from './playback.js';
import { Playback } from './playback.js';
import { HEADER_SIZE, prepareHeader, writeHeader } from './rtp.js';
import type { Agreement } from './sdp.js';
import { SRTP_ROOM, type SrtpSender } from './srtp.js';

/** Samples of a frame of 20 ms. */
export const FRAME = 160;
const MAX_FRAMES = 3;

/**
 * Packets of a call that may be on their way at once. The operating system takes a datagram at once, save when its
 * buffer is full; then Node keeps it, and the bytes must stay as they are.
 */
const BUFFERS = 4;

/** Frames between comfort noise packets: often enough to keep a NAT's mapping. */
const NOISE_EVERY = 10;
/** Noise of a quiet line, in -dBov (RFC 3389 §3). */
const NOISE_LEVEL = 70;

interface Running {
  readonly playback: Playback;
  readonly codec: Codec;
  readonly ended: (how: 'played' | 'stopped') => void;
}

interface Pressing {
  /** The number of digits after which these are sent. */
  readonly until: number;
  readonly ended: (failure: string | null) => void;
}

/** Makes a call's packets: what is played, key presses, silence. Knows neither sockets nor clocks. */
export class Sender {
  readonly ssrc: number;
  readonly #packets: Buffer[];
  readonly #dtmf = new DtmfSender();
  #running: Running | null = null;
  #pressing: Pressing[] = [];
  #digits = 0;
  #sequence: number;
  #timestamp: number;
  #next = 0;
  /** The next packet of sound begins a talkspurt (RFC 3551 §4.1): the first, and the first after a gap. */
  #marker = true;
  #sinceNoise = NOISE_EVERY;
  /** Frames of the packet that is being waited for. */
  #frames = 0;
  packets = 0;
  octets = 0;

  /** @param random eight bytes: source, first sequence number and timestamp are not to be guessed (RFC 3550 §5.1) */
  constructor(random: Uint8Array) {
    const view = new DataView(random.buffer, random.byteOffset);
    this.ssrc = view.getUint32(0);
    // The rollover of SRTP begins at 0 on both sides, so that the first packets must not wrap (RFC 3711 §3.3.1).
    this.#sequence = view.getUint16(4) >> 1;
    this.#timestamp = view.getUint16(6) * 2 ** 16;
    this.#packets = Array.from({ length: BUFFERS }, () => {
      const packet = Buffer.alloc(HEADER_SIZE + MAX_FRAMES * FRAME + SRTP_ROOM);
      prepareHeader(packet, this.ssrc);
      return packet;
    });
  }

  /** The timestamp of the next packet. */
  get timestamp(): number {
    return this.#timestamp;
  }

  play(parts: readonly Part[], codec: Codec, ended: Running['ended']): void {
    this.stop();
    this.#running = { playback: new Playback(parts), codec, ended };
    if (this.#running.playback.ended) this.#finish('played');
  }

  stop(): void {
    this.#finish('stopped');
  }

  press(digits: string, ended: Pressing['ended']): void {
    this.#dtmf.add(digits);
    this.#digits += digits.length;
    this.#pressing.push({ until: this.#digits, ended });
  }

  /** Ends whatever is going on. */
  end(why: string): void {
    this.stop();
    this.failPresses(why);
  }

  failPresses(why: string): void {
    this.#dtmf.clear();
    for (const { ended } of this.#pressing.splice(0)) ended(why);
  }

  /** What is played in a codec that was agreed on no longer would be noise. */
  agree(agreement: Agreement): void {
    if (this.#running && this.#running.codec !== agreement.codec) this.stop();
    this.#frames = 0;
  }

  /** A stall has made the call miss frames: time has passed, what is played has not. */
  skip(frames: number): void {
    this.#advance(frames * FRAME);
    this.#marker = true;
  }

  /**
   * The packet of the next frame, to be sent at once; null when none is due, in which case time passes all the same.
   * The buffer is used again a few frames later.
   */
  frame(agreement: Agreement, srtp: SrtpSender | null): Buffer | null {
    if (++this.#frames < agreement.frames) return null;
    this.#frames = 0;
    const samples = agreement.frames * FRAME;
    const packet = agreement.sending ? this.#make(agreement, samples, srtp) : null;
    if (!agreement.sending) this.#marker = true;
    this.#advance(samples);
    return packet;
  }

  #advance(samples: number): void {
    this.#timestamp = (this.#timestamp + samples) >>> 0;
  }

  #make(agreement: Agreement, samples: number, srtp: SrtpSender | null): Buffer | null {
    if (this.#dtmf.busy && agreement.events !== null) {
      const event = this.#dtmf.next(samples);
      this.#settlePresses();
      if (event) {
        const packet = this.#buffer();
        packet.set(event.payload, HEADER_SIZE);
        this.#marker = true;
        const timestamp = (this.#timestamp - event.age) >>> 0;
        return this.#seal(packet, event.marker, agreement.events, timestamp, event.payload.length, srtp);
      }
      return this.#silence(agreement, samples, srtp);
    }
    return this.#sound(agreement, samples, srtp);
  }

  #sound(agreement: Agreement, samples: number, srtp: SrtpSender | null): Buffer | null {
    if (!this.#running) return this.#silence(agreement, samples, srtp);
    const packet = this.#packets[this.#next]!;
    const { playback } = this.#running;
    const filled = playback.fill(packet, HEADER_SIZE, HEADER_SIZE + samples, SILENCE_BYTE[agreement.codec]);
    if (playback.ended) this.#finish('played');
    if (filled !== 'sound') return this.#silence(agreement, samples, srtp);
    return this.#speak(this.#buffer(), agreement, samples, srtp);
  }

  #silence(agreement: Agreement, samples: number, srtp: SrtpSender | null): Buffer | null {
    if (agreement.noise === null) {
      const packet = this.#buffer();
      packet.fill(SILENCE_BYTE[agreement.codec], HEADER_SIZE, HEADER_SIZE + samples);
      return this.#speak(packet, agreement, samples, srtp);
    }
    this.#marker = true;
    this.#sinceNoise += agreement.frames;
    if (this.#sinceNoise < NOISE_EVERY) return null;
    this.#sinceNoise = 0;
    const packet = this.#buffer();
    packet[HEADER_SIZE] = NOISE_LEVEL;
    return this.#seal(packet, false, agreement.noise, this.#timestamp, 1, srtp);
  }

  #speak(packet: Buffer, agreement: Agreement, samples: number, srtp: SrtpSender | null): Buffer {
    const marker = this.#marker;
    this.#marker = false;
    // Silence after sound is announced at once.
    this.#sinceNoise = NOISE_EVERY;
    return this.#seal(packet, marker, agreement.payloadType, this.#timestamp, samples, srtp);
  }

  #seal(
    packet: Buffer,
    marker: boolean,
    type: number,
    timestamp: number,
    size: number,
    srtp: SrtpSender | null,
  ): Buffer {
    writeHeader(packet, marker, type, this.#sequence, timestamp);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packets++;
    this.octets += size;
    const length = HEADER_SIZE + size;
    return packet.subarray(0, srtp ? srtp.protect(packet, HEADER_SIZE, length) : length);
  }

  #buffer(): Buffer {
    const packet = this.#packets[this.#next]!;
    this.#next = (this.#next + 1) % BUFFERS;
    return packet;
  }

  #finish(how: 'played' | 'stopped'): void {
    const running = this.#running;
    this.#running = null;
    running?.ended(how);
  }

  #settlePresses(): void {
    const sent = this.#digits - this.#dtmf.left;
    while (this.#pressing[0] && this.#pressing[0].until <= sent) this.#pressing.shift()!.ended(null);
  }
}
