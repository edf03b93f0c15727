import type { FastifyInstance } from 'fastify';
import type { OptOut } from '../../verify/model.js';
import { optOutFields } from '../../verify/opt-out-fields.js';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { CreatedOptOut, listOwner, OptOutBody, recipientOf } from './opt-out.js';

const OPERATION: Operation = {
  id: 'createOptOut',
  tag: 'OptOuts',
  summary: 'Put a recipient on the opt-out list',
  description:
    'No SMS goes to it any more, from this account or its subaccounts. One on the list stays as it is.',
  body: {
    rules: { required: ['recipient'], additionalProperties: { type: 'null' } },
    examples: { 'a recipient': { recipient: '+14155551234' } },
  },
  answers: { 201: { description: 'The recipient is on the list.' } },
  errors: { 404: 'The path is that of a subaccount: the list is the main account’s.' },
};

/** `POST …/Verify/OptOut/` → 201: no SMS goes to the recipient any more. One that is on the list stays as it is. */
export function createOptOut(app: FastifyInstance, { store, environment }: ApiContext): void {
  app.post<{ Body: OptOutBody }>(
    '/Verify/OptOut/',
    { schema: { body: OptOutBody, response: { 201: CreatedOptOut } }, config: { operation: OPERATION } },
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
