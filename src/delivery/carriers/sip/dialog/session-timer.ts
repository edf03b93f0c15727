import { headerOf, type SipMessage } from '../message/message.js';
import { readParameters } from '../message/uri.js';

/** The shortest session interval (RFC 4028 §5), in seconds. */
export const MIN_SE = 90;
/** The longest one that is kept to, in seconds: a day. */
export const MAX_SE = 86_400;

/** A session interval as two sides agreed on it. */
export interface SessionInterval {
  readonly seconds: number;
  /** Who is to refresh it, as `Session-Expires` says it of the request that it belongs to. */
  readonly refresher: 'uac' | 'uas' | null;
}

/** `Session-Expires`, at most a day; null when it is absent, malformed or nothing. */
export function intervalOf(message: SipMessage): SessionInterval | null {
  const value = headerOf(message, 'session-expires');
  const match = /^\s*([0-9]{1,9})\s*(;.*)?$/s.exec(value ?? '');
  if (!match || Number(match[1]) === 0) return null;
  const refresher = readParameters(match[2] ?? '')
    .get('refresher')
    ?.toLowerCase();
  return {
    seconds: Math.min(Number(match[1]), MAX_SE),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null,
  };
}

/** Milliseconds after which the refresher refreshes (RFC 4028 §10), at least two seconds. */
export function refreshAfter({ seconds }: SessionInterval): number {
  return Math.max(2_000, (seconds * 1000) / 2);
}

/** Milliseconds after which the other side gives the session up (RFC 4028 §10). No interval is shorter than the shortest. */
export function giveUpAfter(interval: SessionInterval): number {
  const seconds = Math.max(MIN_SE, interval.seconds);
  return (seconds - Math.min(32, seconds / 3)) * 1000;
}
