import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  type MediaAttributes,
  type MediaDescription,
  parse,
  type SharedAttributes,
  write,
} from 'sdp-transform';
import type { Codec, SrtpPolicy } from './media.js';
import { type CryptoLine, readCrypto, SUITES, type Suite, writeCrypto } from './sdes.js';

// Offer and answer (RFC 3264) for one stream of telephone sound in SDP (RFC 8866).

/** Longest text that is read, in characters. Real ones of audio calls have a few hundred. */
const MAX_TEXT = 16_384;
const MAX_LINES = 300;
/** Streams of an offer that are answered; offers with more are refused. */
const MAX_STREAMS = 8;

/** Fixed payload types (RFC 3551 §6). */
const STATIC_TYPES: Readonly<Record<number, string>> = { 0: 'PCMU', 8: 'PCMA', 13: 'CN' };
const TYPE_OF: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };
const NOISE_TYPE = 13;
/** What everybody uses for telephone events. */
export const EVENT_TYPE = 101;

/** What a call says of itself. */
export interface LocalMedia {
  /** IPv4 or IPv6, as it is reachable from outside. */
  readonly address: string;
  readonly port: number;
  /** Decimal digits. */
  readonly sessionId: string;
  /** Counts the texts that differ (RFC 3264 §8). */
  readonly version: number;
  readonly codecs: readonly Codec[];
  readonly srtp: SrtpPolicy;
  /** A master key and salt for each suite; none with policy `off`. */
  readonly keys: ReadonlyMap<Suite, Uint8Array>;
  readonly comfortNoise: boolean;
  /** The payload type of telephone events: never changed within a call (RFC 3264 §8.3.2). */
  readonly eventType: number;
}

/** What both sides have agreed on. Plain data: it goes to the media thread as it is. */
export interface Agreement {
  readonly address: string;
  readonly port: number;
  readonly rtcpAddress: string;
  readonly rtcpPort: number;
  readonly codec: Codec;
  /** The payload type of `codec` in what we send. */
  readonly payloadType: number;
  /** The codecs that the peer may send, by payload type. */
  readonly receive: Readonly<Record<number, Codec>>;
  /** The payload types of telephone events, to be sent and received; null when the peer takes none. */
  readonly events: number | null;
  readonly eventsIn: readonly number[];
  /** The payload type of comfort noise; null when the two do not use it. */
  readonly noise: number | null;
  /** Frames of 20 ms in a packet: 1 to 3, as the peer asks. */
  readonly frames: number;
  /** Whether the peer wants to hear us: not while it holds the call. */
  readonly sending: boolean;
  /** Whether the peer says that it will send. */
  readonly receiving: boolean;
  readonly srtp: {
    readonly suite: Suite;
    readonly sendKey: Uint8Array;
    readonly receiveKey: Uint8Array;
  } | null;
}

export type Refusal = { readonly refused: string };
type Direction = NonNullable<SharedAttributes['direction']>;

/** Our offer. With SRTP keys in it, unless the policy is `off`. */
export function writeOffer(local: LocalMedia): string {
  const secrets = local.srtp === 'off' ? [] : SUITES.map((suite, index) => cryptoOf(local, suite, index + 1));
  const types = local.codecs.map((codec) => TYPE_OF[codec]);
  const rtp = local.codecs.map((codec) => ({ payload: TYPE_OF[codec], codec, rate: 8000 }));
  return writeSession(local, [
    {
      ...audio(local, rtp, types, { events: local.eventType, noise: local.comfortNoise ? NOISE_TYPE : null }),
      protocol: local.srtp === 'required' ? 'RTP/SAVP' : 'RTP/AVP',
      direction: 'sendrecv',
      ...(secrets.length > 0 ? { crypto: secrets.map(writeCrypto) } : {}),
    },
  ]);
}

/** The peer's answer to our offer. */
export function readAnswer(text: string, local: LocalMedia): Agreement | Refusal {
  const session = readSession(text);
  if ('refused' in session) return session;
  const stream = session.media[0];
  if (!stream) return { refused: 'the answer has no stream' };
  return agree(session, stream, local, null);
}

/**
 * Our answer to the peer's offer: the first stream that we can take, all others refused with port 0.
 * @param current the codec in use, kept where the offer has it
 */
export function answerTo(
  text: string,
  local: LocalMedia,
  current: Codec | null,
): { readonly agreement: Agreement; readonly answer: (version: number) => string } | Refusal {
  const session = readSession(text);
  if ('refused' in session) return session;
  let refusal: Refusal = { refused: 'the offer has no stream' };
  for (const [index, stream] of session.media.entries()) {
    const agreement = agree(session, stream, local, current);
    if ('refused' in agreement) {
      if (index === 0) refusal = agreement;
      continue;
    }
    const answer = (version: number) =>
      writeSession(
        { ...local, version },
        session.media.map((each) =>
          each === stream ? accepted(session, each, local, agreement) : declined(each),
        ),
      );
    return { agreement, answer };
  }
  return refusal;
}

function cryptoOf(local: LocalMedia, suite: Suite, tag: number): CryptoLine {
  return { tag, suite, key: local.keys.get(suite)! };
}

interface Extras {
  readonly events: number | null;
  readonly noise: number | null;
}

function audio(local: LocalMedia, codecs: MediaAttributes['rtp'], types: readonly number[], extras: Extras) {
  const { events, noise } = extras;
  const rtp = [...codecs];
  if (noise !== null) rtp.push({ payload: noise, codec: 'CN', rate: 8000 });
  if (events !== null) rtp.push({ payload: events, codec: 'telephone-event', rate: 8000 });
  return {
    type: 'audio',
    port: local.port,
    payloads: [...types, ...(noise === null ? [] : [noise]), ...(events === null ? [] : [events])].join(' '),
    rtp,
    fmtp: events === null ? [] : [{ payload: events, config: '0-15' }],
    ptime: 20,
  };
}

function accepted(
  session: Session,
  stream: Stream,
  local: LocalMedia,
  agreement: Agreement,
): MediaDescription {
  const { codec, payloadType, events, noise, srtp } = agreement;
  const line = srtp && usableCrypto(stream);
  return {
    ...audio(local, [{ payload: payloadType, codec, rate: 8000 }], [payloadType], { events, noise }),
    protocol: stream.protocol,
    direction: REVERSE[directionOf(session, stream)],
    ...(line ? { crypto: [writeCrypto(cryptoOf(local, line.suite, line.tag))] } : {}),
  };
}

/** Only what was checked to be a token goes back into a text of ours. */
function declined(stream: Stream): MediaDescription {
  const { type, protocol } = stream;
  const payloads = /^[\w.-]{1,64}$/.exec(String(stream.payloads).split(' ', 1)[0]!)?.[0] ?? '0';
  return { type, port: 0, protocol, payloads, rtp: [], fmtp: [] };
}

const REVERSE: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

function writeSession(local: LocalMedia, media: MediaDescription[]): string {
  const version = isIP(local.address) as 4 | 6;
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: local.sessionId,
      sessionVersion: local.version,
      netType: 'IN',
      ipVer: version,
      address: local.address,
    },
    name: '-',
    connection: { version, ip: local.address },
    timing: { start: 0, stop: 0 },
    media,
  });
}

type Session = ReturnType<typeof parse> & { media: Stream[] };
type Stream = MediaDescription;

/** The lines that we read. Others never reach the parser, whose patterns for them were not made for strangers. */
const LINES =
  /^(?:[vostcm]=|a=(?:rtpmap|fmtp|ptime|maxptime|rtcp|crypto):|a=(?:sendrecv|sendonly|recvonly|inactive)$)/;

function readSession(text: string): Session | Refusal {
  if (text.length > MAX_TEXT) return { refused: `SDP of more than ${MAX_TEXT} characters` };
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.length > MAX_LINES) return { refused: `SDP of more than ${MAX_LINES} lines` };
  const session = parse(
    lines.filter((line) => line.length <= 512 && LINES.test(line)).join('\r\n'),
  ) as Session;
  if (session.media.length > MAX_STREAMS) return { refused: `SDP with more than ${MAX_STREAMS} streams` };
  const whole = session.media.every(
    ({ type, protocol, port }) =>
      /^\w{1,32}$/.test(String(type)) && /^[\w/]{1,32}$/.test(String(protocol)) && Number.isInteger(port),
  );
  return whole ? session : { refused: 'SDP with an m= line that cannot be read' };
}

/** @param current the codec to prefer; null: the first of the peer's list */
function agree(
  session: Session,
  stream: Stream,
  local: LocalMedia,
  current: Codec | null,
): Agreement | Refusal {
  if (stream.type !== 'audio') return { refused: `a stream of ${stream.type}, not of audio` };
  if (stream.port === 0) return { refused: 'the peer refuses the audio stream (port 0)' };
  if (stream.port > 65_535) return { refused: `audio at port ${stream.port}, which does not exist` };
  const address = readAddress((stream.connection ?? session.connection)?.ip, local);
  if (typeof address !== 'string') return address;
  const srtp = agreeOnKeys(stream, local);
  if (srtp && 'refused' in srtp) return srtp;
  const types = typesOf(stream);
  const usable = types.filter(({ name }) => local.codecs.some((codec) => codec === name));
  const chosen = usable.find(({ name }) => name === current) ?? usable[0];
  if (!chosen) return { refused: `no codec in common: we speak ${local.codecs.join(', ')}` };
  const events = types.find(({ name }) => name === 'TELEPHONE-EVENT')?.type ?? null;
  const noise = types.find(({ name }) => name === 'CN')?.type ?? null;
  const ours = Object.fromEntries(local.codecs.map((codec) => [TYPE_OF[codec], codec]));
  const direction = directionOf(session, stream);
  const held = isUnspecified(address);
  const rtcp = readRtcp(stream, address, local);
  return {
    address,
    port: stream.port,
    rtcpAddress: rtcp.address,
    rtcpPort: rtcp.port,
    codec: chosen.name as Codec,
    payloadType: chosen.type,
    receive: { ...ours, ...Object.fromEntries(usable.map(({ type, name }) => [type, name as Codec])) },
    events,
    eventsIn: [...new Set([local.eventType, ...(events === null ? [] : [events])])],
    noise: local.comfortNoise ? noise : null,
    frames: readFrames(stream),
    sending: !held && (direction === 'sendrecv' || direction === 'recvonly'),
    receiving: direction === 'sendrecv' || direction === 'sendonly',
    srtp,
  };
}

function agreeOnKeys(stream: Stream, local: LocalMedia): Agreement['srtp'] | Refusal {
  const secure = /^RTP\/SAVPF?$/.test(stream.protocol);
  if (!secure && !/^RTP\/AVPF?$/.test(stream.protocol)) return { refused: `audio over ${stream.protocol}` };
  if (local.srtp === 'off') return secure ? { refused: 'the peer insists on SRTP, which is off' } : null;
  const line = usableCrypto(stream);
  if (line) return { suite: line.suite, sendKey: local.keys.get(line.suite)!, receiveKey: line.key };
  if (secure) return { refused: 'SRTP without a key that we can use' };
  return local.srtp === 'required' ? { refused: 'SRTP is required, and the peer has none' } : null;
}

/** An offer has the peer's preferred suite first (RFC 4568 §5.1.1); an answer has one line. */
function usableCrypto(stream: Stream): CryptoLine | null {
  for (const attribute of stream.crypto ?? []) {
    const line = readCrypto(attribute);
    if (line) return line;
  }
  return null;
}

/** The formats of a stream in the peer's order, names in capitals; those of another clock than 8 kHz left out. */
function typesOf(stream: Stream): { type: number; name: string }[] {
  return String(stream.payloads ?? '')
    .split(' ')
    .filter((text) => /^\d{1,3}$/.test(text))
    .map(Number)
    .filter((type) => type < 128)
    .flatMap((type) => {
      const mapped = stream.rtp.find(({ payload }) => payload === type);
      if (!mapped) return STATIC_TYPES[type] ? [{ type, name: STATIC_TYPES[type] }] : [];
      if (mapped.rate !== 8000 || Number(mapped.encoding ?? 1) !== 1) return [];
      return [{ type, name: String(mapped.codec).toUpperCase() }];
    });
}

function directionOf(session: Session, stream: Stream): Direction {
  return stream.direction ?? session.direction ?? 'sendrecv';
}

/** An address literal of our own family; names are not looked up. */
function readAddress(ip: unknown, local: LocalMedia): string | Refusal {
  if (typeof ip !== 'string') return { refused: 'SDP without an address (c=)' };
  const [address = ''] = ip.split('/', 1);
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return { refused: 'an address in SDP (c=) that is no IP address' };
  if (family !== isIP(local.address)) return { refused: `an IPv${family} address, while ours is not` };
  // RFC 3264 §8.4: the unspecified address is the old way to hold a call.
  if (isUnspecified(address)) return address;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range === 'multicast' || range === 'broadcast') return { refused: `a ${range} address` };
  // As sockets say it, so that it can be compared with where packets come from.
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

function isUnspecified(address: string): boolean {
  return ipaddr.parse(address).range() === 'unspecified' && /^[0.:]+$/.test(address);
}

/** Where the peer takes RTCP: the port after RTP's, or what `a=rtcp` says (RFC 3605). */
function readRtcp(stream: Stream, address: string, local: LocalMedia): { address: string; port: number } {
  const next = { address, port: Math.min(65_535, stream.port + 1) };
  const { rtcp } = stream;
  if (!rtcp || !Number.isInteger(rtcp.port) || rtcp.port < 1 || rtcp.port > 65_535) return next;
  const other = rtcp.address === undefined ? address : readAddress(rtcp.address, local);
  return typeof other === 'string' ? { address: other, port: rtcp.port } : next;
}

/** 40 and 60 ms packets for those who ask for them; 20 for everybody else, which all are to take (RFC 3551 §4.5). */
function readFrames(stream: Stream): number {
  const wish = Math.min(Number(stream.ptime ?? 20), Number(stream.maxptime ?? 60));
  return Number.isFinite(wish) ? Math.min(3, Math.max(1, Math.floor(wish / 20))) : 1;
}
