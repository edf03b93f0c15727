import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { demandDone, NO_SUCH_APPLICATION } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { applicationOf } from './find-application.js';

const OPERATION: Operation = {
  id: 'deleteApplication',
  tag: 'Applications',
  summary: 'Delete an application',
  description: 'A body is ignored.',
  answers: { 204: { description: 'It is deleted.' } },
  errors: { 409: 'It has live sessions, or it is the default application.' },
};

/** `DELETE …/Verify/Application/{app_uuid}/` → 204 (contract §9). A body is ignored. */
export function deleteApplication(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory } = context;
  app.delete(
    '/Verify/Application/:app_uuid/',
    { config: { operation: OPERATION } },
    async (request, reply) => {
      const { uuid, account } = await applicationOf(context, request);
      const outcome = await store.submit({
        type: 'delete-application',
        now: environment.now(),
        account,
        application: uuid,
      });
      directory.clear();
      demandDone(outcome, NO_SUCH_APPLICATION);
      return reply.code(204).send();
    },
  );
}
