import { createSocket, type Socket } from 'node:dgram';
import library from 'alawmulaw';
import { RtpHeader, RtpPacket } from 'werift-rtp';

export const { mulaw, alaw } = library;

/** A socket of the test's own on 127.0.0.1 with all that it receives. */
export interface Peer {
  readonly socket: Socket;
  readonly port: number;
  readonly packets: { readonly bytes: Buffer; readonly from: number }[];
  /** Received packets as another implementation reads them. */
  readonly rtp: () => RtpPacket[];
  send(bytes: Uint8Array, port: number): Promise<void>;
  close(): Promise<void>;
}

export async function openPeer(address = '127.0.0.1', port = 0): Promise<Peer> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });
  const packets: Peer['packets'] = [];
  socket.on('message', (bytes, { port: from }) => packets.push({ bytes, from }));
  return {
    socket,
    port: socket.address().port,
    packets,
    rtp: () => packets.map(({ bytes }) => RtpPacket.deSerialize(bytes)),
    send: (bytes, to) => new Promise((resolve) => socket.send(bytes, to, address, () => resolve())),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** The peer's SDP, its address at 127.0.0.1 unless told otherwise. */
export function peerSdp(
  port: number,
  lines: readonly string[] = [],
  types = '0 8 101',
  address = '127.0.0.1',
): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${types}`,
    'a=rtpmap:101 telephone-event/8000',
    ...lines,
    '',
  ].join('\r\n');
}

/** An RTP packet as another implementation writes it. */
export function packetOf(
  sequence: number,
  payload: Uint8Array,
  options: { type?: number; timestamp?: number; marker?: boolean } = {},
): Buffer {
  const header = new RtpHeader({
    payloadType: options.type ?? 0,
    sequenceNumber: sequence & 0xffff,
    timestamp: options.timestamp ?? (sequence * 160) >>> 0,
    marker: options.marker ?? false,
    ssrc: 4711,
  });
  return new RtpPacket(header, Buffer.from(payload)).serialize();
}

/** Samples of a tone that no silence is mistaken for. */
export function tone(length: number, step = 0.4): Int16Array {
  return Int16Array.from({ length }, (_, at) => 9000 * Math.sin(at * step) + 40);
}
