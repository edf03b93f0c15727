import type { FastifyInstance } from 'fastify';
import { optOutFields } from '../../verify/opt-out-fields.js';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { listOwner, notOptedOut, RetrievedOptOut, recipientInPath } from './opt-out.js';

const OPERATION: Operation = {
  id: 'retrieveOptOut',
  tag: 'OptOuts',
  summary: 'Retrieve a place on the opt-out list',
  answers: { 200: { description: 'The recipient is on the list.' } },
  errors: { 404: 'The recipient is not on the list, or the path is that of a subaccount.' },
};

/** `GET …/Verify/OptOut/{recipient}/` → 200; 404 when the recipient is not on the list. */
export function retrieveOptOut(app: FastifyInstance, { store }: ApiContext): void {
  app.get(
    '/Verify/OptOut/:recipient/',
    { schema: { response: { 200: RetrievedOptOut } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const row = await store.read.optOut(listOwner(request), recipientInPath(request));
      if (!row) throw notOptedOut();
      return reply.send({ api_id: request.id, ...optOutFields(row) });
    },
  );
}
