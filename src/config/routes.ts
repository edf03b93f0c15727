import type { CarrierConfig, RouteConfig } from '../config.js';
import type { CarrierType } from '../delivery/carrier.js';
import type { Channel } from '../verify/model.js';
import { isFields } from './document.js';
import { ConfigError } from './error.js';
import { didYouMean, join, refuseUnknown } from './nearest.js';

const CHANNELS: readonly Channel[] = ['sms', 'voice'];
const MAX_ROUTES = 10_000;

/**
 * Reads `routes:`, a list of `{channel?, prefix?, carriers}`. Every carrier that is named exists and serves the
 * route's channel; no two routes have the same channel and prefix.
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
    const match = `${route.channel ?? 'any channel'} ${route.prefix}`;
    const before = seen.get(match);
    if (before)
      throw new ConfigError(path, `has the same channel and prefix as ${before}; merge their carriers`);
    seen.set(match, path);
    return route;
  });
}

function readRoute(
  path: string,
  entry: unknown,
  served: ReadonlyMap<string, readonly Channel[]>,
): RouteConfig {
  if (!isFields(entry)) throw new ConfigError(path, 'expected a map with channel, prefix and carriers');
  refuseUnknown(path, entry, ['channel', 'prefix', 'carriers']);
  const channel = readChannel(join(path, 'channel'), entry.channel);
  const prefix = readPrefix(join(path, 'prefix'), entry.prefix);
  return { channel, prefix, carriers: readNames(join(path, 'carriers'), entry.carriers, channel, served) };
}

function readChannel(key: string, value: unknown): Channel | null {
  if (value === undefined || value === null) return null;
  const channel = CHANNELS.find((each) => each === value);
  if (!channel) throw new ConfigError(key, `expected ${CHANNELS.join(' or ')}`);
  return channel;
}

/** YAML reads digits without quotes as a number. */
function readPrefix(key: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'number' ? String(value) : value;
  const digits = typeof text === 'string' ? /^\+?([1-9][0-9]{0,14})?$/.exec(text) : null;
  if (!digits) {
    throw new ConfigError(
      key,
      'expected the leading digits of E.164 numbers, 1 to 15 and not beginning with 0',
    );
  }
  return digits[1] ?? '';
}

function readNames(
  key: string,
  value: unknown,
  channel: Channel | null,
  served: ReadonlyMap<string, readonly Channel[]>,
): string[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ConfigError(key, 'expected a list of carrier names');
  const names = value.map((name, index) => {
    const place = join(key, index);
    const channels = typeof name === 'string' ? served.get(name) : undefined;
    if (!channels) {
      const hint = typeof name === 'string' ? `; ${didYouMean(name, [...served.keys()])}` : '';
      throw new ConfigError(place, `expected the name of a carrier under carriers:${hint}`);
    }
    if (channel !== null && !channels.includes(channel)) {
      throw new ConfigError(place, `carrier ${name} does not serve ${channel}`);
    }
    return name as string;
  });
  if (new Set(names).size < names.length) throw new ConfigError(key, 'names a carrier twice');
  return names;
}

function channelsOf({ type, settings }: CarrierConfig, types: readonly CarrierType[]): readonly Channel[] {
  return types.find((each) => each.type === type)!.channels(settings);
}
