import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { badRequest } from './errors.js';

/** Largest body, in bytes. */
export const BODY_LIMIT = 64 * 1024;

/** The only escapes that can put a NUL or half a surrogate pair into a string. */
const SUSPICIOUS = /\\u(?:0000|[dD][89a-fA-F])/;
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Makes JSON the only content type. An empty body is an empty object: the missing field is named then. */
export function useJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (_request, body, done) => {
      try {
        done(null, readJson(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/**
 * Parses a body (RFC 8259). `JSON.parse` needs no stack for deep nesting, makes `__proto__` an ordinary property
 * and keeps the last of duplicate names; nothing here copies properties from one object to another.
 */
function readJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw badRequest('the body is not UTF-8');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body.
    throw badRequest('the body is not valid JSON');
  }
  if (SUSPICIOUS.test(text)) refuseUnstorable(value);
  return value;
}

/** No database keeps NUL characters and unpaired surrogates alike. */
function refuseUnstorable(root: unknown): void {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') {
      if (UNSTORABLE.test(value)) {
        throw badRequest('the body has a string with a NUL character or an unpaired surrogate');
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) open.push(name, member);
    }
  }
}
