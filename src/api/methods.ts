import type { FastifyInstance } from 'fastify';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Watches routes being added and answers which methods a path takes, so that any other method on it, even one
 * that the router has never heard of, gets 405 with `Allow` (RFC 9110 §15.5.6) instead of 404.
 */
export function watchMethods(app: FastifyInstance): (path: string) => string | null {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const bare = url.replace(/\/$/, '');
    const known = paths.get(bare) ?? { pattern: patternOf(bare), methods: new Set<string>() };
    paths.set(bare, known);
    for (const each of [method].flat()) known.methods.add(each.toUpperCase());
  });
  return (path) => {
    for (const { pattern, methods } of paths.values()) {
      if (pattern.test(path)) return [...methods].sort().join(', ');
    }
    return null;
  };
}

function patternOf(url: string): RegExp {
  const segments = url
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.replace(/[^A-Za-z0-9_-]/g, '\\$&')));
  return new RegExp(`^${segments.join('/')}/?$`);
}
