import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { apiId, uuid } from '../wire.js';
import { CallbackView, callbackView } from './callback-view.js';
import { sessionOf } from './find-session.js';

/** Latest tries that are shown of each callback; a session has at most some 50 callbacks. */
const TRIES_SHOWN = 20;

const Answer = Type.Object({
  api_id: apiId,
  session_uuid: uuid('the session'),
  callbacks: Type.Array(CallbackView),
});

const OPERATION: Operation = {
  id: 'listCallbacks',
  tag: 'Callbacks',
  summary: "List a session's callbacks",
  description: `The log, oldest callback first, each with its latest ${TRIES_SHOWN} tries.`,
  answers: { 200: { description: 'The callbacks; none where the session has no URL for them.' } },
};

/** `GET …/Verify/Session/{session_uuid}/Callback/` → 200 (contract §6): the log, oldest callback first. */
export function listCallbacks(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/Verify/Session/:session_uuid/Callback/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const { session } = await sessionOf(context, request);
      const records = await context.store.read.callbacks(session.uuid, TRIES_SHOWN);
      return reply.send({
        api_id: request.id,
        session_uuid: session.uuid,
        callbacks: records.map(callbackView),
      });
    },
  );
}
