import fc, { type Arbitrary } from 'fast-check';
import type { DocumentedOperation, OpenApiDocument } from '#api/reference/document.js';
import { anyJson, awkwardText, nearlyObjectOf, objectOf, recipient, valueFor } from './values.js';

/** A request as it is to be written. Text in braces, such as `{session_uuid:3}`, stands for one that exists. */
export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
  readonly credentials: 'right' | 'wrong' | 'none';
  /** How the body is written: as HTTP wants it, or not. */
  readonly framing:
    | 'length'
    | 'chunked'
    | 'too long'
    | 'too short'
    | 'both'
    | 'broken chunks'
    | 'two lengths';
  /** How many of it are written at once. */
  readonly copies: number;
  /** What follows it on the connection. */
  readonly trailer: Buffer;
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'QUERY',
  'CONNECT',
  'FOO',
  'get',
];
const TYPES = [
  'application/json; charset=utf-8',
  'application/json;charset=utf-16',
  'application/json; charset="',
  'APPLICATION/JSON',
  'application/json, text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  '/',
  ';',
  '',
];
const PLAIN = { credentials: 'right', framing: 'length', copies: 1, trailer: Buffer.alloc(0) } as const;

/** Requests around a document: right ones, nearly right ones, and what is no request at all. */
export function fuzzRequests(document: OpenApiDocument): Arbitrary<FuzzRequest> {
  const calls = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const requests = calls.flatMap(({ path, method, operation }) => {
    const arbitrary = requestTo(path, method, operation);
    // The reference itself is the same whatever one sends; receipts of unknown messages are held for a while.
    const isDull = operation.operationId.startsWith('get') || operation.operationId.startsWith('report');
    return [{ weight: isDull ? 2 : 10, arbitrary }];
  });
  const request = fc.oneof(...requests);
  return fc.oneof({ weight: 5, arbitrary: request }, { weight: 3, arbitrary: request.chain(disturbed) });
}

function requestTo(path: string, method: string, operation: DocumentedOperation): Arbitrary<FuzzRequest> {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const json = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '');
  const bodies: Arbitrary<Buffer | null> = schema
    ? fc.oneof(
        { weight: 5, arbitrary: objectOf(schema).map(json) },
        { weight: 4, arbitrary: nearlyObjectOf(schema).map(json) },
        { weight: 1, arbitrary: anyJson.map(json) },
        { weight: 3, arbitrary: objectOf(schema).chain((value) => spoilt(JSON.stringify(value))) },
      )
    : fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: anyJson.map(json) });
  const target = fc.tuple(pathOf(path), queryOf(operation)).map((parts) => parts.join(''));
  return fc.record({ target, body: bodies, headers: headersOf(operation) }).map(({ headers, ...rest }) => ({
    ...PLAIN,
    ...rest,
    method,
    headers: rest.body === null ? headers : [['Content-Type', 'application/json'] as const, ...headers],
  }));
}

/** The template with ids that exist, ids of the right form, or anything. */
function pathOf(template: string): Arbitrary<string> {
  const parts = template.split(/(\{[^}]+\})/);
  return fc
    .tuple(
      ...parts.map((part): Arbitrary<string> => {
        const name = /^\{(.+)\}$/.exec(part)?.[1];
        if (name === undefined) return fc.constant(part);
        const known = fc.nat(50).map((index) => `{${name}:${index}}`);
        const garbage = fc.oneof(
          fc.uuid(),
          recipient,
          awkwardText.map(encoded),
          fc.constantFrom(
            '%zz',
            '%',
            '%ff%fe',
            '%2e%2e',
            '..',
            '.',
            '%2f',
            'SA',
            'x'.repeat(101),
            '{}',
            '*',
            ':x',
          ),
        );
        return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: garbage });
      }),
    )
    .chain((each) => fc.constantFrom(each.join(''), each.join(''), each.join('').replace(/\/$/, '')));
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).slice(0, 4_000) || '%20';
}

function queryOf({ parameters = [] }: DocumentedOperation): Arbitrary<string> {
  const query = parameters.filter((each) => each.in === 'query');
  const value = (name: string) => {
    const schema = query.find((each) => each.name === name)?.schema ?? {};
    return fc.oneof(
      {
        weight: 4,
        arbitrary: valueFor(schema, name).map((each) => encodeURIComponent(String(each).toWellFormed())),
      },
      { weight: 1, arbitrary: awkwardText.map(encoded) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', '%', '%zz', '%00', '%ff', '1&x', '99999999999', '-1', '[]', '{x:1}'),
      },
    );
  };
  const pair = fc
    .oneof(
      { weight: query.length > 0 ? 8 : 0, arbitrary: fc.constantFrom('x', ...query.map(({ name }) => name)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('__proto__', 'a[]', 'limit[]', '', '%00', '%zz', 'constructor'),
      },
    )
    .chain((name) => value(name).map((text) => `${name}=${text}`));
  const pairs = fc.array(pair, { maxLength: 4 });
  return pairs
    .chain((all) => fc.constantFrom(all, all, [...all, ...all]))
    .map((all) => (all.length === 0 ? '' : `?${all.join('&')}`));
}

function headersOf({
  parameters = [],
}: DocumentedOperation): Arbitrary<readonly (readonly [string, string])[]> {
  const own = parameters
    .filter((each) => each.in === 'header')
    .map(({ name, schema }) => valueFor(schema).map((value) => [name, latin(String(value))] as const));
  return own.length === 0 ? fc.constant([]) : fc.oneof(fc.constant([]), fc.tuple(fc.oneof(...own)));
}

function latin(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').trim() || 'x';
}

/** JSON that is not what it should be, byte by byte. */
function spoilt(text: string): Arbitrary<Buffer> {
  const inside = (bytes: readonly number[]) =>
    Buffer.concat([Buffer.from('{"recipient":"'), Buffer.from(bytes), Buffer.from(`",${text.slice(1)}`)]);
  return fc.oneof(
    fc.nat(text.length).map((length) => Buffer.from(text.slice(0, length))),
    fc.constantFrom(
      Buffer.from(`${text.slice(0, -1)},"recipient":"14155550000","recipient":null}`),
      Buffer.from(`{"a":1,"a":2,"otp":"1",${text.slice(1)}`),
      Buffer.from(`{"\\u0000":1,${text.slice(1)}`),
      Buffer.from(`{"otp":"\\ud83d","brand_name":"\\udc00",${text.slice(1)}`),
      Buffer.from(`\ufeff${text}`),
      Buffer.from(text, 'utf16le'),
      Buffer.from(`${text}${text}`),
      Buffer.from(`${text}\0`),
      Buffer.from(`{"otp":${'9'.repeat(400)},"code_length":1e999,${text.slice(1)}`),
      Buffer.from(`{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
      Buffer.from(`{"x":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`),
      Buffer.from(`{${Array.from({ length: 4_000 }, (_, index) => `"k${index}":null`).join()}}`),
      Buffer.from(text.padEnd(70_000)),
      inside([0xc0, 0x80]),
      inside([0xe0, 0x80, 0xaf]),
      inside([0xf5, 0x80, 0x80, 0x80]),
      inside([0xed, 0xa0, 0x80]),
      inside([0xff, 0xfe]),
      inside([0]),
      Buffer.alloc(0),
    ),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
}

/** A request with something wrong around its body. */
function disturbed(request: FuzzRequest): Arbitrary<FuzzRequest> {
  const withHeaders = (...headers: readonly (readonly [string, string])[]) => ({
    ...request,
    headers: [...request.headers.filter(([name]) => !headers.some(([other]) => other === name)), ...headers],
  });
  const framing = (...kinds: FuzzRequest['framing'][]) =>
    fc
      .constantFrom(...kinds)
      .map((each) => ({ ...request, framing: each, body: request.body ?? Buffer.from('{}') }));
  return fc.oneof(
    fc.constantFrom(...METHODS).map((method) => ({ ...request, method })),
    fc.constantFrom(...TYPES).map((type) => withHeaders(['Content-Type', type])),
    fc.constantFrom('wrong', 'none').map((credentials) => ({ ...request, credentials }) as FuzzRequest),
    framing('chunked', 'too long', 'too short', 'both', 'broken chunks', 'two lengths'),
    fc.integer({ min: 2, max: 5 }).map((copies) => ({ ...request, copies })),
    fc
      .integer({ min: 50, max: 3_000 })
      .map((count) =>
        withHeaders(...Array.from({ length: count }, (_, index) => [`X-${index}`, 'y'] as const)),
      ),
    fc.constantFrom(
      withHeaders(['Expect', '100-continue']),
      withHeaders(['Expect', 'x']),
      withHeaders(['Upgrade', 'websocket'], ['Connection', 'Upgrade']),
      withHeaders(
        ['Upgrade', 'h2c'],
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['HTTP2-Settings', 'AAMAAABk'],
      ),
      withHeaders(['Content-Encoding', 'gzip']),
      withHeaders(['Transfer-Encoding', 'gzip, chunked']),
      withHeaders(['Host', '']),
      withHeaders(['Host', 'a b/\u00e4']),
      withHeaders(['X-Forwarded-For', '\u00e9, 1.2.3.4.5, ::']),
      withHeaders(['Idempotency-Key', '\u00e9'], ['Accept', 'image/png'], ['Accept-Encoding', '*;q=0']),
      withHeaders(['Range', 'bytes=0-1'], ['If-Modified-Since', 'never'], ['If-Match', '*']),
      withHeaders(['X', `a\r\n folded`]),
      withHeaders(['X\u0000', 'y']),
      withHeaders([' X', 'y']),
      withHeaders(['', 'y']),
      withHeaders(['Cookie', 'x'.repeat(20_000)]),
      { ...request, target: `http://other.example${request.target}` },
      { ...request, target: '*' },
      { ...request, target: `//${request.target}` },
      { ...request, target: `${request.target} x` },
      { ...request, target: `${request.target}#fragment` },
      { ...request, target: `${request.target}\u00e9\t` },
      { ...request, target: `${request.target}?${'a=1&'.repeat(3_000)}` },
      { ...request, target: `/${'x'.repeat(20_000)}` },
      { ...request, target: request.target.toUpperCase().replace(/\{[^}]*\}/g, 'X') },
      { ...request, target: `${request.target.replace(/\/$/, '')};v=1` },
      { ...request, target: `${request.target}/../..//` },
    ),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => ({ ...request, trailer: Buffer.from(bytes) })),
  );
}
