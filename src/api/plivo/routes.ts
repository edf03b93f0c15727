import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { ApiError, DRAINING } from '../errors.js';
import { createAuthenticationGuard } from '../limits/authentication-guard.js';
import { authenticate } from './authenticate.js';
import { createApplication } from './create-application.js';
import { createOptOut } from './create-opt-out.js';
import { createSession } from './create-session.js';
import { createSubaccount } from './create-subaccount.js';
import { deleteApplication } from './delete-application.js';
import { deleteOptOut } from './delete-opt-out.js';
import { deleteSubaccount } from './delete-subaccount.js';
import { inbox } from './inbox.js';
import { listApplications } from './list-applications.js';

import { listCallbacks } from './list-callbacks.js';

import { listOptOuts } from './list-opt-outs.js';

import { listSessions } from './list-sessions.js';
import { listSubaccounts } from './list-subaccounts.js';
import { pressKey } from './press-key.js';
import { redeliverCallback } from './redeliver-callback.js';
import { retrieveApplication } from './retrieve-application.js';
import { retrieveOptOut } from './retrieve-opt-out.js';
import { retrieveSession } from './retrieve-session.js';
import { retrieveSubaccount } from './retrieve-subaccount.js';
import { updateApplication } from './update-application.js';
import { updateSubaccount } from './update-subaccount.js';
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
  listCallbacks(app, context);
  redeliverCallback(app, context);
  createApplication(app, context);
  listApplications(app, context);
  retrieveApplication(app, context);
  updateApplication(app, context);
  deleteApplication(app, context);
  createOptOut(app, context);
  listOptOuts(app, context);
  retrieveOptOut(app, context);
  deleteOptOut(app, context);
  createSubaccount(app, context);
  listSubaccounts(app, context);
  retrieveSubaccount(app, context);
  updateSubaccount(app, context);
  deleteSubaccount(app, context);
  inbox(app, context);
  pressKey(app, context);
}
