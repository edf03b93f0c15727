import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { subaccountOf } from './find-subaccount.js';
import { RetrievedSubaccount, subaccountView } from './subaccount-view.js';

const OPERATION: Operation = {
  id: 'retrieveSubaccount',
  tag: 'Subaccounts',
  summary: 'Retrieve a subaccount',
  answers: { 200: { description: 'The subaccount, with its auth token.' } },
};

/** `GET …/Subaccount/{subauth_id}/` → 200 (contract §9). */
export function retrieveSubaccount(app: FastifyInstance, context: ApiContext): void {
  const { keyring } = context;
  app.get(
    '/Subaccount/:subaccount/',
    { schema: { response: { 200: RetrievedSubaccount } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const account = await subaccountOf(context, request);
      return reply.send({ api_id: request.id, ...subaccountView(account, keyring.current) });
    },
  );
}
