import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Operation, Schema } from './operation.js';
import type { KnownRoute } from './watch-routes.js';

/** Nothing but the stylesheet is loaded, nothing is run, nothing is framed (CSP level 3). */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Resource {
  readonly type: string;
  readonly text: string;
  readonly etag: string;
}

const ETAG: Schema = { type: 'string', description: 'for `If-None-Match`' };
const CACHED = { description: 'What `If-None-Match` names is still right.', headers: { ETag: ETAG } };
const IF_NONE_MATCH: Schema = { type: 'string', description: 'the `ETag` of an earlier answer' };

function served(id: string, summary: string, mediaType: string): Operation {
  return {
    id,
    tag: 'Server',
    summary,
    security: 'none',
    headers: { 'If-None-Match': IF_NONE_MATCH },
    answers: { 200: { description: 'The whole of it.', mediaType, headers: { ETag: ETAG } }, 304: CACHED },
  };
}

/**
 * `GET /openapi.json`: the OpenAPI 3.1 document of every route of this server. `GET /docs`: the same for people.
 * Without authentication, as neither holds anything of an account. Loaded and built when first asked for.
 */
export function reference(app: FastifyInstance, routes: () => readonly KnownRoute[]): void {
  const document = once(async () => (await import('./document.js')).describeRoutes(routes()));
  const json = once(async () => resource('application/json', `${JSON.stringify(await document())}\n`));
  const page = once(async () =>
    resource('text/html', (await import('./page.js')).renderPage(await document())),
  );
  const style = once(async () => resource('text/css', (await import('./stylesheet.js')).STYLESHEET));

  app.get(
    '/openapi.json',
    {
      schema: { response: {} },
      config: { operation: served('getOpenApiDocument', 'This document', 'application/json') },
    },
    async (request, reply) => answer(request, reply, await json()),
  );
  app.get(
    '/docs/',
    { config: { operation: served('getReference', 'This document as a page', 'text/html') } },
    async (request, reply) => answer(request, reply, await page()),
  );
  app.get(
    '/docs/reference.css',
    { config: { operation: served('getReferenceStyle', "The page's style sheet", 'text/css') } },
    async (request, reply) => answer(request, reply, await style()),
  );
}

/** Makes a value when first asked for it; a failure is not kept: who asks next tries again. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

function resource(type: string, text: string): Resource {
  return { type: `${type}; charset=utf-8`, text, etag: `"${hash('sha256', text, 'base64url')}"` };
}

function answer(request: FastifyRequest, reply: FastifyReply, { type, text, etag }: Resource): FastifyReply {
  reply.headers({
    etag,
    // Asked again each time, so that an upgrade shows at once.
    'cache-control': 'no-cache',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(type).send(text);
}
