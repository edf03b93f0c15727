import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { badRequest } from './errors.js';

/** Largest body, in bytes. */
export const BODY_LIMIT = 64 * 1024;
/** How deep objects and arrays of a body may be nested; no call takes more than three levels. */
const MAX_DEPTH = 32;

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
 * Parses a body (RFC 8259). `JSON.parse` needs no stack for deep nesting and makes `__proto__` an ordinary property;
 * nothing here copies properties from one object to another. Of a name that comes twice it would keep the last value,
 * and a proxy that checks bodies perhaps sees the first, so such a body is refused (RFC 8259 §4).
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
  const { depth, members } = measure(text);
  if (depth > MAX_DEPTH) throw badRequest(`the body is nested deeper than ${MAX_DEPTH} levels`);
  if (members !== countMembers(value)) throw badRequest('the body has a name twice');
  if (SUSPICIOUS.test(text)) refuseUnstorable(value);
  return value;
}

/** How deep objects and arrays are nested in a valid JSON text, and how many members its objects have as written. */
function measure(text: string): { depth: number; members: number } {
  let depth = 0;
  let open = 0;
  let members = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index);
        break;
      case ':':
        members++;
        break;
      case '{':
      case '[':
        depth = Math.max(depth, ++open);
        break;
      case '}':
      case ']':
        open--;
    }
  }
  return { depth, members };
}

/** The index of the quotation mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
}

/** How many members the objects of a value have; each name of an object counts once. */
function countMembers(root: unknown): number {
  const open: unknown[] = [root];
  let count = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const members = Object.values(value);
    if (!Array.isArray(value)) count += members.length;
    for (const member of members) open.push(member);
  }
  return count;
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
