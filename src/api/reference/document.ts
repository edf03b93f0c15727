import { createRequire } from 'node:module';
import { type FastifySchema, fastify } from 'fastify';
import type { ErrorStatus } from '../errors.js';
import { type Operation, type Schema, TAGS } from './operation.js';
import type { KnownRoute } from './watch-routes.js';

/** The parts of an OpenAPI 3.1 document that ours has. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly DocumentedParameter[];
  readonly requestBody?: { required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

export interface DocumentedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Media {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema: Schema }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

/** Name of the one schema of every error (contract §7). */
const ERROR = 'Error';
const ERROR_SCHEMA: Schema = {
  $id: ERROR,
  type: 'object',
  required: ['api_id', 'error'],
  properties: {
    api_id: { type: 'string', format: 'uuid', description: 'the id of this request, which the log has too' },
    error: {
      type: 'string',
      minLength: 1,
      description: 'one sentence that says what is wrong and names the parameter',
    },
  },
};

/** Path parameters by name; `example` is a shell variable's name in the page's curl lines. */
const PATH_PARAMETERS: Readonly<Record<string, Schema>> = {
  auth_id: {
    type: 'string',
    pattern: '^[MS]A[A-Z0-9]{18}$',
    description: "the caller's auth id, or (for a main account) that of one of its subaccounts",
  },
  session_uuid: { type: 'string', format: 'uuid', description: 'the session, as its create answered' },
  callback_id: {
    type: 'string',
    pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.[1-9][0-9]*$',
    description: 'the callback, as the log names it: attempt and sequence',
  },
  app_uuid: { type: 'string', format: 'uuid', description: 'the application' },
  subaccount: {
    type: 'string',
    pattern: '^SA[A-Z0-9]{18}$',
    description: 'the auth id of the subaccount',
  },
  recipient: { type: 'string', pattern: '^[0-9 .()+-]{1,32}$', description: 'a phone number' },
  carrier: { type: 'string', description: "the carrier's name in `countersign.yaml`" },
};

const RETRY_AFTER: Schema = {
  type: 'integer',
  minimum: 1,
  description: 'seconds to wait before the next try',
};
const AUTHENTICATE: Schema = { type: 'string', description: 'the scheme to authenticate with' };

const INFO = `Countersign speaks the wire protocol of Plivo Verify. Every path is served with and without its trailing slash, and every GET answers HEAD as well. Any other method on a path is 405 with \`Allow\`, an unknown path 404. Every JSON answer carries \`api_id\`, but for this document. Bodies are JSON in UTF-8 of at most 64 KiB and 32 levels, without a name twice in an object; null means unset; unknown and empty query parameters are ignored.`;

/** The OpenAPI 3.1 document of these routes, from the schemas that they validate and serialize with. */
export async function describeRoutes(routes: readonly KnownRoute[]): Promise<OpenApiDocument> {
  const { default: swagger } = await import('@fastify/swagger');
  // The generator reads the routes of a server; this one has their schemas and serves nobody.
  const shadow = fastify({ exposeHeadRoutes: false });
  shadow.setValidatorCompiler(() => () => true);
  shadow.setSerializerCompiler(() => () => '');
  shadow.addSchema(ERROR_SCHEMA);
  await shadow.register(swagger, {
    convertConstToEnum: false,
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Countersign', version: packageVersion(), description: INFO },
      servers: [{ url: '/' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          basic: { type: 'http', scheme: 'basic', description: 'auth id and auth token' },
          bearer: { type: 'http', scheme: 'bearer', description: "the carrier's `secret`" },
        },
      },
    },
  });
  const described = new Map<string, KnownRoute & { readonly operation: Operation }>();
  for (const { operation, ...route } of routes) {
    const url = documentedUrl(route.url);
    const key = `${route.method} ${url}`;
    // Carriers of one type have one route each and are described once.
    if (operation && !described.has(key)) described.set(key, { ...route, url, operation });
  }
  for (const route of described.values()) {
    shadow.route({
      method: route.method,
      url: route.url,
      schema: schemaOf(route) as FastifySchema,
      handler: () => '',
    });
  }
  await shadow.ready();
  const document = JSON.parse(JSON.stringify(shadow.swagger())) as OpenApiDocument;
  await shadow.close();
  for (const { operation, method, url } of described.values()) {
    const body = document.paths[pathOf(url)]?.[method.toLowerCase()]?.requestBody;
    if (body) body.required = !operation.body?.optional;
  }
  return document;
}

/** The path of a route in the document: `/v1/Account/{auth_id}/…`. */
export function pathOf(url: string): string {
  return documentedUrl(url).replace(/:([A-Za-z_]+)/g, '{$1}');
}

/** Carriers have names that only their operator knows. */
function documentedUrl(url: string): string {
  return url.replace(/^\/carriers\/[^/]+\//, '/carriers/:carrier/');
}

function schemaOf({ method, url, body, answers, operation }: KnownRoute & { operation: Operation }) {
  const { id, tag, summary, description, security = 'basic', query, headers } = operation;
  const names = [...url.matchAll(/:([A-Za-z_]+)/g)].map(([, name]) => name!);
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    ...(security === 'none' ? {} : { security: [{ [security]: [] }] }),
    ...(names.length === 0 ? {} : { params: object(names.map((name) => [name, pathParameter(name)])) }),
    ...(query ? { querystring: object(Object.entries(query)) } : {}),
    ...(headers ? { headers: object(Object.entries(headers)) } : {}),
    ...(operation.body ? { body: bodySchema(body, operation.body) } : {}),
    response: { ...successes(operation, answers), ...failures(operation, method, names.length > 0) },
  };
}

/** What a media type says by itself. */
function contentOf(mediaType: string): Schema {
  return { type: mediaType === 'application/json' ? 'object' : 'string' };
}

function object(properties: readonly (readonly [string, Schema])[]): Schema {
  return { type: 'object', properties: Object.fromEntries(properties) };
}

function pathParameter(name: string): Schema {
  return PATH_PARAMETERS[name] ?? { type: 'string' };
}

function bodySchema(validated: Schema | undefined, body: NonNullable<Operation['body']>): Schema {
  const schema = standard(body.schema ?? validated ?? {});
  const required = (body.rules?.required ?? []) as readonly string[];
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(
    ([name, field]) => [name, required.includes(name) ? withoutNull(field) : field],
  );
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    ...body.rules,
    'x-examples': examplesOf(body.examples),
  };
}

/** Null means unset, which a required field must not be. */
function withoutNull(schema: Schema): Schema {
  return { ...schema, type: [schema.type].flat().filter((type) => type !== 'null') };
}

function examplesOf(examples: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(examples).map(([summary, value]) => [summary, { value }]));
}

function successes({ answers }: Operation, schemas: Readonly<Record<string, Schema>>) {
  const statuses = Object.entries(answers);
  return Object.fromEntries(
    statuses.map(([status, { description, headers, example, mediaType }]) => {
      const common = { 'x-response-description': description, ...(headers ? { headers } : {}) };
      const schema = schemas[status];
      if (mediaType !== undefined) {
        return [status, { ...common, content: { [mediaType]: { schema: schema ?? contentOf(mediaType) } } }];
      }
      if (!schema) return [status, { ...common, type: 'null' }];
      const examples = example === undefined ? {} : { 'x-examples': examplesOf({ example }) };
      return [status, { ...standard(schema), ...common, ...examples }];
    }),
  );
}

/** The errors of an operation: its own, and those that any request may get. */
function failures({ security = 'basic', errors = {} }: Operation, method: string, hasParameters: boolean) {
  const general: Partial<Record<ErrorStatus, string>> = {
    400: 'The request cannot be read, or a parameter is missing or not what it should be.',
    ...(security === 'none' ? {} : { 401: 'The credentials are missing or wrong.' }),
    ...(hasParameters ? { 404: 'The path names nothing of this account.' } : {}),
    ...(method === 'GET' ? {} : { 413: 'The body is larger than 64 KiB.' }),
    ...(security === 'basic' ? { 429: 'Too many failed authentications.' } : {}),
    500: 'A defect of the server. Nothing was changed.',
    ...(security === 'none'
      ? {}
      : { 503: 'Draining, overloaded or without a database. Nothing was changed.' }),
  };
  const all = { ...general, ...errors };
  return Object.fromEntries(
    Object.entries(all).map(([status, description]) => {
      const headers = {
        ...(status === '401' ? { 'WWW-Authenticate': AUTHENTICATE } : {}),
        ...(status === '429' || status === '503' ? { 'Retry-After': RETRY_AFTER } : {}),
      };
      return [
        status,
        { $ref: `${ERROR}#`, description, ...(Object.keys(headers).length ? { headers } : {}) },
      ];
    }),
  );
}

/** `nullable`, which Ajv and OpenAPI 3.0 know, as JSON Schema says it. */
export function standard(schema: Schema): Schema {
  const { nullable, ...rest } = schema;
  const entries = Object.entries(rest).map(([key, value]) => [key, standardValue(key, value)] as const);
  const converted: Record<string, unknown> = Object.fromEntries(entries);
  if (nullable === true) converted.type = [...new Set([converted.type, 'null'].flat())];
  return converted;
}

function standardValue(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || key === 'enum') return value;
  if (Array.isArray(value)) return value.map((each) => standardValue('', each));
  if (key !== 'properties') return standard(value as Schema);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, standard(each as Schema)]));
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };
  return version;
}
