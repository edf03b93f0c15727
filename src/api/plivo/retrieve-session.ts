import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { sessionOf } from './find-session.js';
import { RetrievedSession, sessionView } from './session-view.js';

const OPERATION: Operation = {
  id: 'retrieveSession',
  tag: 'Sessions',
  summary: 'Retrieve a session',
  answers: { 200: { description: 'The session with its attempts.' } },
};

/** `GET …/Verify/Session/{session_uuid}/` → 200 (contract §4). */
export function retrieveSession(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/Verify/Session/:session_uuid/',
    { schema: { response: { 200: RetrievedSession } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const found = await sessionOf(context, request);
      const view = sessionView(found, context.environment.now(), context.rates.decimals);
      return reply.send({ api_id: request.id, ...view });
    },
  );
}
