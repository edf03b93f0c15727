import { type Static, Type } from 'typebox';
import type { CallbackRecord } from '../../store/store.js';
import { type CallbackState, type CallbackTry, callbackId } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import { optionalText, time, uuid } from '../wire.js';

const optionalInteger = (description: string) =>
  Type.Unsafe<number | null>({ type: 'integer', nullable: true, description });

const TryView = Type.Object({
  time: time('when it ended'),
  status: optionalInteger('the HTTP status of the answer; null: there was none'),
  reason: optionalText('why it failed; null: it did not'),
  latency_ms: optionalInteger('milliseconds until the answer; null: no connection was tried'),
  next_retry_at: optionalText('when it was to be tried again; null: this was the last try'),
  manual: Type.Boolean({ description: 'it belongs to a redelivery' }),
});

/** A callback on the wire, with its log (contract §6). */
export const CallbackView = Type.Object({
  callback_id: Type.String({ description: 'attempt and sequence, joined by a dot' }),
  attempt_uuid: uuid('the attempt'),
  sequence: Type.Integer({ minimum: 1, description: 'of the callbacks of its attempt' }),
  url: Type.String(),
  method: Type.String({ enum: ['POST', 'GET'] }),
  state: Type.String({ enum: ['pending', 'held', 'delivered', 'failed'] }),
  session_status: Type.String({ description: 'as the callback says it' }),
  channel: Type.String({ description: 'as the callback says it' }),
  channel_status: Type.String({ description: 'as the callback says it' }),
  created_at: time('when the event happened that it tells'),
  next_retry_at: optionalText('when it is tried next; null: it is settled or held'),
  tries_made: Type.Integer({ minimum: 0 }),
  tries: Type.Array(TryView),
});

const STATES: Readonly<Record<CallbackState, string>> = {
  ready: 'pending',
  held: 'held',
  delivered: 'delivered',
  failed: 'failed',
};

/** The URL is shown as it is: it is the customer's own. */
export function callbackView({ callback, tries }: CallbackRecord): Static<typeof CallbackView> {
  const parameters = new URLSearchParams(callback.body);
  return {
    callback_id: callbackId(callback.attempt, callback.sequence),
    attempt_uuid: callback.attempt,
    sequence: callback.sequence,
    url: callback.url,
    method: callback.method,
    state: STATES[callback.state],
    session_status: parameters.get('SessionStatus') ?? '',
    channel: parameters.get('Channel') ?? '',
    channel_status: parameters.get('ChannelStatus') ?? '',
    created_at: formatTime(callback.createdAt),
    next_retry_at: callback.state === 'ready' ? formatTime(callback.nextAt) : null,
    tries_made: callback.tries,
    tries: tries.map(tryView),
  };
}

function tryView(each: CallbackTry): Static<typeof TryView> {
  return {
    time: formatTime(each.at),
    status: each.httpStatus,
    reason: each.reason,
    latency_ms: each.latency,
    next_retry_at: each.nextAt === null ? null : formatTime(each.nextAt),
    manual: each.byHand,
  };
}
