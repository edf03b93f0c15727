import type { FastifyInstance } from 'fastify';
import { applicationFields } from '../../verify/application-fields.js';
import type { ApiContext } from '../context.js';
import type { Operation } from '../reference/operation.js';
import { RetrievedApplication } from './application-view.js';
import { applicationOf } from './find-application.js';

const OPERATION: Operation = {
  id: 'retrieveApplication',
  tag: 'Applications',
  summary: 'Retrieve an application',
  answers: { 200: { description: 'The application.' } },
};

/** `GET …/Verify/Application/{app_uuid}/` → 200 (contract §9). */
export function retrieveApplication(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/Verify/Application/:app_uuid/',
    { schema: { response: { 200: RetrievedApplication } }, config: { operation: OPERATION } },
    async (request, reply) => {
      const application = await applicationOf(context, request);
      return reply.send({ api_id: request.id, ...applicationFields(application) });
    },
  );
}
