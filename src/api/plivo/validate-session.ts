import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { CODE_PATTERN } from '../../verify/codes.js';
import type { ApiContext } from '../context.js';
import { badRequest, sendFailure, VALIDATE_REFUSALS } from '../errors.js';
import { sessionIdOf } from './session-id.js';

/** Largest code that a JSON number can be: 8 digits. */
const MAX_NUMBER = 99_999_999;

const otp = () => Type.Optional(Type.Unknown());
/** Further fields are ignored: .NET and Python also send `session_uuid`, Java sends `id` (contract §3). */
const Body = Type.Object({ otp: otp(), OTP: otp() });

const Answer = Type.Object({
  api_id: Type.String(),
  message: Type.String(),
  session_uuid: Type.String(),
});

/** `POST …/Verify/Session/{session_uuid}/` → 200 (contract §3). */
export function validateSession(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, limits, metrics } = context;
  app.post<{ Body: Static<typeof Body> }>(
    '/Verify/Session/:session_uuid/',
    { schema: { body: Body, response: { 200: Answer } } },
    async (request, reply) => {
      const session = sessionIdOf(request);
      const outcome = await store.submit({
        type: 'validate',
        now: environment.now(),
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

/** A string of 4–8 digits, or a JSON number that may have lost leading zeros. */
function readOtp(value: unknown): { otp: string; numeric: boolean } {
  if (value === undefined || value === null) throw badRequest('otp is required');
  if (typeof value === 'string' && CODE_PATTERN.test(value)) return { otp: value, numeric: false };
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMBER) {
    return { otp: String(value), numeric: true };
  }
  throw badRequest('otp must be 4 to 8 digits');
}
