import { headerOf, listOf, type SipMessage } from '../message/message.js';

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

/** A message's SDP; null when it has none. */
export function sdpOf(message: SipMessage): string | null {
  const type = (headerOf(message, 'content-type') ?? '').toLowerCase().split(';')[0]!.trim();
  return message.body !== '' && type === 'application/sdp' ? message.body : null;
}
