import type { TProperties, TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Errors } from 'typebox/schema';
import type { CarrierConfig } from '../config.js';
import type { CarrierType } from '../delivery/carrier.js';
import { isFields } from './document.js';
import { ConfigError } from './error.js';
import { didYouMean, join, refuseUnknown } from './nearest.js';

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const MAX_CARRIERS = 100;

/**
 * Reads `carriers:`, a map from name to `{type, ...settings}`, in the order of the file. Settings are checked by
 * the schema of their type; its defaults are filled in.
 * @throws ConfigError
 */
export function readCarriers(value: unknown, types: readonly CarrierType[]): CarrierConfig[] {
  if (value === undefined || value === null) return [];
  if (!isFields(value))
    throw new ConfigError('carriers', 'expected a map from carrier names to their settings');
  const entries = Object.entries(value);
  if (entries.length > MAX_CARRIERS) throw new ConfigError('carriers', `expected at most ${MAX_CARRIERS}`);
  return entries.map(([name, entry]) => readCarrier(name, entry, types));
}

function readCarrier(name: string, entry: unknown, types: readonly CarrierType[]): CarrierConfig {
  const path = join('carriers', name);
  if (!NAME.test(name)) {
    throw new ConfigError(
      path,
      'expected a name of 1 to 32 characters of a-z, 0-9, _ and -, beginning with a letter or digit',
    );
  }
  if (!isFields(entry)) throw new ConfigError(path, 'expected a map with type and settings');
  const { type: typeName, ...settings } = entry;
  const known = types.map(({ type }) => type);
  const type = types.find((each) => each.type === typeName);
  if (!type) {
    const nearest = typeof typeName === 'string' ? `; ${didYouMean(typeName, known)}` : '';
    throw new ConfigError(join(path, 'type'), `expected one of ${known.join(', ')}${nearest}`);
  }
  return { name, type: type.type, settings: checkSettings(path, settings, type) };
}

function checkSettings(path: string, settings: Record<string, unknown>, type: CarrierType): unknown {
  const properties = type.settings.properties as TProperties;
  refuseUnknown(path, settings, Object.keys(properties));
  const complete = Object.fromEntries(
    Object.entries(properties).flatMap(([key, schema]) => {
      // A key without a value counts as absent, as in the other sections.
      const value = settings[key] ?? (schema as { default?: unknown }).default;
      // Defaults belong to the schema, and what is returned will be frozen.
      return value === undefined ? [] : [[key, structuredClone(value)]];
    }),
  );
  const [isValid, errors] = Errors(type.settings, complete);
  if (!isValid) throw settingError(path, errors[0]!, properties);
  return complete;
}

/** Tells what the schema expects; schemas know nothing of the value, so no secret can get into it. */
function settingError(path: string, error: TLocalizedValidationError, properties: TProperties): ConfigError {
  const missing = (error.params as { requiredProperties?: readonly string[] }).requiredProperties?.[0];
  const keys = error.instancePath.split('/').slice(1);
  const key = keys[0] ?? missing;
  const schema: (TSchema & { description?: string }) | undefined =
    key === undefined ? undefined : properties[key];
  const place = [...keys, ...(missing === undefined ? [] : [missing])].reduce(join, path);
  const what = missing === undefined ? error.message : 'is missing';
  return new ConfigError(place, schema?.description ? `${what}; expected: ${schema.description}` : what);
}
