// RTP headers by hand (RFC 3550 §5.1). werift-rtp's classes were judged and left out: importing them takes 350 ms and
// 17 MB, a header is built of 15 defineProperty calls and six buffers, and its SRTP knows neither a replay list nor
// the 32-bit tag and miscounts the rollover when the packet with sequence number 0 is lost.

/** Bytes of a header without contributing sources and extension: all that we ever send. */
export const HEADER_SIZE = 12;

/** Longest packet that is looked at. Ethernet's size: G.711 of 20 ms takes 172 bytes. */
export const MAX_PACKET = 1500;

export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** Where the payload begins. */
  start: number;
}

/** An RTP header to be filled by `readHeader` again and again, so that a received packet costs no object. */
export function emptyHeader(): RtpHeader {
  return { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, start: 0 };
}

/**
 * Reads the header of an RTP or SRTP packet into `header`. Contributing sources and an extension are skipped.
 * @returns false when it is no RTP packet; `header` then means nothing
 */
export function readHeader(packet: Buffer, header: RtpHeader): boolean {
  const { length } = packet;
  if (length < HEADER_SIZE || length > MAX_PACKET) return false;
  const first = packet[0]!;
  if (first >> 6 !== 2) return false;
  let start = HEADER_SIZE + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (start + 4 > length) return false;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  if (start > length) return false;
  header.marker = packet[1]! >= 0x80;
  header.payloadType = packet[1]! & 0x7f;
  header.sequence = packet.readUInt16BE(2);
  header.timestamp = packet.readUInt32BE(4);
  header.ssrc = packet.readUInt32BE(8);
  header.start = start;
  return true;
}

/** Where the payload of a plain packet of `length` bytes ends, before its padding; -1 when the padding makes no sense. */
export function payloadEnd(packet: Buffer, header: RtpHeader, length: number): number {
  if (!(packet[0]! & 0x20)) return length;
  const padding = packet[length - 1] ?? 0;
  return padding === 0 || header.start + padding > length ? -1 : length - padding;
}

/** Writes what changes from packet to packet; `prepareHeader` has written the rest. */
export function writeHeader(
  packet: Buffer,
  marker: boolean,
  payloadType: number,
  sequence: number,
  timestamp: number,
): void {
  packet[1] = marker ? payloadType | 0x80 : payloadType;
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(timestamp, 4);
}

export function prepareHeader(packet: Buffer, ssrc: number): void {
  packet[0] = 0x80;
  packet.writeUInt32BE(ssrc, 8);
}

/** How far `to` is ahead of `from` in 16-bit sequence numbers, from -32,768 to 32,767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** How far `to` is ahead of `from` in 32-bit timestamps. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}
