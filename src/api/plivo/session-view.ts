import { type Static, Type } from 'typebox';
import type { SessionView as StoredSession } from '../../store/store.js';
import { decimalsOf, formatAmount } from '../../verify/amounts.js';
import { chargesOf } from '../../verify/charges.js';
import { type Attempt, CHANNELS, type Session, sessionStatus } from '../../verify/model.js';
import { statusesOf } from '../../verify/statuses.js';
import { formatTime } from '../../verify/time.js';
import { destinationNetwork } from '../networks.js';
import { apiId, optionalText, time, uuid } from '../wire.js';

const CHANNEL = Type.String({ enum: [...CHANNELS] });
const DECIMAL = Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?$', description: 'a decimal number' });

const AttemptView = Type.Object({
  channel: CHANNEL,
  attempt_uuid: uuid('the attempt'),
  status: Type.String({
    enum: [...new Set(CHANNELS.flatMap(statusesOf))],
    description: 'the channel status; it only moves forward',
  }),
  time: time('when the attempt was accepted'),
  brand_name: Type.String(),
  app_hash: Type.String({ description: 'empty: none' }),
  code_length: Type.Integer({ minimum: 4, maximum: 8 }),
  dtmf: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: 'only where it was set' })),
  confirm_by_key: Type.Optional(
    Type.Boolean({ description: 'true, and only there, where the call asks to press 1 and speaks no code' }),
  ),
  fraud_check: Type.String({ enum: ['enabled', 'disabled'] }),
});

const FIELDS = {
  session_uuid: uuid('the session'),
  app_uuid: uuid('its application'),
  alias: Type.String({ description: "the application's" }),
  recipient: Type.String({ pattern: '^[0-9]{1,15}$', description: 'E.164 digits without +' }),
  channel: CHANNEL,
  locale: Type.String(),
  status: Type.String({ enum: ['in-progress', 'verified', 'expired'] }),
  /** Only on sessions to a test number. */
  test: Type.Optional(Type.Boolean({ description: 'true, and only there on a session to a test number' })),
  count: Type.Integer({ minimum: 1, description: 'the number of attempts' }),
  requestor_ip: Type.String({ description: 'who asked; empty when that is not known' }),
  destination_country_iso2: optionalText('ISO 3166-1 alpha-2; null: none'),
  destination_network: optionalText('null: not known'),
  attempt_details: Type.Array(AttemptView),
  charges: Type.Object({
    total_charge: DECIMAL,
    validation_charge: DECIMAL,
    attempt_charges: Type.Array(
      Type.Object({ attempt_uuid: uuid('the attempt'), channel: CHANNEL, charge: DECIMAL }),
    ),
  }),
  created_at: time('when the session was created'),
  updated_at: time('when anything of it changed last'),
};

/** A session on the wire (contract §4), without and with `api_id`. */
export const SessionView = Type.Object(FIELDS);
export const RetrievedSession = Type.Object({ api_id: apiId, ...FIELDS });
export type SessionView = Static<typeof SessionView>;

/**
 * A session as it is at a moment.
 * @param decimals digits after the point of its charges; more where an amount would not be exact otherwise
 */
export function sessionView(
  { session, attempts }: StoredSession,
  now: number,
  decimals: number,
): SessionView {
  return {
    session_uuid: session.uuid,
    app_uuid: session.application,
    alias: session.alias,
    recipient: session.recipient,
    channel: session.channel,
    locale: session.locale,
    status: sessionStatus(session, now),
    ...(session.test ? { test: true } : {}),
    count: session.attempts,
    requestor_ip: session.requestorIp,
    destination_country_iso2: session.country,
    destination_network: destinationNetwork(session.recipient),
    attempt_details: attempts.map((attempt) => attemptView(session, attempt)),
    charges: chargesView(session, attempts, decimals),
    created_at: formatTime(session.createdAt),
    updated_at: formatTime(Math.max(session.updatedAt, ...attempts.map((attempt) => attempt.updatedAt))),
  };
}

/** All amounts of a session have the same number of digits after the point. */
function chargesView(
  session: Session,
  attempts: readonly Attempt[],
  decimals: number,
): SessionView['charges'] {
  const charges = chargesOf(session, attempts);
  const shown = Math.max(decimals, ...[charges.validation, ...charges.attempts].map(decimalsOf));
  return {
    total_charge: formatAmount(charges.total, shown),
    validation_charge: formatAmount(charges.validation, shown),
    attempt_charges: attempts.map(({ uuid, channel }, index) => ({
      attempt_uuid: uuid,
      channel,
      charge: formatAmount(charges.attempts[index]!, shown),
    })),
  };
}

function attemptView(session: Session, attempt: Attempt): SessionView['attempt_details'][number] {
  return {
    channel: attempt.channel,
    attempt_uuid: attempt.uuid,
    status: attempt.status,
    time: formatTime(attempt.createdAt),
    brand_name: attempt.brandName,
    app_hash: attempt.appHash,
    code_length: session.code.length,
    ...(attempt.dtmf === null ? {} : { dtmf: attempt.dtmf }),
    ...(attempt.confirmByKey ? { confirm_by_key: true } : {}),
    fraud_check: attempt.fraudCheck,
  };
}
