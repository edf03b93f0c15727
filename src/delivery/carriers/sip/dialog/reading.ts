import { listOf, type SipMessage } from '../message/message.js';
import { readHead } from '../message/parse.js';
import { readParameters } from '../message/uri.js';

/** How an answered call ended. */
export interface CallEnding {
  readonly by: 'peer' | 'us' | 'lost';
  /** Q.850 cause of the peer's BYE. */
  readonly cause: number | null;
}

/** The Q.850 cause of `Reason` (RFC 3326); null when it has none. */
export function causeOf(message: SipMessage): number | null {
  for (const value of listOf(message, 'reason')) {
    const match = /^q\.850\s*;(?:.*;)?\s*cause\s*=\s*([0-9]{1,3})(?![0-9])/i.exec(value);
    if (match) return Number(match[1]);
  }
  return null;
}

/** A message's SDP, alone or as a part of a body of several (RFC 5621 §3); null when it has none. */
export function sdpOf({ headers, body }: SipMessage): string | null {
  const value = headers.find(({ name }) => name === 'content-type')?.value ?? '';
  const type = mediaTypeOf(value);
  if (body === '') return null;
  if (type === 'application/sdp') return body;
  return type.startsWith('multipart/') ? sdpAmong(value, body) : null;
}

/** RFC 2046 §5.1.1. */
function sdpAmong(contentType: string, body: string): string | null {
  const boundary = readParameters(contentType.slice(contentType.indexOf(';'))).get('boundary');
  if (!boundary || boundary.length > 70) return null;
  for (const part of `\r\n${body}`.split(`\r\n--${boundary}`, MAX_PARTS).slice(1)) {
    const at = part.indexOf('\r\n\r\n');
    const head = readHead(part.slice(0, Math.max(0, at)));
    if (at < 0 || typeof head === 'string') continue;
    const type = head.headers.find(({ name }) => name === 'content-type')?.value ?? '';
    // The boundary's line end is no part of what is before it, but SDP's last line needs one.
    if (mediaTypeOf(type) === 'application/sdp') return `${part.slice(at + 4)}\r\n`;
  }
  return null;
}

const MAX_PARTS = 16;

function mediaTypeOf(contentType: string): string {
  return contentType.toLowerCase().split(';')[0]!.trim();
}
