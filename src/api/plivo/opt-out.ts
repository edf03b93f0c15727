import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { AccountId, Recipient } from '../../verify/model.js';
import { parseRecipient } from '../../verify/recipients.js';
import { ApiError, badRequest } from '../errors.js';
import { refuseUnknownFields } from '../schema-errors.js';
import { apiId, optionalText, time } from '../wire.js';

const FIELDS = {
  recipient: Type.String({ pattern: '^[0-9]{1,15}$', description: 'E.164 digits' }),
  source: Type.String({
    enum: ['message', 'api', 'operator'],
    description: 'the recipient itself, the account, or the operator',
  }),
  carrier: optionalText('the carrier that its message came through; null for other sources'),
  created_at: time('when it was put on the list'),
};

/** A place on the opt-out list on the wire: in a list, alone, and as the answer to its creation. */
export const ListedOptOut = Type.Object(FIELDS);
export const RetrievedOptOut = Type.Object({ api_id: apiId, ...FIELDS });
export const CreatedOptOut = Type.Object({ api_id: apiId, message: Type.String(), ...FIELDS });

/** Ruby sends integers for numbers (contract §8). */
export const OptOutBody = Type.Object({
  recipient: Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      description: 'a phone number in international format',
    }),
  ),
});
export type OptOutBody = Static<typeof OptOutBody>;

/** @throws ApiError 400 */
export function recipientOf(body: OptOutBody): Recipient {
  refuseUnknownFields(body, ['recipient']);
  if (body.recipient === undefined || body.recipient === null) throw badRequest('recipient is required');
  const parsed = parseRecipient(String(body.recipient));
  if (!parsed) throw badRequest('recipient is not a valid phone number in international format');
  return parsed.recipient;
}

/** @throws ApiError 404 when the path names no number */
export function recipientInPath(request: FastifyRequest): Recipient {
  const { recipient } = request.params as { recipient: string };
  const digits = recipient.replace(/[ .()+-]/g, '');
  if (!/^[0-9]{1,15}$/.test(digits)) throw notOptedOut();
  return digits as Recipient;
}

/**
 * The main account that the path names, whose list also holds for its subaccounts: none of those may lift what a
 * recipient said to another.
 * @throws ApiError 404
 */
export function listOwner(request: FastifyRequest): AccountId {
  const { authId, parent } = request.account!;
  if (parent === null) return authId;
  const error = 'the opt-out list is that of the main account: ask with its credentials and on its path';
  throw new ApiError({ status: 404, error });
}

export function notOptedOut(): ApiError {
  return new ApiError({ status: 404, error: 'recipient is not on the opt-out list of this account' });
}
