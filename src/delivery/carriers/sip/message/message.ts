/** A header field: its name in lower case and in full, its value as it came, unfolded and trimmed. */
export interface Header {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

export interface SipResponse {
  readonly kind: 'response';
  /** 100–699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** The first value of a header field, named in lower case; null when there is none. */
export function headerOf(message: SipMessage, name: string): string | null {
  return message.headers.find((header) => header.name === name)?.value ?? null;
}

/** Every value of a header field that is a list (RFC 3261 §7.3.1), in order, at most 64. */
export function listOf(message: SipMessage, name: string): string[] {
  const values: string[] = [];
  for (const header of message.headers) {
    if (header.name === name) values.push(...splitList(header.value));
    if (values.length >= MAX_VALUES) break;
  }
  return values.slice(0, MAX_VALUES);
}

/** Every header field of a name, unsplit: for challenges, whose parameters are separated by commas themselves. */
export function headersOf(message: SipMessage, name: string): string[] {
  return message.headers.filter((header) => header.name === name).map(({ value }) => value);
}

/** Number and method of `CSeq`; null when it is malformed. */
export function sequenceOf(message: SipMessage): { readonly number: number; readonly method: string } | null {
  const match = /^([0-9]{1,10})\s+([!-~]{1,32})$/.exec(headerOf(message, 'cseq') ?? '');
  const number = Number(match?.[1]);
  return match && number < 2 ** 31 ? { number, method: match[2]! } : null;
}

/** A whole number of seconds that begins a header field's value, such as that of `Expires`; else null. */
export function secondsOf(message: SipMessage, name: string): number | null {
  const match = /^([0-9]{1,10})(?![0-9])/.exec(headerOf(message, name) ?? '');
  return match ? Number(match[1]) : null;
}

/** Whether a list header field names a token, in any case. */
export function lists(message: SipMessage, name: string, token: string): boolean {
  return listOf(message, name).some((value) => value.toLowerCase() === token.toLowerCase());
}

const MAX_VALUES = 64;

/** Splits at commas outside quotes and angle brackets. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '<') bracketed = true;
    else if (character === '>') bracketed = false;
    else if (character === ',' && !bracketed) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
      if (parts.length >= MAX_VALUES) return parts;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== '');
}
