import type { FastifyInstance } from 'fastify';
import { optOutFields } from '../../verify/opt-out-fields.js';
import type { ApiContext } from '../context.js';
import { listOwner, notOptedOut, RetrievedOptOut, recipientInPath } from './opt-out.js';

/** `GET …/Verify/OptOut/{recipient}/` → 200; 404 when the recipient is not on the list. */
export function retrieveOptOut(app: FastifyInstance, { store }: ApiContext): void {
  app.get(
    '/Verify/OptOut/:recipient/',
    { schema: { response: { 200: RetrievedOptOut } } },
    async (request, reply) => {
      const row = await store.read.optOut(listOwner(request), recipientInPath(request));
      if (!row) throw notOptedOut();
      return reply.send({ api_id: request.id, ...optOutFields(row) });
    },
  );
}
