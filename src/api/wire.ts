import { Type } from 'typebox';

/** Fields that many answers have, as the schemas of answers describe them. */

export const apiId = Type.String({
  format: 'uuid',
  description: 'the id of this request, which the log has too',
});

export function uuid(description: string) {
  return Type.String({ format: 'uuid', description });
}

/** UTC, RFC 3339, six fractional digits, `Z` (contract §4). */
export function time(description: string) {
  return Type.String({
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$',
    description,
  });
}

/** Null where there is none. */
export function optionalText(description: string) {
  return Type.Unsafe<string | null>({ type: 'string', nullable: true, description });
}
