import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { optOutFields } from '../../verify/opt-out-fields.js';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { ListedOptOut, listOwner } from './opt-out.js';
import { META, metaOf, PAGE_PARAMETERS, readPage } from './page.js';

const Answer = Type.Object({
  api_id: apiId,
  meta: Type.Object(META),
  opt_outs: Type.Array(ListedOptOut),
});

const OPERATION: Operation = {
  id: 'listOptOuts',
  tag: 'OptOuts',
  summary: 'List the recipients that opted out',
  description: 'Newest first.',
  query: PAGE_PARAMETERS,
  answers: { 200: { description: 'The places of this page.' } },
  errors: { 404: 'The path is that of a subaccount: the list is the main account’s.' },
};

/** `GET …/Verify/OptOut/?limit=…&offset=…` → 200, newest first. */
export function listOptOuts(app: FastifyInstance, { store }: ApiContext): void {
  app.get(
    '/Verify/OptOut/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const account = listOwner(request);
      const page = readPage(request.query);
      // One more than is shown tells whether there is a next page.
      const found = await store.read.optOuts({ account, limit: page.limit + 1, offset: page.offset });
      return reply.send({
        api_id: request.id,
        meta: metaOf(`/v1/Account/${account}/Verify/OptOut/`, page, found.length > page.limit),
        opt_outs: found.slice(0, page.limit).map(optOutFields),
      });
    },
  );
}
