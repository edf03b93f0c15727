import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { CONFIRMING_KEY, hopId, type SessionStatus, sessionStatus } from '../../verify/model.js';
import type { ApiContext } from '../context.js';
import { ApiError, badRequest, NO_CALL_IN_INBOX, sendFailure, UNAVAILABLE } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId, uuid } from '../wire.js';
import { sessionOf } from './find-session.js';

const STATUSES: readonly SessionStatus[] = ['in-progress', 'verified', 'expired'];

const Body = Type.Object({
  key: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: 'an integer from 0 to 9' })),
});

const Answer = Type.Object({
  api_id: apiId,
  message: Type.String(),
  session_uuid: uuid('the session'),
  session_status: Type.String({ enum: [...STATUSES] }),
});

const OPERATION: Operation = {
  id: 'pressKey',
  tag: 'Inbox',
  summary: 'Press a key in a call that the inbox took',
  description:
    'As its callee would, in the latest call of the session that asks to press 1 (`confirm_by_key` of the application). 1 verifies the session; any other key does nothing.',
  body: { rules: { required: ['key'] }, examples: { 'the key that confirms': { key: CONFIRMING_KEY } } },
  answers: { 200: { description: 'The key is pressed: `session_status` says what the session is now.' } },
  errors: { 404: 'There is no such session, or none of its calls in the inbox asks to press a key.' },
};

/** `POST …/Inbox/{session_uuid}/Press/` → 200: presses a key in a call that an inbox took (docs/carriers/inbox.md). */
export function pressKey(app: FastifyInstance, context: ApiContext): void {
  const { environment, confirm } = context;
  app.post<{ Body: Static<typeof Body> }>(
    '/Inbox/:session_uuid/Press/',
    { schema: { body: Body, response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const { key } = request.body;
      if (key === undefined) throw badRequest('key is required');
      const { session, attempts } = await sessionOf(context, request);
      const call = attempts.findLast(
        ({ confirmByKey, carrier }) => confirmByKey && carrier !== null && context.inbox.includes(carrier),
      );
      if (!call) return sendFailure(reply, NO_CALL_IN_INBOX);
      if (key === CONFIRMING_KEY) {
        const result = await confirm(call.carrier!, hopId(call.uuid, call.hop));
        if (result === 'unavailable') throw new ApiError(UNAVAILABLE);
      }
      // Read anew: others may have ended the session meanwhile.
      const after = key === CONFIRMING_KEY ? (await sessionOf(context, request)).session : session;
      return reply.send({
        api_id: request.id,
        message: `key ${key} is pressed`,
        session_uuid: session.uuid,
        session_status: sessionStatus(after, environment.now()),
      });
    },
  );
}
