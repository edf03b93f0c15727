import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { readPackets } from '../capture.js';

/** A datagram between two ports of 127.0.0.1. */
export interface Datagram {
  readonly from: number;
  readonly to: number;
  /** Milliseconds of the monotonic clock when it came. */
  readonly at: number;
  readonly data: Buffer;
}

/** How many copies of a datagram arrive: none of one that is lost. */
export type Copies = (index: number, isFromUs: boolean) => number;

/** Stands before a far end, passes its datagrams on both ways, and remembers them; loses and repeats what it is told to. */
export async function relay(port: number, target: () => number, copies: Copies = () => 1) {
  const datagrams: Datagram[] = [];
  const socket = createSocket('udp4');
  let us: number | null = null;
  const indices = [0, 0];
  socket.on('message', (data, { port: from }) => {
    const isFromUs = from !== target();
    if (isFromUs) us = from;
    const to = isFromUs ? target() : us;
    if (to === null) return;
    const side = isFromUs ? 0 : 1;
    datagrams.push({ from: isFromUs ? from : port, to: isFromUs ? port : to, at: performance.now(), data });
    for (let copy = copies(indices[side]!++, isFromUs); copy > 0; copy--) socket.send(data, to, '127.0.0.1');
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return datagrams;
}

/** Remembers all that comes to a port. */
export async function listen(port: number): Promise<readonly Datagram[]> {
  const datagrams: Datagram[] = [];
  // Takes up what comes in the seconds for which a busy machine may forget us.
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.on('message', (data: Buffer, { port: from }: RemoteInfo) => {
    datagrams.push({ from, to: port, at: performance.now(), data });
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return datagrams;
}

/**
 * What tshark makes of datagrams, one map of fields a packet that the filter lets through.
 * @param protocols dissector by port
 */
export function decode(
  tshark: string,
  datagrams: readonly Datagram[],
  protocols: ReadonlyMap<number, string>,
  filter: string,
  fields: readonly string[],
): readonly ReadonlyMap<string, string>[] {
  const dissect = [...protocols].flatMap(([port, protocol]) => ['-d', `udp.port==${port},${protocol}`]);
  return readPackets(tshark, pcapOf(datagrams), dissect, filter, fields);
}

/** LINKTYPE_RAW: packets begin with their IP header. */
const RAW = 101;

/** A capture file (pcap 2.4) of made-up IPv4 and UDP headers, checksums left out. */
function pcapOf(datagrams: readonly Datagram[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0x40000, 16);
  header.writeUInt32LE(RAW, 20);
  const inOrder = datagrams.toSorted((a, b) => a.at - b.at);
  const packets = inOrder.map(({ from, to, at, data }) => {
    const length = 28 + data.length;
    const record = Buffer.alloc(16 + 28);
    record.writeUInt32LE(1_700_000_000 + Math.floor(at / 1000), 0);
    record.writeUInt32LE(Math.floor((at % 1000) * 1000), 4);
    record.writeUInt32LE(length, 8);
    record.writeUInt32LE(length, 12);
    const ip = record.subarray(16);
    ip.writeUInt8(0x45, 0);
    ip.writeUInt16BE(length, 2);
    ip.writeUInt8(64, 8);
    ip.writeUInt8(17, 9);
    ip.set([127, 0, 0, 1, 127, 0, 0, 1], 12);
    const udp = record.subarray(36);
    udp.writeUInt16BE(from, 0);
    udp.writeUInt16BE(to, 2);
    udp.writeUInt16BE(8 + data.length, 4);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, ...packets]);
}
