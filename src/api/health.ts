import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from './context.js';
import { sendFailure } from './errors.js';
import type { Operation } from './reference/operation.js';
import { apiId } from './wire.js';

const Answer = Type.Object({ api_id: apiId, status: Type.String({ enum: ['ok', 'ready'] }) });

const LIVE: Operation = {
  id: 'isAlive',
  tag: 'Server',
  summary: 'Whether the process answers',
  security: 'none',
  answers: { 200: { description: 'It does.' } },
};
const READY: Operation = {
  id: 'isReady',
  tag: 'Server',
  summary: 'Whether the server can do its work',
  security: 'none',
  answers: { 200: { description: 'It can.' } },
  errors: { 503: 'It cannot, or it is draining: `error` says why.' },
};

/**
 * `GET /healthz`: this process answers. `GET /readyz`: it can do its work; 503 with the reason while it cannot,
 * and while it drains, so that a load balancer turns away.
 */
export function health(app: FastifyInstance, context: ApiContext): void {
  app.get('/healthz', { schema: { response: { 200: Answer } }, config: { operation: LIVE } }, (request) => ({
    api_id: request.id,
    status: 'ok',
  }));
  app.get(
    '/readyz',
    { schema: { response: { 200: Answer } }, config: { operation: READY } },
    (request, reply) => {
      const { ok, reason } = context.draining() ? { ok: false, reason: 'draining' } : context.ready();
      if (ok) return reply.send({ api_id: request.id, status: 'ready' });
      return sendFailure(reply, {
        status: 503,
        error: `not ready: ${reason ?? 'starting'}`,
        headers: { 'retry-after': '1' },
      });
    },
  );
}
