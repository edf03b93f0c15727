import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';

/** The yardstick of HTTP: the bare framework, which reads a JSON body and answers a constant. */
const app = fastify({ logger: false });
const schema = {
  response: {
    202: {
      type: 'object',
      properties: {
        api_id: { type: 'string' },
        message: { type: 'string' },
        session_uuid: { type: 'string' },
      },
    },
  },
};
const answer = {
  api_id: '00000000-0000-4000-8000-000000000000',
  message: 'Session initiated',
  session_uuid: '00000000-0000-7000-8000-000000000000',
};
app.post('/', { schema }, async (_request, reply) => reply.code(202).send(answer));
await app.listen({ host: '127.0.0.1', port: 0 });
process.send!({ port: (app.server.address() as AddressInfo).port });
process.once('disconnect', () => process.exit());
