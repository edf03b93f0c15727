import type { FastifyRequest } from 'fastify';
import type { Account, AccountId } from '../../verify/model.js';
import type { ApiContext } from '../context.js';
import { ApiError, NO_SUCH_SUBACCOUNT } from '../errors.js';

/**
 * The main account that the path names: only main accounts have subaccounts. A subaccount that asks on its own path
 * gets 404; on its main account's it is not let in (401, contract §1).
 * @throws ApiError 404
 */
export function mainAccountOf(request: FastifyRequest): Account {
  const account = request.account!;
  if (account.parent === null) return account;
  throw new ApiError({ status: 404, error: 'a subaccount has no subaccounts: ask with its main account' });
}

/**
 * The subaccount that the path names, as the database has it now.
 * @throws ApiError 404 when it is none of the main account's
 */
export async function subaccountOf(context: ApiContext, request: FastifyRequest): Promise<Account> {
  const main = mainAccountOf(request);
  const { subaccount } = request.params as { subaccount: string };
  const known = /^SA[A-Z0-9]{18}$/.test(subaccount)
    ? await context.store.read.account(subaccount as AccountId)
    : null;
  if (known?.parent !== main.authId) throw new ApiError(NO_SUCH_SUBACCOUNT);
  return known;
}
