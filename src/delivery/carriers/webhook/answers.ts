import { isErrorOf, NETWORK_ERROR, UNEXPLAINED } from '../../../verify/channel-errors.js';
import type { OutboundMessage, SubmitResult } from '../../carrier.js';
import type { Answer, Exchange } from '../../http-client.js';
import { readMessageId } from '../message-id.js';
import { fieldsOf, parseJson, readNone, readRetryAfter } from '../provider/answers.js';

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
  if (exchange.kind === 'none') return readNone(exchange, message);
  const { status } = exchange;
  if (status >= 200 && status < 300) {
    return { kind: 'accepted', messageId: readMessageId(fieldsOf(parseJson(exchange.body)).message_id) };
  }
  if (status >= 400 && status < 500 && !NOT_THE_MESSAGE.has(status)) return readRefusal(exchange, message);
  return {
    kind: 'unavailable',
    errorCode: NETWORK_ERROR[message.channel],
    reason: status < 400 ? `HTTP ${status}, redirects are not followed` : `HTTP ${status}`,
    down: !OF_THE_MOMENT.has(status),
    ...readRetryAfter(exchange, now),
  };
}

function readRefusal(exchange: Answer, message: OutboundMessage): SubmitResult {
  const { error_code: code, reason } = fieldsOf(parseJson(exchange.body));
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
