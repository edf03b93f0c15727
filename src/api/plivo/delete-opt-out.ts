import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { listOwner, notOptedOut, recipientInPath } from './opt-out.js';

const OPERATION: Operation = {
  id: 'deleteOptOut',
  tag: 'OptOuts',
  summary: 'Take a recipient off the opt-out list',
  answers: { 204: { description: 'The recipient gets SMS again.' } },
  errors: { 404: 'The recipient is not on the list, or the path is that of a subaccount.' },
};

/** `DELETE …/Verify/OptOut/{recipient}/` → 204: the recipient gets SMS again. A body is ignored. */
export function deleteOptOut(app: FastifyInstance, { store }: ApiContext): void {
  app.delete('/Verify/OptOut/:recipient/', { config: { operation: OPERATION } }, async (request, reply) => {
    const account = listOwner(request);
    const recipient = recipientInPath(request);
    const outcome = await store.submit({ type: 'opt-in', account, recipient });
    if (outcome.kind === 'not-found') throw notOptedOut();
    return reply.code(204).send();
  });
}
