import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { mainAccountOf } from './find-subaccount.js';
import { META, metaOf, PAGE_PARAMETERS, readPage } from './page.js';
import { ListedSubaccount, subaccountView } from './subaccount-view.js';

const Answer = Type.Object({
  api_id: apiId,
  meta: Type.Object({ ...META, total_count: Type.Integer() }),
  objects: Type.Array(ListedSubaccount),
});

const OPERATION: Operation = {
  id: 'listSubaccounts',
  tag: 'Subaccounts',
  summary: 'List subaccounts',
  description: 'Newest first.',
  query: PAGE_PARAMETERS,
  answers: { 200: { description: 'The subaccounts of this page.' } },
  errors: { 404: 'A subaccount has no subaccounts.' },
};

/** `GET …/Subaccount/?limit=…&offset=…` → 200 (contract §9), newest first. */
export function listSubaccounts(app: FastifyInstance, context: ApiContext): void {
  const { store, keyring } = context;
  app.get(
    '/Subaccount/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const main = mainAccountOf(request).authId;
      const page = readPage(request.query);
      const { accounts, total } = await store.read.subaccounts(main, page.limit, page.offset);
      const path = `/v1/Account/${main}/Subaccount/`;
      const meta = metaOf(path, page, total > page.offset + page.limit);
      return reply.send({
        api_id: request.id,
        meta: { ...meta, total_count: total },
        objects: accounts.map((account) => subaccountView(account, keyring.current)),
      });
    },
  );
}
