import { type Fields, isFields } from './document.js';
import { ConfigError } from './error.js';
import { join, refuseUnknown } from './nearest.js';

/** A whole number that a section may hold. */
interface NumberRule {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Reads a section of `countersign.yaml` whose values are all whole numbers; what is absent gets its default.
 * @throws ConfigError
 */
export function readNumbers<Key extends string>(
  section: string,
  value: unknown,
  rules: Readonly<Record<Key, NumberRule>>,
): Record<Key, number> {
  const fields: Fields = (value as Fields | null | undefined) ?? {};
  if (!isFields(fields)) throw new ConfigError(section, 'expected a map of keys');
  const keys = Object.keys(rules) as Key[];
  refuseUnknown(section, fields, keys);
  return Object.fromEntries(
    keys.map((key) => [key, readNumber(join(section, key), fields[key], rules[key])]),
  ) as Record<Key, number>;
}

/** @throws ConfigError for what is not a whole number within bounds */
export function readNumber(key: string, value: unknown, rule: NumberRule): number {
  if (value === undefined || value === null) return rule.default;
  // A value that a `${VARIABLE}` brought in is text.
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (
    typeof number === 'number' &&
    Number.isInteger(number) &&
    number >= rule.minimum &&
    number <= rule.maximum
  ) {
    return number;
  }
  throw new ConfigError(key, `expected a whole number from ${rule.minimum} to ${rule.maximum}`);
}
