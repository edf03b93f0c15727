import {
  type Cipher,
  createCipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { Suite } from './sdes.js';

// SRTP (RFC 3711) with AES in counter mode and HMAC-SHA1, by hand: see rtp.ts for why not werift-rtp's. A packet takes
// 10 µs: 200 calls with SRTP, both directions, a fifth of a core.

/** Bytes of SRTCP's tag, with either suite (RFC 4568 §6.2). */
const RTCP_TAG = 10;
/** Room that a packet needs behind its end: tag, and for RTCP the index. */
export const SRTP_ROOM = RTCP_TAG + 4;
/** Bytes of a tag, by suite. */
const TAG: Readonly<Record<Suite, number>> = { AES_CM_128_HMAC_SHA1_80: 10, AES_CM_128_HMAC_SHA1_32: 4 };

/** Packets by which one may have been overtaken before it is refused (RFC 3711 §3.3.2). */
const WINDOW = 64;
/** Sources whose state is kept; one more drops the oldest. */
const MAX_SOURCES = 4;

const RTP_LABELS = { cipher: 0, authentication: 1, salt: 2 };
const RTCP_LABELS = { cipher: 3, authentication: 4, salt: 5 };

/** One direction's keys for either RTP or RTCP. */
class Transform {
  readonly #cipher: Cipher;
  readonly #salt: Buffer;
  readonly #authentication: KeyObject;
  readonly #blocks = Buffer.alloc(16 * 96);

  constructor(master: Uint8Array, labels: { cipher: number; authentication: number; salt: number }) {
    // Counter mode out of ECB: the key schedule is made once per call, and a packet is one call into OpenSSL.
    this.#cipher = createCipheriv('aes-128-ecb', derive(master, labels.cipher, 16), null).setAutoPadding(
      false,
    );
    this.#salt = derive(master, labels.salt, 14);
    this.#authentication = createSecretKey(derive(master, labels.authentication, 20));
  }

  /** Encrypts or decrypts in place (RFC 3711 §4.1.1). */
  crypt(packet: Buffer, from: number, to: number, ssrc: number, index: number): void {
    if (to <= from) return;
    const blocks = this.#blocks.subarray(0, Math.ceil((to - from) / 16) * 16);
    const stream = keystream(this.#cipher, this.#salt, ssrc, index, blocks);
    for (let at = from; at < to; at++) packet[at]! ^= stream[at - from]!;
  }

  tag(packet: Buffer, length: number, rollover: number | null): Buffer {
    const hmac = createHmac('sha1', this.#authentication).update(packet.subarray(0, length));
    if (rollover !== null) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(rollover % 2 ** 32);
      hmac.update(bytes);
    }
    return hmac.digest();
  }
}

/**
 * What a packet is combined with (RFC 3711 §4.1.1).
 * @param cipher AES with the session key, in ECB mode without padding
 * @param index the 48-bit index of the packet
 * @param blocks room for the counters, a multiple of 16 bytes: as many are returned
 */
export function keystream(cipher: Cipher, salt: Buffer, ssrc: number, index: number, blocks: Buffer): Buffer {
  const first = counter(salt, ssrc, index);
  for (let at = 0; at < blocks.length; at += 16) {
    first.copy(blocks, at);
    blocks.writeUInt16BE(at >> 4, at + 14);
  }
  return cipher.update(blocks);
}

function counter(salt: Buffer, ssrc: number, index: number): Buffer {
  const block = Buffer.alloc(16);
  salt.copy(block);
  block.writeUInt32BE((block.readUInt32BE(4) ^ ssrc) >>> 0, 4);
  block.writeUInt32BE((block.readUInt32BE(8) ^ Math.floor(index / 2 ** 16)) >>> 0, 8);
  block.writeUInt16BE(block.readUInt16BE(12) ^ (index & 0xffff), 12);
  return block;
}

/**
 * A session key (RFC 3711 §4.3) at a key derivation rate of 0.
 * @param master 16 bytes of key and 14 of salt
 */
export function derive(master: Uint8Array, label: number, size: number): Buffer {
  const start = Buffer.alloc(16);
  start.set(master.subarray(16, 30));
  start[7]! ^= label;
  return createCipheriv('aes-128-ctr', master.subarray(0, 16), start).update(Buffer.alloc(size));
}

/** Remembers which of the last packets have come. */
class ReplayList {
  readonly #seen = new Array<number>(WINDOW).fill(-1);
  highest = -1;

  has(index: number): boolean {
    return index <= this.highest - WINDOW || this.#seen[index % WINDOW] === index;
  }

  add(index: number): void {
    this.#seen[index % WINDOW] = index;
    this.highest = Math.max(this.highest, index);
  }
}

/** What is sent under one key. Packets of RTP are to be protected in the order of their sequence numbers. */
export class SrtpSender {
  readonly #rtp: Transform;
  readonly #rtcp: Transform;
  readonly #tag: number;
  #rollover = 0;
  #lastSequence = -1;
  #rtcpIndex = 0;

  constructor(suite: Suite, key: Uint8Array) {
    this.#rtp = new Transform(key, RTP_LABELS);
    this.#rtcp = new Transform(key, RTCP_LABELS);
    this.#tag = TAG[suite];
  }

  /**
   * Encrypts an RTP packet in place and appends its tag. `packet` has `SRTP_ROOM` bytes to spare.
   * @param start of the payload
   * @returns the new length
   */
  protect(packet: Buffer, start: number, length: number): number {
    const sequence = packet.readUInt16BE(2);
    if (sequence < this.#lastSequence) this.#rollover++;
    this.#lastSequence = sequence;
    this.#rtp.crypt(packet, start, length, packet.readUInt32BE(8), this.#rollover * 2 ** 16 + sequence);
    this.#rtp.tag(packet, length, this.#rollover).copy(packet, length, 0, this.#tag);
    return length + this.#tag;
  }

  /** A compound RTCP packet, encrypted (RFC 3711 §3.4). */
  protectReport(report: Buffer): Buffer {
    const index = this.#rtcpIndex++ % 2 ** 31;
    const packet = Buffer.alloc(report.length + SRTP_ROOM);
    report.copy(packet);
    this.#rtcp.crypt(packet, 8, report.length, packet.readUInt32BE(4), index);
    packet.writeUInt32BE(2 ** 31 + index, report.length);
    this.#rtcp.tag(packet, report.length + 4, null).copy(packet, report.length + 4, 0, RTCP_TAG);
    return packet;
  }
}

/** What comes in under one key. */
export class SrtpReceiver {
  readonly #rtp: Transform;
  readonly #rtcp: Transform;
  readonly #tag: number;
  readonly #sources = new Map<number, ReplayList>();
  readonly #reports = new Map<number, ReplayList>();

  constructor(suite: Suite, key: Uint8Array) {
    this.#rtp = new Transform(key, RTP_LABELS);
    this.#rtcp = new Transform(key, RTCP_LABELS);
    this.#tag = TAG[suite];
  }

  /**
   * Checks and decrypts an RTP packet in place.
   * @param start of the payload
   * @returns its length without the tag; -1 when it is forged, a repeat or too old
   */
  open(packet: Buffer, start: number): number {
    const length = packet.length - this.#tag;
    if (length < start) return -1;
    const ssrc = packet.readUInt32BE(8);
    const source = this.#sources.get(ssrc) ?? new ReplayList();
    const index = packetIndex(source.highest, packet.readUInt16BE(2));
    if (index < 0 || source.has(index)) return -1;
    const tag = this.#rtp.tag(packet, length, Math.floor(index / 2 ** 16));
    if (!timingSafeEqual(tag.subarray(0, this.#tag), packet.subarray(length))) return -1;
    this.#rtp.crypt(packet, start, length, ssrc, index);
    source.add(index);
    keep(this.#sources, ssrc, source);
    return length;
  }

  /** The compound RTCP packet in it; null when it is forged, a repeat or too old. */
  openReport(packet: Buffer): Buffer | null {
    const length = packet.length - SRTP_ROOM;
    if (length < 8) return null;
    const word = packet.readUInt32BE(length);
    const index = word % 2 ** 31;
    const ssrc = packet.readUInt32BE(4);
    const source = this.#reports.get(ssrc) ?? new ReplayList();
    if (source.has(index)) return null;
    const tag = this.#rtcp.tag(packet, length + 4, null);
    if (!timingSafeEqual(tag.subarray(0, RTCP_TAG), packet.subarray(length + 4))) return null;
    if (word >= 2 ** 31) this.#rtcp.crypt(packet, 8, length, ssrc, index);
    source.add(index);
    keep(this.#reports, ssrc, source);
    return packet.subarray(0, length);
  }
}

/** A source is kept only once one of its packets has proved genuine. */
function keep(sources: Map<number, ReplayList>, ssrc: number, source: ReplayList): void {
  if (sources.has(ssrc)) return;
  sources.set(ssrc, source);
  if (sources.size > MAX_SOURCES) sources.delete(sources.keys().next().value!);
}

/**
 * The 48-bit index of a packet (RFC 3711 §3.3.1): the one nearest to the highest so far that has its sequence number.
 * @param highest -1 before the first packet
 */
export function packetIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence;
  const rollover = Math.floor(highest / 2 ** 16);
  const last = highest % 2 ** 16;
  let guess = rollover;
  if (last < 2 ** 15 && sequence - last > 2 ** 15) guess--;
  if (last >= 2 ** 15 && last - 2 ** 15 > sequence) guess++;
  return guess * 2 ** 16 + sequence;
}
