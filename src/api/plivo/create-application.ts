import type { FastifyInstance } from 'fastify';
import { applicationFields } from '../../verify/application-fields.js';
import { newApplication } from '../../verify/applications.js';
import type { ApplicationId } from '../../verify/model.js';
import { uuidv7 } from '../../verify/uuid.js';
import type { ApiContext } from '../context.js';
import { demandDone, UNAUTHORIZED } from '../errors.js';
import type { Operation } from '../reference/operation.js';
import { ApplicationBody, applicationChanges } from './application-body.js';
import { ChangedApplication } from './application-view.js';

const OPERATION: Operation = {
  id: 'createApplication',
  tag: 'Applications',
  summary: 'Create an application',
  description: 'What is null or not named gets its default.',
  body: {
    rules: { additionalProperties: { type: 'null' } },
    optional: true,
    examples: { 'an application': { alias: 'payments', brand_name: 'Acme Pay', expiry: 300 } },
  },
  answers: { 201: { description: 'The application.' } },
  errors: { 409: 'The account has as many applications as it may have.' },
};

/** `POST …/Verify/Application/` → 201 (contract §9). */
export function createApplication(app: FastifyInstance, context: ApiContext): void {
  const { store, environment, directory } = context;
  app.post<{ Body: ApplicationBody }>(
    '/Verify/Application/',
    {
      schema: { body: ApplicationBody, response: { 201: ChangedApplication } },
      config: { operation: OPERATION },
    },
    async (request, reply) => {
      const now = environment.now();
      const uuid = uuidv7(now, environment.randomBytes(10)) as ApplicationId;
      const changes = applicationChanges(request.body);
      const application = newApplication(uuid, request.account!.authId, changes, now);
      const outcome = await store.submit({ type: 'create-application', application });
      directory.clear();
      demandDone(outcome, UNAUTHORIZED);
      const created = (await store.read.application(uuid)) ?? application;
      return reply.code(201).send({ api_id: request.id, message: 'created', ...applicationFields(created) });
    },
  );
}
