import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { ApiError, DRAINING } from '../errors.js';
import { createAuthenticationGuard } from '../limits/authentication-guard.js';
import { authenticate } from './authenticate.js';
import { createSession } from './create-session.js';
import { inbox } from './inbox.js';
import { listSessions } from './list-sessions.js';
import { retrieveSession } from './retrieve-session.js';
import { validateSession } from './validate-session.js';

/** The resources of the wire contract, under `/v1/Account/{auth_id}`. Nothing is read before it is known who asks. */
export function plivo(app: FastifyInstance, context: ApiContext): void {
  const guard = createAuthenticationGuard(context);
  app.decorateRequest('account', null);
  app.addHook('onRequest', async (request) => {
    if (context.draining()) throw new ApiError(DRAINING);
    request.account = await authenticate(context.directory, guard, request);
  });
  createSession(app, context);
  validateSession(app, context);
  retrieveSession(app, context);
  listSessions(app, context);
  inbox(app, context);
}
