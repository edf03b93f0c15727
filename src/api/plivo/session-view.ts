import { type Static, Type } from 'typebox';
import type { SessionView as StoredSession } from '../../store/store.js';
import { decimalsOf, formatAmount } from '../../verify/amounts.js';
import { chargesOf } from '../../verify/charges.js';
import { type Attempt, type Session, sessionStatus } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import { destinationNetwork } from '../networks.js';

const NullableString = Type.Unsafe<string | null>({ type: 'string', nullable: true });

const AttemptView = Type.Object({
  channel: Type.String(),
  attempt_uuid: Type.String(),
  status: Type.String(),
  time: Type.String(),
  brand_name: Type.String(),
  app_hash: Type.String(),
  code_length: Type.Integer(),
  dtmf: Type.Optional(Type.Integer()),
  fraud_check: Type.String(),
});

const FIELDS = {
  session_uuid: Type.String(),
  app_uuid: Type.String(),
  alias: Type.String(),
  recipient: Type.String(),
  channel: Type.String(),
  locale: Type.String(),
  status: Type.String(),
  /** Only on sessions to a test number. */
  test: Type.Optional(Type.Boolean()),
  count: Type.Integer(),
  requestor_ip: Type.String(),
  destination_country_iso2: NullableString,
  destination_network: NullableString,
  attempt_details: Type.Array(AttemptView),
  charges: Type.Object({
    total_charge: Type.String(),
    validation_charge: Type.String(),
    attempt_charges: Type.Array(
      Type.Object({ attempt_uuid: Type.String(), channel: Type.String(), charge: Type.String() }),
    ),
  }),
  created_at: Type.String(),
  updated_at: Type.String(),
};

/** A session on the wire (contract §4), without and with `api_id`. */
export const SessionView = Type.Object(FIELDS);
export const RetrievedSession = Type.Object({ api_id: Type.String(), ...FIELDS });
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
    fraud_check: attempt.fraudCheck,
  };
}
