import type { ReportBlock } from './reception.js';

// RTCP (RFC 3550 §6): sender reports, receiver reports, CNAME, BYE. Written by hand for the reasons given in rtp.ts.

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const DESCRIPTION = 202;
const GOODBYE = 203;
const CNAME = 1;

/** Packets in one compound that are looked at. */
const MAX_PACKETS = 16;

export interface SenderReport {
  readonly ssrc: number;
  readonly cname: string;
  /** UTC milliseconds. */
  readonly now: number;
  /** The RTP timestamp of that moment. */
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
  /** What was received; null before the peer's first packet. */
  readonly block: (ReportBlock & { readonly echo: Echo | null }) | null;
}

/** The peer's last sender report, and how long ago it came. */
export interface Echo {
  /** The middle 32 bits of its NTP timestamp. */
  readonly lastReport: number;
  readonly ageMs: number;
}

/** A compound packet: SR, SDES with CNAME and, to end, BYE. Without a packet sent, RR in the place of SR (§6.4). */
export function writeReport(report: SenderReport, goodbye = false): Buffer {
  const parts = [report.packets > 0 ? senderReport(report) : receiverReport(report), description(report)];
  if (goodbye) parts.push(withHeader(1, GOODBYE, words(report.ssrc)));
  return Buffer.concat(parts);
}

function senderReport(report: SenderReport): Buffer {
  const { seconds, fraction } = ntpTime(report.now);
  const info = words(report.ssrc, seconds, fraction, report.timestamp, report.packets, report.octets);
  const block = reportBlock(report);
  return withHeader(block.length / 24, SENDER_REPORT, Buffer.concat([info, block]));
}

function receiverReport(report: SenderReport): Buffer {
  const block = reportBlock(report);
  return withHeader(block.length / 24, RECEIVER_REPORT, Buffer.concat([words(report.ssrc), block]));
}

function reportBlock({ block }: SenderReport): Buffer {
  if (!block) return Buffer.alloc(0);
  const { fractionLost, lost, echo } = block;
  return words(
    block.ssrc,
    ((fractionLost << 24) | lost) >>> 0,
    block.highestSequence,
    block.jitter,
    echo?.lastReport ?? 0,
    Math.min(0xffffffff, Math.round(((echo?.ageMs ?? 0) * 65_536) / 1000)),
  );
}

function description({ ssrc, cname }: SenderReport): Buffer {
  const name = Buffer.from(cname, 'latin1');
  // The list of items ends with at least one zero byte and at a multiple of four (§6.5).
  const size = Math.ceil((4 + 2 + name.length + 1) / 4) * 4;
  const chunk = Buffer.alloc(size);
  chunk.writeUInt32BE(ssrc, 0);
  chunk[4] = CNAME;
  chunk[5] = name.length;
  name.copy(chunk, 6);
  return withHeader(1, DESCRIPTION, chunk);
}

function withHeader(count: number, type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | count, type, 0, body.length / 4]), body]);
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    buffer.writeUInt32BE(value >>> 0, index * 4);
  });
  return buffer;
}

function ntpTime(now: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(now / 1000);
  return {
    seconds: (seconds + 2_208_988_800) % 2 ** 32,
    fraction: Math.floor(((now % 1000) / 1000) * 2 ** 32),
  };
}

/** The middle 32 bits of the NTP time: what a peer echoes as "last SR", in 1/65,536 s. */
export function middleOfNtp(now: number): number {
  const { seconds, fraction } = ntpTime(now);
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

export interface ReceivedReport {
  /** The middle of the NTP time of the peer's sender report; null when there was none. */
  readonly sent: number | null;
  /** What the peer says of our packets; null when it says nothing. */
  readonly ours: {
    readonly lost: number;
    readonly jitter: number;
    readonly lastReport: number;
    readonly delay: number;
  } | null;
  readonly goodbye: boolean;
}

/**
 * Reads a compound packet, with or without SR or RR at its head. Blocks about others than `ssrc` are skipped.
 * @returns null when it is no RTCP
 */
export function readReport(packet: Buffer, ssrc: number): ReceivedReport | null {
  let sent: number | null = null;
  let ours: ReceivedReport['ours'] = null;
  let goodbye = false;
  let at = 0;
  for (let count = 0; at < packet.length && count < MAX_PACKETS; count++) {
    if (at + 4 > packet.length || packet[at]! >> 6 !== 2) return null;
    const end = at + 4 + packet.readUInt16BE(at + 2) * 4;
    if (end > packet.length) return null;
    const type = packet[at + 1]!;
    if (type < 192 || type > 223) return null;
    const blocks = packet[at]! & 0x1f;
    if (type === SENDER_REPORT && end - at >= 28) sent = packet.readUInt32BE(at + 10);
    if (type === SENDER_REPORT) ours = findBlock(packet, at + 28, end, blocks, ssrc) ?? ours;
    if (type === RECEIVER_REPORT) ours = findBlock(packet, at + 8, end, blocks, ssrc) ?? ours;
    if (type === GOODBYE) goodbye = true;
    at = end;
  }
  return at === 0 ? null : { sent, ours, goodbye };
}

function findBlock(packet: Buffer, from: number, end: number, blocks: number, ssrc: number) {
  for (let at = from, left = blocks; left > 0 && at + 24 <= end; at += 24, left--) {
    if (packet.readUInt32BE(at) !== ssrc) continue;
    return {
      lost: (packet.readUInt32BE(at + 4) << 8) >> 8,
      jitter: packet.readUInt32BE(at + 12),
      lastReport: packet.readUInt32BE(at + 16),
      delay: packet.readUInt32BE(at + 20),
    };
  }
  return null;
}

/** Milliseconds to and fro, by a block that echoes a report of ours; null when it echoes none or makes no sense. */
export function roundTrip(block: { lastReport: number; delay: number }, now: number): number | null {
  if (block.lastReport === 0) return null;
  const units = (middleOfNtp(now) - block.lastReport - block.delay) | 0;
  const milliseconds = (units * 1000) / 65_536;
  return milliseconds < -1 || milliseconds > 60_000 ? null : Math.max(0, milliseconds);
}

/**
 * Milliseconds to the next report (RFC 3550 §6.3): 5 s for a session of two, half of it at first, spread by half
 * either way so that calls which began together do not report together.
 * @param random from 0 to 1
 */
export function reportInterval(random: number, first: boolean): number {
  return ((first ? 2500 : 5000) * (0.5 + random)) / 1.21828;
}
