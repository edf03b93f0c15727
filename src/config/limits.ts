import { isSupportedCountry } from 'libphonenumber-js/max';
import type { Limits, Rate } from '../verify/limits.js';
import { type Fields, isFields } from './document.js';
import { ConfigError } from './error.js';
import { join, refuseUnknown } from './nearest.js';
import { readNumber } from './numbers.js';

const SECTION = 'limits';
const KEYS = [
  'failed_validations_per_recipient',
  'lists_per_minute',
  'creates_per_account',
  'creates_per_application',
  'creates_per_recipient',
  'creates_per_address',
  'redeliveries_per_account',
  'failed_authentications_per_address',
  'failed_authentications_per_auth_id',
  'countries',
] as const;
type Key = (typeof KEYS)[number];

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const RATE = /^([1-9][0-9]{0,6})\/([smhd])$/;
const MAX_COUNT = 1_000_000;

/**
 * Reads `limits:`. Rates are `COUNT/UNIT` with s, m, h or d, or `off`.
 * @throws ConfigError
 */
export function readLimits(value: unknown): Limits {
  const fields: Fields = (value as Fields | null | undefined) ?? {};
  if (!isFields(fields)) throw new ConfigError(SECTION, 'expected a map of keys');
  refuseUnknown(SECTION, fields, KEYS);
  const number = (key: Key, rule: Parameters<typeof readNumber>[2]) =>
    readNumber(join(SECTION, key), fields[key], rule);
  const rate = (key: Key, otherwise: Rate | null) => readRate(join(SECTION, key), fields[key], otherwise);
  return {
    // A recipient's failures are kept one by one, in one row.
    failedValidationsPerRecipient: number('failed_validations_per_recipient', {
      default: 50,
      minimum: 1,
      maximum: 1_000,
    }),
    listsPerMinute: number('lists_per_minute', { default: 20, minimum: 1, maximum: 1_000_000 }),
    creates: {
      // How much an account sends, and that all of it comes from one server, is its own business.
      perAccount: rate('creates_per_account', null),
      perApplication: rate('creates_per_application', null),
      perRecipient: rate('creates_per_recipient', { count: 120, per: 3_600_000 }),
      perAddress: rate('creates_per_address', null),
    },
    redeliveriesPerAccount: rate('redeliveries_per_account', { count: 120, per: 60_000 }),
    failedAuthentications: {
      perAddress: rate('failed_authentications_per_address', { count: 60, per: 60_000 }),
      perAuthId: rate('failed_authentications_per_auth_id', { count: 60, per: 60_000 }),
    },
    countries: readCountries(join(SECTION, 'countries'), fields.countries),
  };
}

function readRate(key: string, value: unknown, otherwise: Rate | null): Rate | null {
  if (value === undefined || value === null) return otherwise;
  if (value === 'off') return null;
  const [, count, unit] = (typeof value === 'string' && RATE.exec(value)) || [];
  if (count !== undefined && unit !== undefined && Number(count) <= MAX_COUNT) {
    return { count: Number(count), per: UNITS[unit]! };
  }
  throw new ConfigError(
    key,
    `expected a count of 1 to ${MAX_COUNT} and a unit of s, m, h or d, such as 10/h, or off`,
  );
}

function readCountries(key: string, value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0) {
    throw new ConfigError(key, 'expected a list of countries such as [US, DE]; leave it out to permit all');
  }
  return value.map((each: unknown, index) => {
    if (typeof each === 'string' && isSupportedCountry(each)) return each;
    throw new ConfigError(
      join(key, index),
      'expected an ISO 3166-1 alpha-2 code of a country, such as US or DE',
    );
  });
}
