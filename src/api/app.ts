import type { Socket } from 'node:net';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { newApiId } from './api-id.js';
import { BODY_LIMIT, useJsonBodies } from './body.js';
import { watchConnections } from './client-errors.js';
import type { ApiContext } from './context.js';
import { badRequest, type Failure, failureOf, NO_SUCH_PATH, rawFailure, sendFailure } from './errors.js';
import { health } from './health.js';
import { watchMethods } from './methods.js';
import { plivo } from './plivo/routes.js';
import { reference } from './reference/routes.js';
import { watchRoutes } from './reference/watch-routes.js';
import { recordRequest } from './request-log.js';
import { schemaError } from './schema-errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request arrived, by the monotonic clock. */
    startedAt: number;
  }
}

/** How long a whole request may take to arrive, and its headers alone, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;
const HEADERS_TIMEOUT = 15_000;
/** Largest refused body that is still received, in bytes. */
const DROPPED_BODY = 16 * 1024 * 1024;

/**
 * The HTTP server with every route of the API. The composition root adds the carriers' routes, listens and
 * closes. Whatever goes wrong, down to bytes that are no HTTP, is answered in the shape of contract §7.
 */
export function buildApi(context: ApiContext): FastifyInstance {
  const { environment, log } = context;

  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { failure, defect } = failureOf(error);
    if (defect) {
      const { name, message, stack } = error instanceof Error ? error : new Error('not an Error was thrown');
      log.error({ api_id: request.id, error: { name, message, stack } }, 'a request failed');
    }
    // Fastify closes the connection under a body that it does not read, and some clients then see a reset
    // instead of the answer; a body of bearable size is read to its end and dropped.
    if (Number(request.headers['content-length']) <= DROPPED_BODY) reply.removeHeader('connection');
    return sendFailure(reply, failure);
  };

  const app = fastify({
    logger: false,
    trustProxy: typeof context.trustProxy === 'boolean' ? context.trustProxy : [...context.trustProxy],
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    routerOptions: { ignoreTrailingSlash: true },
    // Node would answer a missing Host header itself, with an empty body.
    http: { requireHostHeader: false, headersTimeout: HEADERS_TIMEOUT },
    return503OnClosing: false,
    genReqId: () => newApiId(environment),
    // Coercion would make "" of null and 0 of "".
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allowUnionTypes: true,
        verbose: true,
      },
    },
    schemaErrorFormatter: schemaError,
    frameworkErrors: (error, request, reply) => {
      request.startedAt = environment.monotonic();
      void answerError(error, request, reply as FastifyReply);
      recordRequest(context, request, reply as FastifyReply);
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
      inTurn(socket as Socket, () => {
        if (!socket.writable) return;
        const apiId = newApiId(environment);
        log.info({ api_id: apiId, status: 400, code: error.code }, 'not a valid HTTP request');
        socket.end(rawFailure(apiId, { status: 400, error: clientErrorText(error.code) }), () =>
          socket.destroy(),
        );
      });
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  const inTurn = watchConnections(app.server);

  app.decorateRequest('startedAt', 0);
  useJsonBodies(app);
  const methodsOf = watchMethods(app);
  const routes = watchRoutes(app);

  app.addHook('onRequest', (request, reply, done) => {
    request.startedAt = environment.monotonic();
    const { url, raw } = request;
    if (url.includes('%00')) return done(badRequest('the path or query has a NUL character'));
    if (raw.headers.host === undefined && raw.httpVersionMinor > 0) {
      return done(badRequest('the Host header is missing'));
    }
    if (request.is404) {
      answerUnknown(request, reply, methodsOf);
      return;
    }
    done();
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined) request.body = {};
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    // What was in flight when the drain began is answered on connections that nothing else would close.
    if (context.draining()) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    recordRequest(context, request, reply);
    done();
  });
  app.setErrorHandler(answerError);
  // Answered before its body is read; the handler is here so that the hooks above run for it.
  app.setNotFoundHandler((request, reply) => answerUnknown(request, reply, methodsOf));

  // A server may ignore expectations that it does not know (RFC 9110 §10.1.1); Node's 417 has no body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  // Node would close the connection without a word. No path takes CONNECT, and a proxy we are not.
  app.server.on('connect', (request, socket) => {
    inTurn(socket as Socket, () => {
      if (!socket.writable) return void socket.destroy();
      const apiId = newApiId(environment);
      const failure = unknownOf('CONNECT', request.url ?? '', methodsOf);
      log.info({ api_id: apiId, status: failure.status, method: 'CONNECT' }, 'no method of any path');
      socket.end(rawFailure(apiId, failure), () => socket.destroy());
    });
  });

  health(app, context);
  reference(app, routes);
  void app.register(async (scope) => plivo(scope, context), { prefix: '/v1/Account/:auth_id' });
  return app;
}

function answerUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  methodsOf: (path: string) => string | null,
): FastifyReply {
  return sendFailure(reply, unknownOf(request.method, request.url, methodsOf));
}

function unknownOf(method: string, url: string, methodsOf: (path: string) => string | null): Failure {
  const allow = methodsOf(url.split('?', 1)[0]!);
  if (allow === null) return NO_SUCH_PATH;
  return { status: 405, error: `this path does not take the method ${method}`, headers: { allow } };
}

function clientErrorText(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'the request line and headers are larger than 16 KiB';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'the request did not arrive in time';
    default:
      return 'the request is not valid HTTP/1.1';
  }
}
