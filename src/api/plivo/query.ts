import { badRequest } from '../errors.js';

/**
 * A query parameter's value; undefined when it is absent or empty, as clients send empty ones for whatever is
 * not set (contract §8).
 * @throws ApiError 400 when it is given more than once
 */
export function parameter(query: unknown, name: string): string | undefined {
  const value = (query as Record<string, string | string[] | undefined>)[name];
  if (Array.isArray(value)) throw badRequest(`${name} is given more than once`);
  return value === undefined || value === '' ? undefined : value;
}

/**
 * The value of a parameter that has several names.
 * @throws ApiError 400 when it is given more than once, under one of them or two
 */
export function parameterOf(query: unknown, ...names: readonly [string, ...string[]]): string | undefined {
  const given = names.flatMap((name) => parameter(query, name) ?? []);
  if (given.length > 1) throw badRequest(`${names[0]} is given more than once`);
  return given[0];
}

/** A whole number within bounds, or the default when it is not given. */
export function integerParameter(
  query: unknown,
  name: string,
  { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  const text = parameter(query, name);
  if (text === undefined) return otherwise;
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw badRequest(`${name} must be an integer from ${min} to ${max}`);
  return value;
}

/** The digits of a recipient to filter by; punctuation, and the space that an unescaped `+` becomes, are dropped. */
export function recipientParameter(query: unknown): string | undefined {
  const text = parameter(query, 'recipient');
  if (text === undefined) return undefined;
  const digits = text.replace(/[ .()+-]/g, '');
  if (!/^[0-9]{1,15}$/.test(digits))
    throw badRequest('recipient must be a phone number in international format');
  return digits;
}
