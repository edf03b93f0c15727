import { distance } from 'fastest-levenshtein';
import type { FastifySchemaValidationError } from 'fastify';
import { badRequest } from './errors.js';

/** With `verbose`, Ajv tells the schema that was not met. */
interface VerboseError extends FastifySchemaValidationError {
  readonly parentSchema?: { readonly description?: string };
}

/** A name longer than this is cut in the answer, and no near one is looked for. */
const MAX_NAME = 40;
/** Most edits between a misspelt name and the one suggested. */
const NEAR = 3;

/**
 * One sentence for what Ajv found. A field's `description` is a noun phrase that says what is expected: it
 * documents the field and completes the sentence.
 */
export function schemaError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const error = errors[0] as VerboseError | undefined;
  const path = error?.instancePath ?? '';
  if (!error || path === '') return badRequest(`the ${part} must be a JSON object`);
  const name = path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
  return badRequest(`${name} must be ${error.parentSchema?.description ?? 'something else'}`);
}

/** Digits that may be a code or a number: an answer never repeats them, even where a name belongs. */
const DIGITS = /[0-9]{4}/;

/** Refuses a body with a field that is not known, unless it is null, which means unset (contract §8). */
export function refuseUnknownFields(body: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(body)) {
    if (!known.includes(name) && value !== null) throw unknownField(name, known);
  }
}

/** The error for a field that does not exist, with the nearest one that does. */
function unknownField(name: string, known: readonly string[]): Error {
  if (DIGITS.test(name)) return badRequest('a name in the body is not a field of this request');
  const shown = JSON.stringify(name.slice(0, MAX_NAME));
  if (name.length > MAX_NAME) return badRequest(`${shown}… is not a field of this request`);
  const near = known
    .map((each) => ({ each, edits: distance(name.toLowerCase(), each) }))
    .sort((a, b) => a.edits - b.edits)[0];
  const hint = near && near.edits <= NEAR ? `, did you mean ${near.each}?` : '';
  return badRequest(`${shown} is not a field of this request${hint}`);
}
