import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { CODE_PATTERN } from '../../verify/codes.js';
import type { ApiContext } from '../context.js';
import { badRequest, sendFailure, VALIDATE_REFUSALS } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId, uuid } from '../wire.js';
import { sessionIdOf } from './session-id.js';

/** Largest code that a JSON number can be: 8 digits. */
const MAX_NUMBER = 99_999_999;

/** A string of 4–8 digits, or a JSON number that may have lost leading zeros. */
const otp = () =>
  Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      pattern: CODE_PATTERN.source,
      minimum: 0,
      maximum: MAX_NUMBER,
      description: '4 to 8 digits',
    }),
  );
/** Further fields are ignored: .NET and Python also send `session_uuid`, Java sends `id` (contract §3). */
const Body = Type.Object({ otp: otp(), OTP: otp() });

const Answer = Type.Object({
  api_id: apiId,
  message: Type.String({ enum: ['session validated successfully.'] }),
  session_uuid: uuid('the session'),
});

const OPERATION: Operation = {
  id: 'validateSession',
  tag: 'Sessions',
  summary: 'Validate what a person typed',
  description:
    'A code is good once; after 10 validations even the right one is refused. Other fields are ignored.',
  body: {
    rules: { anyOf: [{ required: ['otp'] }, { required: ['OTP'] }] },
    examples: { 'a code': { otp: '123456' }, 'as older clients send it': { OTP: '123456' } },
  },
  answers: {
    200: {
      description: 'The code is right, and the session verified.',
      example: {
        api_id: '6fb4d3a1-7f0a-4c5f-9d39-0f8c1e0c5a11',
        message: 'session validated successfully.',
        session_uuid: '019c12d2-7ba3-7a02-b1d5-2c9f8e7d6a50',
      },
    },
  },
  errors: {
    400: '`invalid OTP`; the session has `expired`; it is `already verified`; a `maximum` of validations is reached; or `otp` is no code.',
  },
};

/** `POST …/Verify/Session/{session_uuid}/` → 200 (contract §3). */
export function validateSession(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, limits, metrics } = context;
  app.post<{ Body: Static<typeof Body> }>(
    '/Verify/Session/:session_uuid/',
    { schema: { body: Body, response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const session = sessionIdOf(request);
      const outcome = await store.submit({
        type: 'validate',
        now: environment.now(),
        owner: store.epoch,
        account: request.account!.authId,
        session,
        ...readOtp(request.body.otp ?? request.body.OTP),
        failedValidationsLimit: limits.failedValidationsPerRecipient,
      });
      metrics.validations.inc({ result: outcome.kind });
      if (outcome.kind !== 'validated') return sendFailure(reply, VALIDATE_REFUSALS[outcome.kind]);
      metrics.sessions.inc({ event: 'verified' });
      return reply.send({
        api_id: request.id,
        message: 'session validated successfully.',
        session_uuid: session,
      });
    },
  );
}

function readOtp(value: string | number | null | undefined): { otp: string; numeric: boolean } {
  if (value === undefined || value === null) throw badRequest('otp is required');
  return { otp: String(value), numeric: typeof value === 'number' };
}
