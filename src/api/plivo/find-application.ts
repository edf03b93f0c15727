import type { FastifyRequest } from 'fastify';
import type { Application, ApplicationId } from '../../verify/model.js';
import { isUuid } from '../../verify/uuid.js';
import type { ApiContext } from '../context.js';
import { ApiError, NO_SUCH_APPLICATION } from '../errors.js';

/**
 * The application that the path names, as the database has it now: the account's own, or one of its subaccounts'.
 * @throws ApiError 404
 */
export async function applicationOf(context: ApiContext, request: FastifyRequest): Promise<Application> {
  const uuid = (request.params as { app_uuid: string }).app_uuid.toLowerCase();
  const found = isUuid(uuid) ? await context.store.read.application(uuid as ApplicationId) : null;
  const account = request.account!.authId;
  if (found?.account === account) return found;
  const owner = found && (await context.directory.account(found.account));
  if (owner?.account.parent !== account) throw new ApiError(NO_SUCH_APPLICATION);
  return found!;
}
