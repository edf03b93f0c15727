import type { FastifyRequest } from 'fastify';
import type { SessionView } from '../../store/store.js';
import { mayUse } from '../../verify/model.js';
import type { ApiContext } from '../context.js';
import { ApiError, NO_SUCH_SESSION } from '../errors.js';
import { sessionIdOf } from './session-id.js';

/**
 * The session that the path names: the account's own, or one of its subaccounts'. It is gone from the moment on that
 * it may be deleted (contract §5).
 * @throws ApiError 404
 */
export async function sessionOf(
  { store, environment, retention }: ApiContext,
  request: FastifyRequest,
): Promise<SessionView> {
  const found = await store.read.session(sessionIdOf(request));
  const isGone = !found || found.session.createdAt < environment.now() - retention;
  if (isGone || !mayUse(request.account!.authId, found.session)) throw new ApiError(NO_SUCH_SESSION);
  return found;
}
