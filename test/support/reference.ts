import { Compile } from 'typebox/schema';
import type { DocumentedOperation, OpenApiDocument } from '#api/reference/document.js';
import type { Schema } from '#api/reference/operation.js';

/** An answer as it came, whoever asked. */
export interface AnswerToCheck {
  readonly method: string;
  /** Path and query of the request. */
  readonly target: string;
  readonly status: number;
  /** The value of a header by its lower-case name; null: absent. */
  readonly header: (name: string) => string | null;
  readonly text: string;
}

export interface Reference {
  readonly document: OpenApiDocument;
  /** The operation that a method and path mean; null: none. */
  find(method: string, path: string): DocumentedOperation | null;
  /** What of an answer is not as the document says; empty: all is. */
  complaints(answer: AnswerToCheck): string[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What the server may say of a request that it cannot tell the operation of. */
const OUTSIDE = [400, 404, 405, 413];

interface KnownPath {
  readonly pattern: RegExp;
  readonly item: Readonly<Record<string, DocumentedOperation>>;
}

/** Checks answers against an OpenAPI document: status, headers, and bodies without a field more or less. */
export function checkAgainst(document: OpenApiDocument): Reference {
  const paths = Object.entries(document.paths).map(
    ([path, item]): KnownPath => ({
      pattern: new RegExp(
        `^${path
          .replace(/\/$/, '')
          .replace(/[.]/g, '\\.')
          .replace(/\{[^}]+\}/g, '[^/]+')}/?$`,
      ),
      item,
    }),
  );
  const error = compile(document.components.schemas.Error!);
  const bodies = new Map<unknown, ReturnType<typeof compile>>();
  const bodyCheck = (schema: Schema) => {
    if (schema.$ref === '#/components/schemas/Error') return error;
    let check = bodies.get(schema);
    if (!check) {
      check = compile(schema);
      bodies.set(schema, check);
    }
    return check;
  };
  const itemOf = (path: string) => paths.find(({ pattern }) => pattern.test(path))?.item ?? null;
  const find = (method: string, path: string) => {
    // Every GET answers HEAD.
    const name = method === 'HEAD' ? 'get' : method.toLowerCase();
    return method === method.toUpperCase() ? (itemOf(path)?.[name] ?? null) : null;
  };

  return {
    document,
    find,
    complaints: ({ method, target, status, header, text }) => {
      const path = target.split('?', 1)[0]!;
      const operation = find(method, path);
      const found: string[] = [];
      const expect = (isSo: boolean, what: string) => {
        if (!isSo) found.push(what);
      };
      const response = operation?.responses[status];
      if (operation) expect(response !== undefined, `${status} is not documented`);
      else expect(OUTSIDE.includes(status), `${status} for what is no operation`);
      for (const [name, { schema }] of Object.entries(response?.headers ?? {})) {
        const value = header(name.toLowerCase());
        const typed = schema.type === 'integer' ? Number(value) : value;
        expect(value !== null && compile(schema)(typed) === '', `header ${name}: ${value}`);
      }
      if (status === 405) expect((header('allow') ?? '') !== '', 'no Allow header');

      const [type, media] = Object.entries(response?.content ?? {})[0] ?? ['application/json', null];
      const isBodiless = status === 204 || status === 304 || method === 'HEAD';
      if (isBodiless) {
        expect(text === '', 'a body where none belongs');
        return found;
      }
      expect(text !== '', 'an empty body');
      expect((header('content-type') ?? '').startsWith(type), `content type ${header('content-type')}`);
      if (type !== 'application/json') return found;
      let body: unknown;
      try {
        body = JSON.parse(text);
      } catch {
        return [...found, 'not JSON'];
      }
      const problems = media ? bodyCheck(media.schema)(body) : response ? '' : error(body);
      expect(problems === '', `body: ${problems}`);
      const isDocument = operation?.operationId === 'getOpenApiDocument' && status === 200;
      const { api_id: apiId, error: why } = body as Record<string, unknown>;
      expect(isDocument || UUID.test(String(apiId)), 'no api_id');
      expect(status >= 400 === (why !== undefined), 'error belongs to errors, and only there');
      return found;
    },
  };
}

/** The problems of a value as text; empty: none. Objects may have no fields but those of the schema. */
function compile(schema: Schema): (value: unknown) => string {
  const validator = Compile(closed(schema) as never);
  return (value) => (validator.Check(value) ? '' : JSON.stringify(validator.Errors(value)[1]).slice(0, 2000));
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return copy.type === 'object' && copy.properties ? { ...copy, additionalProperties: false } : copy;
}
