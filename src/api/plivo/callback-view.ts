import { type Static, Type } from 'typebox';
import type { CallbackRecord } from '../../store/store.js';
import { type CallbackState, type CallbackTry, callbackId } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';

const NullableString = Type.Unsafe<string | null>({ type: 'string', nullable: true });
const NullableInteger = Type.Unsafe<number | null>({ type: 'integer', nullable: true });

const TryView = Type.Object({
  time: Type.String(),
  status: NullableInteger,
  reason: NullableString,
  latency_ms: NullableInteger,
  next_retry_at: NullableString,
  manual: Type.Boolean(),
});

/** A callback on the wire, with its log (contract §6). */
export const CallbackView = Type.Object({
  callback_id: Type.String(),
  attempt_uuid: Type.String(),
  sequence: Type.Integer(),
  url: Type.String(),
  method: Type.String(),
  state: Type.String(),
  session_status: Type.String(),
  channel: Type.String(),
  channel_status: Type.String(),
  created_at: Type.String(),
  next_retry_at: NullableString,
  tries_made: Type.Integer(),
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
