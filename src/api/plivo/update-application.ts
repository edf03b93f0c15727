import type { FastifyInstance } from 'fastify';
import { applicationFields } from '../../verify/application-fields.js';
import type { ApiContext } from '../context.js';
import { demandDone, NO_SUCH_APPLICATION } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { ApplicationBody, applicationChanges } from './application-body.js';
import { ChangedApplication } from './application-view.js';
import { applicationOf } from './find-application.js';

const OPERATION: Operation = {
  id: 'updateApplication',
  tag: 'Applications',
  summary: 'Change an application',
  description: 'What is null or not named stays. Live sessions keep the rules that they began with.',
  body: {
    rules: { additionalProperties: { type: 'null' } },
    optional: true,
    examples: { 'longer codes': { code_length: 8 } },
  },
  answers: { 202: { description: 'The application as it is now.' } },
  errors: {
    409: 'The default application cannot step down by itself, and `app_hash` and `domain` exclude each other.',
  },
};

/** `POST …/Verify/Application/{app_uuid}/` → 202 (contract §9): what is not named stays. */
export function updateApplication(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory } = context;
  app.post<{ Body: ApplicationBody }>(
    '/Verify/Application/:app_uuid/',
    {
      schema: { body: ApplicationBody, response: { 202: ChangedApplication } },
      config: { operation: OPERATION },
    },
    async (request, reply) => {
      const { uuid, account } = await applicationOf(context, request);
      const outcome = await store.submit({
        type: 'update-application',
        now: environment.now(),
        account,
        application: uuid,
        changes: applicationChanges(request.body),
      });
      directory.clear();
      demandDone(outcome, NO_SUCH_APPLICATION);
      const updated = await applicationOf(context, request);
      return reply.code(202).send({ api_id: request.id, message: 'changed', ...applicationFields(updated) });
    },
  );
}
