import type { FastifyInstance } from 'fastify';
import { mayUse } from '../../verify/model.js';
import type { ApiContext } from '../context.js';
import { NO_SUCH_SESSION, sendFailure } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { sessionIdOf } from './session-id.js';
import { RetrievedSession, sessionView } from './session-view.js';

const OPERATION: Operation = {
  id: 'retrieveSession',
  tag: 'Sessions',
  summary: 'Retrieve a session',
  answers: { 200: { description: 'The session with its attempts.' } },
};

/** `GET …/Verify/Session/{session_uuid}/` → 200 (contract §4). */
export function retrieveSession(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, retention } = context;
  app.get(
    '/Verify/Session/:session_uuid/',
    { schema: { response: { 200: RetrievedSession } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const found = await store.read.session(sessionIdOf(request));
      const now = environment.now();
      // It is gone from the moment on that it may be deleted (contract §5).
      const isGone = !found || found.session.createdAt < now - retention;
      if (isGone || !mayUse(request.account!.authId, found.session))
        return sendFailure(reply, NO_SUCH_SESSION);
      return reply.send({ api_id: request.id, ...sessionView(found, now) });
    },
  );
}
