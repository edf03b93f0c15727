import type { FastifyInstance } from 'fastify';
import type { ApiContext } from './context.js';

/**
 * `GET /healthz`: this process answers. `GET /readyz`: it can do its work; 503 with the reason while it cannot,
 * and while it drains, so that a load balancer turns away.
 */
export function health(app: FastifyInstance, context: ApiContext): void {
  app.get('/healthz', (request) => ({ api_id: request.id, status: 'ok' }));
  app.get('/readyz', (request, reply) => {
    const { ok, reason } = context.draining() ? { ok: false, reason: 'draining' } : context.ready();
    if (ok) return reply.send({ api_id: request.id, status: 'ready' });
    return reply
      .code(503)
      .header('retry-after', '1')
      .send({ api_id: request.id, error: `not ready: ${reason ?? 'starting'}` });
  });
}
