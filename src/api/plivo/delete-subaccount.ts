import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { demandDone, NO_SUCH_SUBACCOUNT } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { subaccountOf } from './find-subaccount.js';

const OPERATION: Operation = {
  id: 'deleteSubaccount',
  tag: 'Subaccounts',
  summary: 'Delete a subaccount',
  description: 'Its applications and credentials go with it, its sessions stay. A body is ignored.',
  answers: { 204: { description: 'It is deleted.' } },
  errors: { 409: 'It has live sessions.' },
};

/**
 * `DELETE …/Subaccount/{subauth_id}/` → 204 (contract §9). Bodies and `cascade` are ignored: its applications always go
 * with it, its sessions stay in the main account's lists.
 */
export function deleteSubaccount(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory } = context;
  app.delete('/Subaccount/:subaccount/', { config: { operation: OPERATION } }, async (request, reply) => {
    const { authId, parent } = await subaccountOf(context, request);
    const now = environment.now();
    const outcome = await store.submit({ type: 'delete-account', now, authId, parent: parent! });
    directory.clear();
    demandDone(outcome, NO_SUCH_SUBACCOUNT);
    return reply.code(204).send();
  });
}
