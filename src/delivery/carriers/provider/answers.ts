import { NETWORK_ERROR, UNEXPLAINED } from '../../../verify/channel-errors.js';
import type { OutboundMessage, SubmitResult } from '../../carrier.js';
import type { Answer, Exchange } from '../../http-client.js';

/** What one of a provider's error codes means for a submit. */
export interface Meaning {
  readonly kind: 'refused' | 'unavailable';
  /** Channel error code of contract §7. */
  readonly errorCode: number;
  /** Our words: the provider's own may repeat the recipient or the text. */
  readonly words: string;
  readonly down: boolean;
}

/** A permanent error of the recipient or the text: no carrier would bring it there. */
export function refused(errorCode: number, words: string): Meaning {
  return { kind: 'refused', errorCode, words, down: false };
}

/** About this message with this account: another carrier may take it. */
export function elsewhere(errorCode: number, words: string): Meaning {
  return { kind: 'unavailable', errorCode, words, down: false };
}

/** The account or the provider is in trouble, whatever the message. */
export function trouble(errorCode: number, words: string): Meaning {
  return { kind: 'unavailable', errorCode, words, down: true };
}

/** No whole answer: it was never written, or the other side may have it. */
export function readNone(
  { why, sent }: Extract<Exchange, { kind: 'none' }>,
  { channel }: OutboundMessage,
): SubmitResult {
  const errorCode = NETWORK_ERROR[channel];
  return { kind: sent ? 'unanswered' : 'unavailable', errorCode, reason: why, down: true };
}

/** A success that is not in the documented shape: whoever gave it, the message may be under way. */
export function notUnderstood({ status }: Answer, { channel }: OutboundMessage): SubmitResult {
  const reason = `HTTP ${status}, not an answer that the provider documents`;
  return { kind: 'unanswered', errorCode: NETWORK_ERROR[channel], reason, down: true };
}

const BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'the credentials are refused'],
  [402, 'the account has no credit'],
  [403, 'the credentials may not do this'],
  [404, 'there is no such account or address'],
  [429, 'too many requests'],
]);
/** Statuses that say nothing of the provider's state. */
const OF_THE_MOMENT = new Set([408, 425]);

/**
 * What an answer other than success means: by the provider's code where `meaning` knows it, else by the HTTP status.
 * A 4xx that nobody explains is not held against the message: another carrier may take it.
 * @param now UTC milliseconds, for a `Retry-After` that is a date
 */
export function readFailure(
  answer: Answer,
  code: string | null,
  meaning: Meaning | undefined,
  message: OutboundMessage,
  now: number,
): SubmitResult {
  const { status } = answer;
  if (meaning) {
    const reason = `HTTP ${status}, error ${code}: ${meaning.words}`;
    const { errorCode } = meaning;
    return meaning.kind === 'refused'
      ? { kind: 'refused', errorCode, reason }
      : { kind: 'unavailable', errorCode, reason, down: meaning.down, ...readRetryAfter(answer, now) };
  }
  const { channel } = message;
  const unexplained = status >= 400 && status < 500 && !BY_STATUS.has(status) && !OF_THE_MOMENT.has(status);
  const words = BY_STATUS.get(status) ?? (status < 400 ? 'redirects are not followed' : null);
  const shown = code !== null && isShowable(code, message) ? `, error ${code}` : '';
  return {
    kind: 'unavailable',
    errorCode: unexplained ? UNEXPLAINED[channel] : NETWORK_ERROR[channel],
    reason: `HTTP ${status}${shown}${words ? `: ${words}` : ''}`,
    down: !unexplained && !OF_THE_MOMENT.has(status),
    ...readRetryAfter(answer, now),
  };
}

/** A code that nobody knows is told only if it can hold nothing of the message. */
function isShowable(code: string, { text, recipient }: OutboundMessage): boolean {
  return /^[A-Za-z0-9_.-]{1,48}$/.test(code) && !text.includes(code) && !recipient.includes(code);
}

/** Longest wait that a `Retry-After` is believed for, in milliseconds. */
const MAX_RETRY_AFTER = 60_000;

/** RFC 9110 §10.2.3: seconds or a date. Milliseconds, bounded; nothing when there is none or it makes no sense. */
export function readRetryAfter({ headers }: Answer, now: number): { readonly retryAfter?: number } {
  const value = headers['retry-after'];
  if (value === undefined) return {};
  const wait = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? {} : { retryAfter: Math.min(Math.max(wait, 0), MAX_RETRY_AFTER) };
}

export type Fields = Readonly<Record<string, unknown>>;

/** What a text says as JSON; null when it is none. */
export function parseJson(text: string | null): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

/** A string, or a number as one; null for anything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}
