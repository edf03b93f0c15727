import { type Static, Type } from 'typebox';
import { commonSettings } from '../provider/settings.js';
import { POINTER } from './pointer.js';

const closed = { additionalProperties: false } as const;
const pointer = Type.String({ pattern: POINTER, maxLength: 256 });
const scalar = Type.Union([Type.String({ maxLength: 512 }), Type.Number(), Type.Boolean()]);
const headerName = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$";
const secret = Type.String({ pattern: '^[\\x20-\\x7e]{8,512}$' });

const cost = Type.Optional(
  Type.Object({ amount: pointer, currency: Type.String({ pattern: `^[A-Za-z]{3}$|${POINTER}` }) }, closed),
);

const answer = Type.Object(
  {
    format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('form'), Type.Literal('text')])),
    message_id: Type.Optional(pointer),
    message_id_after: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    cost,
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            status: Type.Optional(
              Type.Union([
                Type.Integer({ minimum: 200, maximum: 599 }),
                Type.String({ pattern: '^[2-5]xx$' }),
              ]),
            ),
            at: Type.Optional(pointer),
            equals: Type.Optional(Type.Union([scalar, Type.Array(scalar, { minItems: 1, maxItems: 100 })])),
            begins: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
            is: Type.Union([Type.Literal('accepted'), Type.Literal('refused'), Type.Literal('unavailable')]),
            error_code: Type.Optional(Type.Integer({ minimum: 10, maximum: 1000 })),
            down: Type.Optional(Type.Boolean()),
            reason: Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,100}$' })),
          },
          closed,
        ),
        { maxItems: 100 },
      ),
    ),
  },
  {
    ...closed,
    description:
      'a map of format (json, form or text), message_id, message_id_after, cost and rules: see the page of the http carrier',
  },
);
export type AnswerSettings = Static<typeof answer>;

const source = {
  method: Type.Optional(Type.Union([Type.Literal('POST'), Type.Literal('GET')])),
  format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('form'), Type.Literal('query')])),
  list: Type.Optional(pointer),
} as const;

const receipts = Type.Object(
  {
    ...source,
    message_id: Type.Optional(pointer),
    hop_id: Type.Optional(pointer),
    status: pointer,
    statuses: Type.Record(
      Type.String(),
      Type.Union(
        ['sent', 'delivered', 'undelivered', 'failed', 'ignore'].map((status) => Type.Literal(status)),
      ),
    ),
    error: Type.Optional(pointer),
    errors: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 10, maximum: 1000 }))),
    cost,
  },
  {
    ...closed,
    description:
      'a map of method, format, list, message_id, hop_id, status, statuses, error, errors and cost: see the page of the http carrier',
  },
);
export type ReceiptSettings = Static<typeof receipts>;

const inbound = Type.Object(
  { ...source, from: pointer, to: pointer, text: pointer },
  {
    ...closed,
    description: 'a map of method, format, list, from, to and text: see the page of the http carrier',
  },
);
export type InboundSettings = Static<typeof inbound>;

const authentication = Type.Object(
  {
    bearer: Type.Optional(secret),
    basic: Type.Optional(
      Type.Object({ username: Type.String({ maxLength: 256 }), password: secret }, closed),
    ),
    header: Type.Optional(Type.Object({ name: Type.String({ pattern: headerName }), value: secret }, closed)),
    query: Type.Optional(
      Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }), value: secret }, closed),
    ),
    hmac: Type.Optional(
      Type.Object(
        {
          header: Type.String({ pattern: headerName }),
          secret,
          algorithm: Type.Optional(
            Type.Union([Type.Literal('sha256'), Type.Literal('sha1'), Type.Literal('sha512')]),
          ),
          encoding: Type.Optional(Type.Union([Type.Literal('hex'), Type.Literal('base64')])),
          prefix: Type.Optional(Type.String({ maxLength: 32 })),
        },
        closed,
      ),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'one or more of bearer, basic, header, query and hmac, with secrets of 8 to 512 characters',
  },
);
export type AuthenticationSettings = Static<typeof authentication>;

/** What an `http` carrier's entry in `countersign.yaml` may hold. */
export const httpSettings = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://[^\\s/?#@{}]+([/?][^\\s#]*)?$',
      maxLength: 2048,
      description: 'an http or https URL without user name and fragment; placeholders in path and query only',
    }),
    method: Type.Optional(
      Type.Union([Type.Literal('POST'), Type.Literal('PUT'), Type.Literal('GET')], {
        default: 'POST',
        description: 'POST, PUT or GET',
      }),
    ),
    values: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), Type.String({ maxLength: 4096 }), {
        additionalProperties: false,
        description: 'a map of texts, such as secrets, that {values.name} stands for',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String({ pattern: headerName }), Type.String({ maxLength: 4096 }), {
        additionalProperties: false,
        description: 'a map of header names to templates',
      }),
    ),
    basic_auth: Type.Optional(
      Type.Object(
        { username: Type.String({ maxLength: 256 }), password: Type.String({ maxLength: 512 }) },
        { ...closed, description: 'a map of username and password' },
      ),
    ),
    query: Type.Optional(
      Type.Record(Type.String(), scalar, { description: 'a map of query parameters to templates' }),
    ),
    json: Type.Optional(
      Type.Unknown({ description: 'the body as JSON of any shape, with templates as strings' }),
    ),
    form: Type.Optional(
      Type.Record(Type.String(), scalar, { description: 'the body as a form: a map of names to templates' }),
    ),
    xml: Type.Optional(Type.String({ maxLength: 65_536, description: 'the body as an XML template' })),
    text: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: 'the body as plain text, one placeholder such as "{text}"',
      }),
    ),
    content_type: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]+/[\\x20-\\x7e]+$',
        maxLength: 128,
        description: 'the content type, where it is not the usual one of json, form, xml or text',
      }),
    ),
    answer: Type.Optional(answer),
    receipts: Type.Optional(receipts),
    inbound: Type.Optional(inbound),
    authentication: Type.Optional(authentication),
    thanks: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'the plain text that answers a receipt, where the gateway wants one',
      }),
    ),
    ...commonSettings,
  },
  closed,
);
export type HttpSettings = Static<typeof httpSettings>;
