import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from '#api/reference/operation.js';

/** Strings that have broken servers before: controls, surrogates, prototypes, formats, very long ones. */
const AWKWARD = [
  '',
  ' ',
  '\0',
  '\ud83d',
  '\udc00x',
  '\u202e',
  '\ufeff',
  '__proto__',
  'constructor',
  'toString',
  '%00',
  '%',
  '../..',
  "' or 1=1 --",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it may be sent
  '${code}',
  '<script>',
  '١٢٣٤٥٦',
  '１２３４５６',
  '-0',
  '1e309',
  'null',
  'true',
  'http://[::1',
  '+',
  '00000000-0000-0000-0000-000000000000',
  'x'.repeat(5_000),
  '🙂'.repeat(300),
];
const NUMBERS = [0, -0, -1, 0.5, 1e21, 1e308, 2 ** 31, 2 ** 53, -(2 ** 63), 99_999_999, 100_000_000, 5e-324];

export const awkwardText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...AWKWARD),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);

/** Any JSON value, and shapes that take much stack or memory to handle. */
export const anyJson: Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...NUMBERS) },
  { weight: 2, arbitrary: awkwardText },
  { weight: 1, arbitrary: fc.array(fc.constantFrom<unknown>(null, true, 0, ''), { maxLength: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 400 }).map(nested) },
);

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** The code of the sessions that a run begins with. */
export const KNOWN_OTP = '73918264';

/** North American numbers that are valid and nobody's. */
export const recipient: Arbitrary<string> = fc
  .integer({ min: 0, max: 9_999 })
  .map((line) => `1415555${String(line).padStart(4, '0')}`);

/** What a field means says more of its values than its schema does. */
const MEANINGS: Readonly<Record<string, Arbitrary<unknown>>> = {
  recipient: fc.oneof(
    recipient,
    recipient.map((digits) => `+${digits}`),
    recipient.map(Number),
    fc.constantFrom('+442071838750', '+4915112345678', '+19005551234', '870773111632'),
  ),
  url: fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.constant('http://127.0.0.1:9/')),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of templates
  template: fc.constantFrom('', '${brand_name}: ${code}', 'Your code is ${code}. ${brand_name}'),
  domain: fc.oneof(fc.constant(''), fc.domain()),
  app_uuid: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.uuid() }),
  otp: fc.oneof(fc.constant(KNOWN_OTP), fc.stringMatching(/^[0-9]{4,8}$/)),
  // The ids that the gateway of the run gives.
  message_id: fc.nat(30).map((number) => `m${number}`),
  hop_id: fc.tuple(fc.uuid({ version: 7 }), fc.nat(9)).map(([uuid, hop]) => `${uuid}.${hop}`),
};

/** Values that a schema allows; a named field's also mean something. */
export function valueFor(schema: Schema, name = ''): Arbitrary<unknown> {
  if (Array.isArray(schema.enum)) return fc.constantFrom<unknown>(...(schema.enum as unknown[]));
  const types = [schema.type ?? 'string'].flat() as string[];
  const meant = Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : undefined;
  const typed = types.filter((type) => type !== 'null').map((type) => valueOfType(type, schema));
  const arbitrary = meant ?? fc.oneof(...typed);
  return types.includes('null')
    ? fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: fc.constant(null) })
    : arbitrary;
}

function valueOfType(type: string, schema: Schema): Arbitrary<unknown> {
  const bound = (keyword: string, otherwise: number) => (schema[keyword] as number | undefined) ?? otherwise;
  switch (type) {
    case 'integer':
      return fc.integer({ min: bound('minimum', -1000), max: Math.min(bound('maximum', 1000), 2 ** 31 - 1) });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valueFor((schema.items ?? {}) as Schema), {
        maxLength: Math.min(bound('maxItems', 3), 4),
      });
    case 'object':
      return objectOf(schema);
    default:
      if (schema.format === 'uuid') return fc.uuid();
      if (typeof schema.pattern === 'string') return matching(schema.pattern);
      return fc.string({
        minLength: bound('minLength', 0),
        maxLength: Math.min(bound('maxLength', 60), 600),
      });
  }
}

const matchers = new Map<string, Arbitrary<string>>();

function matching(pattern: string): Arbitrary<string> {
  let matcher = matchers.get(pattern);
  if (!matcher) {
    // A class of all but a few characters takes seconds to lay out.
    matcher = pattern.includes('[^')
      ? fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      : fc.stringMatching(new RegExp(pattern, 'u'), { size: 'small' });
    matchers.set(pattern, matcher);
  }
  return matcher;
}

/** Objects with some of the properties, and always those that are required. */
export function objectOf(schema: Schema): Arbitrary<Record<string, unknown>> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const fields = Object.fromEntries(properties.map(([name, field]) => [name, valueFor(field, name)]));
  const alternatives = (schema.anyOf ?? []) as readonly { readonly required?: readonly string[] }[];
  const required = [...((schema.required ?? []) as readonly string[]), ...(alternatives[0]?.required ?? [])];
  return fc.record(fields, { requiredKeys: required, noNullPrototype: true });
}

/** Such an object in which one property is anything at all, or that has one more. */
export function nearlyObjectOf(schema: Schema): Arbitrary<Record<string, unknown>> {
  const names = Object.keys((schema.properties ?? {}) as object);
  const name = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('extra', ...names) },
    { weight: 1, arbitrary: awkwardText },
  );
  return fc.tuple(objectOf(schema), name, anyJson).map(([value, key, wrong]) => ({ ...value, [key]: wrong }));
}
