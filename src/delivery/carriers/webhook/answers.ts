import { isErrorOf, NETWORK_ERROR, UNEXPLAINED } from '../../../verify/channel-errors.js';
import type { OutboundMessage, SubmitResult } from '../../carrier.js';
import type { Exchange } from '../../http-client.js';
import { readMessageId } from './message-id.js';

/** Longest wait that a `Retry-After` is believed for, in milliseconds. */
const MAX_RETRY_AFTER = 60_000;

/** Client errors that are about the gateway or the moment, not about the message. */
const NOT_THE_MESSAGE = new Set([401, 403, 404, 408, 425, 429]);
/** Of those, the ones that say nothing of the gateway's state. */
const OF_THE_MOMENT = new Set([408, 425]);

/**
 * What a gateway's answer means. 2xx: accepted. 4xx: refused, except those that a message cannot be blamed for.
 * Everything else, redirects included: not now.
 * @param now UTC milliseconds, for a `Retry-After` that is a date
 */
export function readAnswer(exchange: Exchange, message: OutboundMessage, now: number): SubmitResult {
  if (exchange.kind === 'none') {
    const errorCode = NETWORK_ERROR[message.channel];
    return { kind: 'unavailable', errorCode, reason: exchange.why, down: true };
  }
  const { status } = exchange;
  if (status >= 200 && status < 300) {
    return { kind: 'accepted', messageId: readMessageId(fieldsOf(exchange.body).message_id) };
  }
  if (status >= 400 && status < 500 && !NOT_THE_MESSAGE.has(status)) return readRefusal(exchange, message);
  const retryAfter = readRetryAfter(exchange.headers['retry-after'], now);
  return {
    kind: 'unavailable',
    errorCode: NETWORK_ERROR[message.channel],
    reason: status < 400 ? `HTTP ${status}, redirects are not followed` : `HTTP ${status}`,
    down: !OF_THE_MOMENT.has(status),
    ...(retryAfter === null ? {} : { retryAfter }),
  };
}

function readRefusal(exchange: Exchange & { kind: 'answer' }, message: OutboundMessage): SubmitResult {
  const { error_code: code, reason } = fieldsOf(exchange.body);
  const known = typeof code === 'number' && isErrorOf(message.channel, code);
  const words = readReason(reason, message);
  return {
    kind: 'refused',
    errorCode: known ? code : UNEXPLAINED[message.channel],
    reason: words === null ? `HTTP ${exchange.status}` : `HTTP ${exchange.status}: ${words}`,
  };
}

/** The gateway's own words are kept only if they can hold neither a code nor a number nor a part of the text. */
const A_FEW_WORDS = /^[A-Za-z][A-Za-z _-]{0,47}$/;

function readReason(reason: unknown, message: OutboundMessage): string | null {
  if (typeof reason !== 'string' || !A_FEW_WORDS.test(reason)) return null;
  return message.text.toLowerCase().includes(reason.toLowerCase()) ? null : reason;
}

/** RFC 9110 §10.2.3: seconds or a date. Milliseconds, bounded; null when there is none or it makes no sense. */
function readRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const wait = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER);
}

/** The fields of a JSON object; none for anything else, since the status alone decides. */
function fieldsOf(body: string | null): Readonly<Record<string, unknown>> {
  if (!body) return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
