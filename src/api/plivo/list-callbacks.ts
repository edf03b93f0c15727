import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../context.js';
import { CallbackView, callbackView } from './callback-view.js';
import { sessionOf } from './find-session.js';

/** Latest tries that are shown of each callback; a session has at most some 50 callbacks. */
const TRIES_SHOWN = 20;

const Answer = Type.Object({
  api_id: Type.String(),
  session_uuid: Type.String(),
  callbacks: Type.Array(CallbackView),
});

/** `GET …/Verify/Session/{session_uuid}/Callback/` → 200 (contract §6): the log, oldest callback first. */
export function listCallbacks(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/Verify/Session/:session_uuid/Callback/',
    { schema: { response: { 200: Answer } } },
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
