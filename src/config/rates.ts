import type { Rate, RateCard } from '../verify/rate-card.js';
import { type Fields, isFields } from './document.js';
import { ConfigError } from './error.js';
import { join, refuseUnknown } from './nearest.js';
import { readNumber } from './numbers.js';

const SECTION = 'rates';
const KEYS = ['currency', 'decimals', 'validation', 'voice_increment_seconds', 'sms', 'voice'] as const;
const DEFAULT = 'default';
/** Most digits of a price: with 8 after the point even calls charged by the second are near their minute's price. */
const MAX_DIGITS = 6;
const MAX_DECIMALS = 8;
const PRICE = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/**
 * Reads `rates:`; null when there is none. Prices are text: YAML reads a number without quotes as floating point,
 * which cannot tell 0.10 from 0.1, nor many digits at all.
 * @throws ConfigError
 */
export function readRates(value: unknown): RateCard | null {
  if (value === undefined || value === null) return null;
  if (!isFields(value)) throw new ConfigError(SECTION, `expected a map with ${KEYS.join(', ')}`);
  const fields: Fields = value;
  refuseUnknown(SECTION, fields, KEYS);
  const decimals = readNumber(join(SECTION, 'decimals'), fields.decimals, {
    default: 5,
    minimum: 0,
    maximum: MAX_DECIMALS,
  });
  return {
    currency: readCurrency(join(SECTION, 'currency'), fields.currency),
    decimals,
    validation: isAbsent(fields.validation)
      ? '0'
      : readPrice(join(SECTION, 'validation'), fields.validation, decimals),
    increment: readNumber(join(SECTION, 'voice_increment_seconds'), fields.voice_increment_seconds, {
      default: 60,
      minimum: 1,
      maximum: 3_600,
    }),
    rates: {
      sms: readPrefixes(join(SECTION, 'sms'), fields.sms, decimals),
      voice: readPrefixes(join(SECTION, 'voice'), fields.voice, decimals),
    },
  };
}

function readCurrency(key: string, value: unknown): string {
  if (typeof value === 'string' && /^[A-Z]{3}$/.test(value)) return value;
  throw new ConfigError(key, 'expected the ISO 4217 code of a currency, such as USD');
}

/** Absent: the channel costs nothing. Else a number that no prefix matches must have a price, even if it is 0. */
function readPrefixes(path: string, value: unknown, decimals: number): Rate[] {
  if (isAbsent(value)) return [];
  if (!isFields(value)) throw new ConfigError(path, 'expected a map of prefixes and prices');
  if (isAbsent(value[DEFAULT])) {
    throw new ConfigError(
      join(path, DEFAULT),
      'is missing; expected the price for numbers that no prefix matches, "0" if they cost nothing',
    );
  }
  const seen = new Map<string, string>();
  return Object.entries(value).map(([key, price]) => {
    const prefix = readPrefix(join(path, key), key);
    const before = seen.get(prefix);
    if (before !== undefined) throw new ConfigError(join(path, key), `is the same prefix as ${before}`);
    seen.set(prefix, join(path, key));
    return { prefix, price: readPrice(join(path, key), price, decimals) };
  });
}

function readPrefix(path: string, key: string): string {
  if (key === DEFAULT) return '';
  const [, digits] = /^\+?([1-9][0-9]{0,14})$/.exec(key) ?? [];
  if (digits !== undefined) return digits;
  throw new ConfigError(
    path,
    `expected ${DEFAULT}, or the leading digits of E.164 numbers, 1 to 15 and not beginning with 0`,
  );
}

function readPrice(key: string, value: unknown, decimals: number): string {
  const [text, whole = '', fraction = ''] = (typeof value === 'string' && PRICE.exec(value)) || [];
  if (text !== undefined && whole.length <= MAX_DIGITS && fraction.length <= decimals) return text;
  const after = decimals === 0 ? 'none' : `at most ${decimals}`;
  throw new ConfigError(
    key,
    `expected a price in quotes, such as "0.02": at most ${MAX_DIGITS} digits before the point and ${after} after it (${SECTION}.decimals)`,
  );
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
