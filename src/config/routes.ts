import { type CountryCode, getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js/max';
import type { CarrierConfig, RouteConfig } from '../config.js';
import type { CarrierType } from '../delivery/carrier.js';
import type { Channel } from '../verify/model.js';
import { type Fields, isFields } from './document.js';
import { ConfigError } from './error.js';
import { didYouMean, join, refuseUnknown } from './nearest.js';
import { readNumber } from './numbers.js';

const CHANNELS: readonly Channel[] = ['sms', 'voice'];
const MAX_ROUTES = 10_000;
const MAX_WEIGHT = 1_000;
const MAX_PARAMETERS = 20;
const KEYS = [
  'channel',
  'prefix',
  'country',
  'application',
  'src',
  'carriers',
  'sender',
  'parameters',
  'unanswered_wait_seconds',
  'receipt_seconds',
] as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SENDER = /^[\x20-\x7e]{1,32}$/;
const PARAMETER = /^[a-z][a-z0-9_]{0,31}$/;

/** What carriers serve, by their names. */
type Served = ReadonlyMap<string, readonly Channel[]>;

/**
 * Reads `routes:`, a list of maps with conditions (`channel`, `prefix`, `country`, `application`, `src`), `carriers`, and
 * what is sent with them. Every carrier that is named exists and serves the route's channel; no two routes have the
 * same conditions.
 * @throws ConfigError
 */
export function readRoutes(
  value: unknown,
  carriers: readonly CarrierConfig[],
  types: readonly CarrierType[],
): RouteConfig[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new ConfigError('routes', 'expected a list of routes');
  if (value.length > MAX_ROUTES) throw new ConfigError('routes', `expected at most ${MAX_ROUTES}`);
  const served = new Map(carriers.map((carrier) => [carrier.name, channelsOf(carrier, types)]));
  const seen = new Map<string, string>();
  return value.map((entry, index) => {
    const path = join('routes', index);
    const route = readRoute(path, entry, served);
    const { channel, prefix, country, application, src } = route;
    const match = JSON.stringify([channel, prefix, country, application, src]);
    const before = seen.get(match);
    if (before) {
      const more = country || application || src ? ', and the same country, application and src' : '';
      throw new ConfigError(
        path,
        `has the same channel and prefix as ${before}${more}; merge their carriers`,
      );
    }
    seen.set(match, path);
    return route;
  });
}

function readRoute(path: string, entry: unknown, served: Served): RouteConfig {
  if (!isFields(entry)) throw new ConfigError(path, 'expected a map with channel, prefix and carriers');
  refuseUnknown(path, entry, KEYS);
  const at = (key: (typeof KEYS)[number]) => join(path, key);
  const channel = readChannel(at('channel'), entry.channel);
  const country = readCountry(at('country'), entry.country);
  const prefix = readPrefix(at('prefix'), entry.prefix, country);
  const ranks = readRanks(at('carriers'), entry.carriers, channel, served);
  const seconds = (key: 'unanswered_wait_seconds' | 'receipt_seconds', maximum: number) =>
    entry[key] == null ? null : readNumber(at(key), entry[key], { default: 0, minimum: 1, maximum });
  return {
    channel,
    prefix,
    country,
    application: readApplication(at('application'), entry.application),
    src: readSender(at('src'), entry.src),
    carriers: ranks.flat().map(({ carrier }) => carrier),
    ranks,
    senders: readSenders(at('sender'), entry.sender),
    parameters: readParameters(at('parameters'), entry.parameters),
    unansweredWait: seconds('unanswered_wait_seconds', 3_600),
    receiptWithin: seconds('receipt_seconds', 86_400),
  };
}

function readChannel(key: string, value: unknown): Channel | null {
  if (value === undefined || value === null) return null;
  const channel = CHANNELS.find((each) => each === value);
  if (!channel) throw new ConfigError(key, `expected ${CHANNELS.join(' or ')}`);
  return channel;
}

/** YAML reads digits without quotes as a number. */
function readPrefix(key: string, value: unknown, country: string | null): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'number' ? String(value) : value;
  const digits = typeof text === 'string' ? /^\+?([1-9][0-9]{0,14})?$/.exec(text) : null;
  if (!digits) {
    throw new ConfigError(
      key,
      'expected the leading digits of E.164 numbers, 1 to 15 and not beginning with 0',
    );
  }
  const prefix = digits[1] ?? '';
  const code = country === null ? '' : getCountryCallingCode(country as CountryCode);
  if (!code.startsWith(prefix) && !prefix.startsWith(code)) {
    throw new ConfigError(key, `expected digits that numbers of ${country} begin with: ${code}…`);
  }
  return prefix;
}

function readCountry(key: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && isSupportedCountry(value)) return value;
  throw new ConfigError(key, 'expected an ISO 3166-1 alpha-2 code of a country, such as US or DE');
}

function readApplication(key: string, value: unknown): RouteConfig['application'] {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value === '' || value.length > 64) {
    throw new ConfigError(key, 'expected the UUID or the alias of an application');
  }
  return UUID.test(value) ? { by: 'uuid', value: value.toLowerCase() } : { by: 'alias', value };
}

/** YAML reads digits without quotes as a number. */
function readSender(key: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && SENDER.test(text)) return text;
  throw new ConfigError(key, 'expected a sender id or number of 1 to 32 printable ASCII characters');
}

function readSenders(key: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) return { default: readSender(key, value)! };
  return Object.fromEntries(
    Object.entries(value).map(([country, sender]) => {
      const place = join(key, country);
      if (country !== 'default' && !isSupportedCountry(country)) {
        throw new ConfigError(place, 'expected an ISO 3166-1 alpha-2 code of a country, or default');
      }
      if (sender === undefined || sender === null) throw new ConfigError(place, 'expected a sender');
      return [country, readSender(place, sender)!];
    }),
  );
}

function readParameters(key: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) throw new ConfigError(key, 'expected a map of names and texts');
  const entries = Object.entries(value);
  if (entries.length > MAX_PARAMETERS) throw new ConfigError(key, `expected at most ${MAX_PARAMETERS}`);
  return Object.fromEntries(
    entries.map(([name, each]) => {
      const place = join(key, name);
      if (!PARAMETER.test(name)) {
        throw new ConfigError(place, 'expected a name of 1 to 32 of a-z, 0-9 and _, a letter first');
      }
      // Ids of 19 digits, as those of India's DLT, are no numbers that JavaScript keeps.
      if (typeof each === 'number' && !Number.isSafeInteger(each)) {
        throw new ConfigError(place, 'expected a text: put the number in quotes, or it loses digits');
      }
      const text = typeof each === 'number' ? String(each) : each;
      if (typeof text === 'string' && text.length <= 256 && !/\p{Cc}/u.test(text)) return [name, text];
      throw new ConfigError(place, 'expected a text of at most 256 characters');
    }),
  );
}

/** Each entry is a rank: a name, or a map from names to weights. */
function readRanks(
  key: string,
  value: unknown,
  channel: Channel | null,
  served: Served,
): { carrier: string; weight: number }[][] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ConfigError(key, 'expected a list of carrier names');
  const ranks = value.map((entry: unknown, index) => {
    const place = join(key, index);
    if (!isFields(entry)) return [{ carrier: readName(place, entry, channel, served), weight: 1 }];
    return readShares(place, entry, channel, served);
  });
  const names = ranks.flat().map(({ carrier }) => carrier);
  if (new Set(names).size < names.length) throw new ConfigError(key, 'names a carrier twice');
  return ranks;
}

function readShares(place: string, entry: Fields, channel: Channel | null, served: Served) {
  const shares = Object.entries(entry);
  if (shares.length === 0) throw new ConfigError(place, 'expected carrier names with their weights');
  return shares.map(([name, weight]) => {
    const rule = { default: 1, minimum: 1, maximum: MAX_WEIGHT };
    const carrier = readName(join(place, name), name, channel, served);
    return { carrier, weight: readNumber(join(place, name), weight, rule) };
  });
}

function readName(place: string, name: unknown, channel: Channel | null, served: Served): string {
  const channels = typeof name === 'string' ? served.get(name) : undefined;
  if (!channels) {
    const hint = typeof name === 'string' ? `; ${didYouMean(name, [...served.keys()])}` : '';
    throw new ConfigError(place, `expected the name of a carrier under carriers:${hint}`);
  }
  if (channel !== null && !channels.includes(channel)) {
    throw new ConfigError(place, `carrier ${name} does not serve ${channel}`);
  }
  return name as string;
}

function channelsOf({ type, settings }: CarrierConfig, types: readonly CarrierType[]): readonly Channel[] {
  return types.find((each) => each.type === type)!.channels(settings);
}
