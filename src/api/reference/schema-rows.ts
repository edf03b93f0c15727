import type { Schema } from './operation.js';

/** One line of a table that shows a schema. */
export interface SchemaRow {
  /** Such as `meta.limit` or `sessions[].status`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  /** Bounds, values and patterns, in words. */
  readonly rules: readonly string[];
}

/** The fields of an object schema, those of objects and arrays within it included. */
export function schemaRows(schema: Schema, prefix = ''): SchemaRow[] {
  const required = (schema.required ?? []) as readonly string[];
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>).flatMap(([key, field]) => {
    const name = `${prefix}${key}`;
    const row = { name, required: required.includes(key), ...describeValue(field) };
    const items = field.items as Schema | undefined;
    return [row, ...schemaRows(field, `${name}.`), ...(items ? schemaRows(items, `${name}[].`) : [])];
  });
}

/** Type, description and rules of one value. */
export function describeValue(schema: Schema): Pick<SchemaRow, 'type' | 'description' | 'rules'> {
  return { type: typeOf(schema), description: String(schema.description ?? ''), rules: rulesOf(schema) };
}

function typeOf(schema: Schema): string {
  const items = schema.items as Schema | undefined;
  const types = [schema.type ?? (schema.enum ? 'value' : 'any')].flat().map(String);
  const format = typeof schema.format === 'string' ? ` (${schema.format})` : '';
  return (
    types.map((type) => (type === 'array' && items ? `array of ${typeOf(items)}` : type)).join(' or ') +
    format
  );
}

const BOUNDS: readonly (readonly [string, string])[] = [
  ['minimum', 'at least'],
  ['maximum', 'at most'],
  ['minLength', 'shortest'],
  ['maxLength', 'longest'],
  ['minItems', 'fewest'],
  ['maxItems', 'most'],
  ['default', 'default'],
];

function rulesOf(schema: Schema): string[] {
  const values = (schema.enum ?? []) as readonly unknown[];
  return [
    ...(values.length === 0 ? [] : [`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`]),
    ...BOUNDS.filter(([keyword]) => schema[keyword] !== undefined).map(
      ([keyword, words]) => `${words} ${schema[keyword]}`,
    ),
    ...(typeof schema.pattern === 'string' ? [`pattern ${schema.pattern}`] : []),
  ];
}
