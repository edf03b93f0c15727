import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '../context.js';
import { demandDone, NO_SUCH_SUBACCOUNT } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { subaccountOf } from './find-subaccount.js';
import { readEnabled, readSubaccountCountries, SubaccountBody } from './subaccount-body.js';

const Answer = Type.Object({ api_id: apiId, message: Type.String({ enum: ['changed'] }) });

const OPERATION: Operation = {
  id: 'updateSubaccount',
  tag: 'Subaccounts',
  summary: 'Change a subaccount',
  description: 'What is null or not named stays. Other fields are ignored.',
  body: { optional: true, examples: { 'disable it': { enabled: false } } },
  answers: { 202: { description: 'It is changed.' } },
};

/** `POST …/Subaccount/{subauth_id}/` → 202 (contract §9): what is not sent stays as it is. */
export function updateSubaccount(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory } = context;
  app.post<{ Body: SubaccountBody }>(
    '/Subaccount/:subaccount/',
    { schema: { body: SubaccountBody, response: { 202: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const { authId } = await subaccountOf(context, request);
      const name = request.body.name ?? undefined;
      const enabled = readEnabled(request.body);
      const countries = readSubaccountCountries(request.body);
      const changes = {
        ...(name === undefined ? {} : { name }),
        ...(enabled === undefined ? {} : { enabled }),
        ...(countries === undefined ? {} : { countries }),
      };
      const outcome = await store.submit({ type: 'update-account', now: environment.now(), authId, changes });
      directory.clear();
      demandDone(outcome, NO_SUCH_SUBACCOUNT);
      return reply.code(202).send({ api_id: request.id, message: 'changed' });
    },
  );
}
