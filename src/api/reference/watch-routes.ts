import type { FastifyInstance } from 'fastify';
import type { Operation, Schema } from './operation.js';

/** A route as the reference needs it. */
export interface KnownRoute {
  readonly method: string;
  /** As it was registered, with its prefix. */
  readonly url: string;
  readonly body: Schema | undefined;
  readonly answers: Readonly<Record<string, Schema>>;
  /** Null: nobody has described it. */
  readonly operation: Operation | null;
}

/**
 * Watches routes being added, which goes on until the server listens.
 * @returns those so far, without HEAD, which every GET has
 */
export function watchRoutes(app: FastifyInstance): () => readonly KnownRoute[] {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    for (const each of [method].flat()) {
      if (each === 'HEAD') continue;
      routes.push({
        method: each,
        url,
        body: schema?.body as Schema | undefined,
        answers: (schema?.response ?? {}) as Record<string, Schema>,
        operation: config?.operation ?? null,
      });
    }
  });
  return () => routes;
}
