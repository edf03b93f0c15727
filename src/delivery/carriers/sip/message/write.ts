import type { Header, SipMessage, SipRequest, SipResponse } from './message.js';

/** Names whose capitals are not those of each word. */
const NAMES: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  rack: 'RAck',
  rseq: 'RSeq',
  'min-se': 'Min-SE',
  'www-authenticate': 'WWW-Authenticate',
  'p-asserted-identity': 'P-Asserted-Identity',
  'p-preferred-identity': 'P-Preferred-Identity',
};

/** A message's bytes. Line ends in a header field's value become spaces: no value can begin another field. */
export function writeMessage(message: SipMessage): Buffer {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = message.headers
    .filter(({ name }) => name !== 'content-length')
    .map(({ name, value }) => `${NAMES[name] ?? capitals(name)}: ${oneLine(value)}`);
  const length = Buffer.byteLength(message.body);
  return Buffer.from(
    `${oneLine(start)}\r\n${lines.join('\r\n')}\r\nContent-Length: ${length}\r\n\r\n${message.body}`,
  );
}

export function request(method: string, uri: string, headers: readonly Header[], body = ''): SipRequest {
  return { kind: 'request', method, uri, headers, body };
}

/** The header fields that a record of names and values stands for; null and undefined ones are left out. */
export function fields(values: Readonly<Record<string, string | number | null | undefined>>): Header[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [{ name, value: String(value) }],
  );
}

const COPIED = ['via', 'from', 'to', 'call-id', 'cseq', 'record-route'];

/** RFC 3261 §8.2.6.2: an answer to a request; `tag` is added to `To` where it has none. */
export function responseTo(
  asked: SipRequest,
  status: number,
  { tag, headers = [], body = '' }: { tag: string; headers?: readonly Header[]; body?: string },
): SipResponse {
  const copied = asked.headers
    .filter(({ name }) => COPIED.includes(name))
    .map((header) =>
      header.name === 'to' && status > 100 && !/;\s*tag\s*=/i.test(header.value)
        ? { name: 'to', value: `${header.value};tag=${tag}` }
        : header,
    );
  return { kind: 'response', status, reason: REASONS[status] ?? '', headers: [...copied, ...headers], body };
}

/** The phrases of the responses that we send. */
const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  415: 'Unsupported Media Type',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

function capitals(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]+/g, ' ');
}
