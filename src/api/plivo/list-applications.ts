import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { applicationFields } from '../../verify/application-fields.js';
import type { ApiContext } from '../context.js';
import { ApiError, NO_SUCH_SUBACCOUNT } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { ListedApplication } from './application-view.js';
import { listedAccount } from './list-query.js';
import { META, metaOf, PAGE_PARAMETERS, readPage } from './page.js';
import { parameter } from './query.js';

const Answer = Type.Object({
  api_id: apiId,
  meta: Type.Object(META),
  applications: Type.Array(ListedApplication),
});

const OPERATION: Operation = {
  id: 'listApplications',
  tag: 'Applications',
  summary: 'List applications',
  description: 'Newest first. A main account sees those of its subaccounts too.',
  query: {
    ...PAGE_PARAMETERS,
    subaccount: {
      type: 'string',
      pattern: '^[MS]A[A-Z0-9]{18}$',
      description: "only those of this subaccount, or with the account's own auth id only its own",
    },
  },
  answers: { 200: { description: 'The applications of this page.' } },
  errors: { 404: '`subaccount` names no subaccount of this account.' },
};

/**
 * `GET …/Verify/Application/?…` → 200 (contract §9), newest first. A main account's list has the applications of its
 * subaccounts too; `subaccount` filters.
 */
export function listApplications(app: FastifyInstance, context: ApiContext): void {
  const { store, directory } = context;
  app.get(
    '/Verify/Application/',
    { schema: { response: { 200: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const own = request.account!;
      const page = readPage(request.query);
      const wanted = listedAccount(own, parameter(request.query, 'subaccount'));
      if (wanted !== undefined && wanted !== own.authId) {
        const known = await directory.account(wanted);
        if (known?.account.parent !== own.authId) throw new ApiError(NO_SUCH_SUBACCOUNT);
      }
      // One more than is shown tells whether there is a next page.
      const found = await store.read.applications({
        account: wanted ?? own.authId,
        withSubaccounts: wanted === undefined,
        limit: page.limit + 1,
        offset: page.offset,
      });
      const path = `/v1/Account/${own.authId}/Verify/Application/`;
      const filters = wanted && own.parent === null ? { subaccount: wanted } : undefined;
      return reply.send({
        api_id: request.id,
        meta: metaOf(path, page, found.length > page.limit, filters),
        applications: found.slice(0, page.limit).map(applicationFields),
      });
    },
  );
}
