import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { listOwner, notOptedOut, recipientInPath } from './opt-out.js';

/** `DELETE …/Verify/OptOut/{recipient}/` → 204: the recipient gets SMS again. A body is ignored. */
export function deleteOptOut(app: FastifyInstance, { store }: ApiContext): void {
  app.delete('/Verify/OptOut/:recipient/', async (request, reply) => {
    const account = listOwner(request);
    const recipient = recipientInPath(request);
    const outcome = await store.submit({ type: 'opt-in', account, recipient });
    if (outcome.kind === 'not-found') throw notOptedOut();
    return reply.code(204).send();
  });
}
