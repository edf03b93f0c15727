import { type Header, headerOf, type SipMessage, sequenceOf } from './message.js';
import { parseAddress } from './uri.js';
import { parseVia } from './via.js';

/** Most bytes of one message, head and body. */
export const MAX_MESSAGE = 65_535;
/** Most bytes of a message's head. */
export const MAX_HEAD = 32_768;
const MAX_HEADERS = 256;
const MAX_LINE = 8_192;

const REQUEST_LINE = /^([A-Za-z0-9.!%*_+`'~-]{1,32}) ([\x21-\x7e]{1,2048}) SIP\/2\.0$/i;
const STATUS_LINE = /^SIP\/2\.0 ([1-6][0-9]{2})(?: (.{0,512}))?$/i;
const HEADER_LINE = /^([A-Za-z0-9.!%*_+`'~-]{1,64})[ \t]*:(.*)$/s;

/** RFC 3261 §20, RFC 3265, RFC 3515, RFC 3892, RFC 4028. */
const COMPACT: Readonly<Record<string, string>> = {
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

export type Parsed =
  | { readonly ok: true; readonly message: SipMessage }
  /** `why` says what is wrong in a few words, without anything that was received. */
  | { readonly ok: false; readonly why: string };

/**
 * Reads one SIP message (RFC 3261 §7) from a datagram, or from what a stream framed. Bounded in size, lines and time;
 * never throws. A message must have what every transaction needs: `Via`, `From`, `To`, `Call-ID`, `CSeq`.
 */
export function parseMessage(bytes: Uint8Array): Parsed {
  if (bytes.length > MAX_MESSAGE) return { ok: false, why: 'too long' };
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOfHead(data);
  if (end === null) return { ok: false, why: 'no end of head' };
  if (end.head > MAX_HEAD) return { ok: false, why: 'head too long' };
  const head = readHead(data.toString('utf8', 0, end.head));
  if (typeof head === 'string') return { ok: false, why: head };
  const { startLine, headers } = head;

  const length = lengthOf(headers);
  const available = data.length - end.body;
  if (length === 'bad') return { ok: false, why: 'Content-Length is malformed' };
  // RFC 3261 §18.3: what follows the body in a datagram is discarded.
  if (length !== null && length > available) return { ok: false, why: 'body is cut short' };
  const body = data.toString('utf8', end.body, end.body + (length ?? available));

  const message = readStartLine(startLine, headers, body);
  if (!message) return { ok: false, why: 'no request line or status line' };
  const missing = whatIsMissing(message);
  return missing ? { ok: false, why: missing } : { ok: true, message };
}

/** Where the head ends and the body begins; null when the empty line has not come. */
export function endOfHead(data: Buffer): { readonly head: number; readonly body: number } | null {
  const at = data.indexOf('\r\n\r\n');
  return at < 0 ? null : { head: at, body: at + 4 };
}

/** The body's length as a head announces it: null when it does not. */
export function lengthOf(headers: readonly Header[]): number | null | 'bad' {
  const values = headers.filter(({ name }) => name === 'content-length').map(({ value }) => value);
  const [first] = values;
  if (first === undefined) return null;
  // Two lengths that differ mean two different messages to two readers.
  if (!/^[0-9]{1,9}$/.test(first) || values.some((value) => value !== first)) return 'bad';
  return Number(first);
}

/** The lines of a head; a text says what is wrong with it. */
export function readHead(
  text: string,
): { readonly startLine: string; readonly headers: readonly Header[] } | string {
  if (text.includes('\0')) return 'NUL character';
  const lines = text.split('\r\n');
  if (lines.length > MAX_HEADERS) return 'too many lines';
  const headers: Header[] = [];
  for (const line of lines.slice(1)) {
    if (line.length > MAX_LINE) return 'line too long';
    if (/[\r\n]/.test(line)) return 'stray line end';
    const last = headers.at(-1);
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (!last) return 'continuation of nothing';
      if (last.value.length + line.length > MAX_LINE) return 'line too long';
      headers[headers.length - 1] = { name: last.name, value: `${last.value} ${line.trim()}`.trim() };
      continue;
    }
    const match = HEADER_LINE.exec(line);
    if (!match) return 'malformed header field';
    const name = match[1]!.toLowerCase();
    headers.push({ name: COMPACT[name] ?? name, value: match[2]!.trim() });
  }
  return { startLine: lines[0]!, headers };
}

function readStartLine(line: string, headers: readonly Header[], body: string): SipMessage | null {
  const response = STATUS_LINE.exec(line);
  if (response) {
    return { kind: 'response', status: Number(response[1]), reason: response[2] ?? '', headers, body };
  }
  const request = REQUEST_LINE.exec(line);
  return request ? { kind: 'request', method: request[1]!, uri: request[2]!, headers, body } : null;
}

function whatIsMissing(message: SipMessage): string | null {
  const via = headerOf(message, 'via');
  if (via === null || !parseVia(via)) return 'Via is missing or malformed';
  for (const name of ['from', 'to'] as const) {
    const value = headerOf(message, name);
    if (value === null || !parseAddress(value)) return `${name} is missing or malformed`;
  }
  const callId = headerOf(message, 'call-id');
  if (!callId || callId.length > 512) return 'Call-ID is missing or too long';
  const sequence = sequenceOf(message);
  if (!sequence) return 'CSeq is missing or malformed';
  if (message.kind === 'request' && sequence.method !== message.method) return 'CSeq is of another method';
  return null;
}
