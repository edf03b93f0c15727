import type { FastifyRequest } from 'fastify';
import type { SessionId } from '../../verify/model.js';
import { isUuid } from '../../verify/uuid.js';
import { ApiError, NO_SUCH_SESSION } from '../errors.js';

/** The session that the path names. What is no UUID names none. */
export function sessionIdOf(request: FastifyRequest): SessionId {
  const uuid = (request.params as { session_uuid: string }).session_uuid.toLowerCase();
  if (!isUuid(uuid)) throw new ApiError(NO_SUCH_SESSION);
  return uuid as SessionId;
}
