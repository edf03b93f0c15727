import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { outputOf } from './programs.js';

/** A stand-in for a server that passes everything on and remembers it, so that no right to capture is needed. */
export interface Tap {
  readonly port: number;
  /** Decodes what passed so far with tshark, as the protocol; one map of wanted fields a packet. */
  decode(options: DecodeOptions): readonly ReadonlyMap<string, string>[];
}

interface DecodeOptions {
  readonly tshark: string;
  /** The dissector, such as `smpp`. */
  readonly protocol: string;
  /** A display filter. */
  readonly filter: string;
  readonly fields: readonly string[];
}

interface Segment {
  readonly connection: number;
  readonly isFromClient: boolean;
  readonly data: Buffer;
}

/** Forwards connections to a port of 127.0.0.1. */
export async function tap(target: number): Promise<Tap> {
  const segments: Segment[] = [];
  let connections = 0;
  const server = createServer((client) => {
    const connection = connections++;
    const remote = connect(target, '127.0.0.1');
    for (const [from, to] of [[client, remote] as const, [remote, client] as const]) {
      from.on('data', (data) => {
        segments.push({ connection, isFromClient: from === client, data });
        to.write(data);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, decode: (options) => decode(segments, port, options) };
}

function decode(
  segments: readonly Segment[],
  port: number,
  { tshark, protocol, filter, fields }: DecodeOptions,
) {
  const dissect = ['-d', `tcp.port==${port},${protocol}`];
  return readPackets(tshark, pcapOf(segments, port), dissect, filter, fields);
}

/** What tshark reads of the packets of a capture file that pass a filter: of each the fields that are asked for. */
export function readPackets(
  tshark: string,
  pcap: Buffer,
  dissect: readonly string[],
  filter: string,
  fields: readonly string[],
): readonly ReadonlyMap<string, string>[] {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-capture-'));
  const file = join(directory, 'tapped.pcap');
  try {
    writeFileSync(file, pcap);
    const wanted = fields.flatMap((field) => ['-e', field]);
    const text = outputOf(tshark, ['-r', file, ...dissect, '-Y', filter, '-T', 'json', ...wanted]);
    const packets = JSON.parse(text) as { _source: { layers: Record<string, string[]> } }[];
    return packets.map(
      ({ _source: { layers } }) =>
        new Map(Object.entries(layers).map(([field, values]) => [field, values.join('|')])),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** LINKTYPE_RAW: packets begin with their IP header. */
const RAW = 101;
/** Most bytes of one made-up TCP segment. */
const SEGMENT = 60_000;

/** The bytes as a capture file (pcap 2.4) of made-up IPv4 and TCP headers, checksums left out. */
function pcapOf(segments: readonly Segment[], port: number): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0x40000, 16);
  header.writeUInt32LE(RAW, 20);
  const sent = new Map<string, number>();
  const packets = segments.flatMap(({ connection, isFromClient, data }, index) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < data.length; at += SEGMENT) {
      const piece = data.subarray(at, at + SEGMENT);
      const clientPort = 40_000 + connection;
      const mine = `${connection} ${isFromClient}`;
      const sequence = sent.get(mine) ?? 1;
      const acknowledged = sent.get(`${connection} ${!isFromClient}`) ?? 1;
      sent.set(mine, sequence + piece.length);
      const [from, to] = isFromClient ? [clientPort, port] : [port, clientPort];
      pieces.push(packetOf({ from, to, sequence, acknowledged, data: piece, number: index }));
    }
    return pieces;
  });
  return Buffer.concat([header, ...packets]);
}

function packetOf(of: {
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly data: Buffer;
  readonly number: number;
}): Buffer {
  const length = 40 + of.data.length;
  const record = Buffer.alloc(16 + 40);
  record.writeUInt32LE(1_700_000_000 + of.number, 0);
  record.writeUInt32LE(length, 8);
  record.writeUInt32LE(length, 12);
  const ip = record.subarray(16);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(length, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(6, 9);
  ip.set([127, 0, 0, 1, 127, 0, 0, 1], 12);
  const tcp = record.subarray(36);
  tcp.writeUInt16BE(of.from, 0);
  tcp.writeUInt16BE(of.to, 2);
  tcp.writeUInt32BE(of.sequence, 4);
  tcp.writeUInt32BE(of.acknowledged, 8);
  tcp.writeUInt8(5 << 4, 12);
  tcp.writeUInt8(0x18, 13);
  tcp.writeUInt16BE(0xffff, 14);
  return Buffer.concat([record, of.data]);
}
