import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { newAuthId, newAuthToken } from '../../verify/credentials.js';
import { NONCE_BYTES } from '../../verify/keyring.js';
import type { ApplicationId } from '../../verify/model.js';
import { newAccount } from '../../verify/new-account.js';
import { uuidv7 } from '../../verify/uuid.js';
import type { ApiContext } from '../context.js';
import { ApiError, badRequest, demandDone, UNAUTHORIZED } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { apiId } from '../wire.js';
import { mainAccountOf } from './find-subaccount.js';
import { readEnabled, readSubaccountCountries, SubaccountBody } from './subaccount-body.js';

/** Most subaccounts of one main account; creates that run at the same moment may pass it by a few. */
const MAX_SUBACCOUNTS = 10_000;

const Answer = Type.Object({
  api_id: apiId,
  auth_id: Type.String({ pattern: '^SA[A-Z0-9]{18}$' }),
  auth_token: Type.String(),
  message: Type.String({ enum: ['created'] }),
});

const OPERATION: Operation = {
  id: 'createSubaccount',
  tag: 'Subaccounts',
  summary: 'Create a subaccount',
  description: 'Disabled unless `enabled` is true. Other fields are ignored.',
  body: {
    rules: { required: ['name'] },
    examples: { 'a subaccount': { name: 'Wayne Enterprises', enabled: true } },
  },
  answers: {
    201: {
      description: 'Its credentials.',
      example: {
        api_id: '6fb4d3a1-7f0a-4c5f-9d39-0f8c1e0c5a11',
        auth_id: 'SAXXXXXXXXXXXXXXXXXX',
        auth_token: 'the-token-of-40-characters',
        message: 'created',
      },
    },
  },
  errors: {
    404: 'A subaccount has no subaccounts.',
    409: 'The account has as many subaccounts as it may have.',
  },
};

/**
 * `POST …/Subaccount/` → 201 (contract §9), with a default application of its own. As at Plivo it is disabled unless
 * `enabled` is true: Go leaves false out, Python and Ruby send it by default.
 */
export function createSubaccount(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory, keyring } = context;
  app.post<{ Body: SubaccountBody }>(
    '/Subaccount/',
    { schema: { body: SubaccountBody, response: { 201: Answer } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const main = mainAccountOf(request);
      const { name } = request.body;
      if (name === undefined || name === null) throw badRequest('name is required');
      const countries = readSubaccountCountries(request.body);
      const { total } = await store.read.subaccounts(main.authId, 1, 0);
      if (total >= MAX_SUBACCOUNTS) {
        const error = `the account has ${MAX_SUBACCOUNTS} subaccounts, which is the maximum: delete one first`;
        throw new ApiError({ status: 409, error });
      }
      const now = environment.now();
      const authId = newAuthId('SA', environment);
      const authToken = newAuthToken(environment);
      const command = newAccount(keyring.current, {
        authId,
        authToken,
        parent: main.authId,
        name,
        enabled: readEnabled(request.body) ?? false,
        countries,
        application: uuidv7(now, environment.randomBytes(10)) as ApplicationId,
        now,
        nonce: environment.randomBytes(NONCE_BYTES),
      });
      demandDone(await store.submit(command), UNAUTHORIZED);
      directory.clear();
      return reply
        .code(201)
        .send({ api_id: request.id, auth_id: authId, auth_token: authToken, message: 'created' });
    },
  );
}
