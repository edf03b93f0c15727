import type { FastifyInstance } from 'fastify';
import type { OptOut } from '../../verify/model.js';
import { optOutFields } from '../../verify/opt-out-fields.js';
import type { ApiContext } from '../context.js';
import { CreatedOptOut, listOwner, OptOutBody, recipientOf } from './opt-out.js';

/** `POST …/Verify/OptOut/` → 201: no SMS goes to the recipient any more. One that is on the list stays as it is. */
export function createOptOut(app: FastifyInstance, { store, environment }: ApiContext): void {
  app.post<{ Body: OptOutBody }>(
    '/Verify/OptOut/',
    { schema: { body: OptOutBody, response: { 201: CreatedOptOut } } },
    async (request, reply) => {
      const account = listOwner(request);
      const recipient = recipientOf(request.body);
      const createdAt = environment.now();
      const optOut: OptOut = { account, recipient, source: 'api', carrier: null, createdAt };
      await store.submit({ type: 'opt-out', optOut });
      const row = (await store.read.optOut(account, recipient)) ?? optOut;
      return reply.code(201).send({ api_id: request.id, message: 'created', ...optOutFields(row) });
    },
  );
}
