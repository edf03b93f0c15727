import type { TProperties } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Errors } from 'typebox/schema';
import type { CarrierConfig } from '../config.js';
import type { Binding, CarrierType } from '../delivery/carrier.js';
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
  const carriers = entries.map(([name, entry]) => readCarrier(name, entry, types));
  refuseSharedPorts(carriers, types);
  return carriers;
}

/** Two carriers that listen on one port: the second would never come up. */
function refuseSharedPorts(carriers: readonly CarrierConfig[], types: readonly CarrierType[]): void {
  const bound: { readonly name: string; readonly binding: Binding }[] = [];
  for (const { name, type, settings } of carriers) {
    const binding = types.find((each) => each.type === type)?.binding?.(settings);
    if (!binding) continue;
    const other = bound.find((each) => clash(each.binding, binding));
    if (other) {
      throw new ConfigError(
        join(join('carriers', name), 'port'),
        `${binding.port} is already the port of carriers.${other.name}: expected another one for each carrier`,
      );
    }
    bound.push({ name, binding });
  }
}

function clash(one: Binding, other: Binding): boolean {
  const isEverywhere = ({ address }: Binding) => address === '0.0.0.0' || address === '::';
  return (
    one.port === other.port &&
    one.protocols.some((protocol) => other.protocols.includes(protocol)) &&
    (one.address === other.address || isEverywhere(one) || isEverywhere(other))
  );
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
  for (const key of Object.keys(settings)) {
    const home = key in properties ? undefined : homeOf(key, properties);
    if (home !== undefined)
      throw new ConfigError(join(path, key), `unknown key here; it belongs below ${home}`);
  }
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
  if (!isValid) throw settingError(path, errors[0]!, type.settings);
  return complete;
}

/** What is read of a schema. */
interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The key below which a key is known that was written one level too high. */
function homeOf(key: string, properties: TProperties): string | undefined {
  const known = Object.entries(properties as Readonly<Record<string, Schema>>);
  return known.find(([, { items, properties: own }]) =>
    Object.hasOwn(items?.properties ?? own ?? {}, key),
  )?.[0];
}

/** Tells what the schema expects; schemas know nothing of the value, so no secret can get into it. */
function settingError(path: string, error: TLocalizedValidationError, settings: Schema): ConfigError {
  const missing = (error.params as { requiredProperties?: readonly string[] }).requiredProperties?.[0];
  const keys = [...error.instancePath.split('/').slice(1), ...(missing === undefined ? [] : [missing])];
  let schema: Schema | undefined = settings;
  let description: string | undefined;
  let place = path;
  for (const key of keys) {
    const below: Schema | undefined = schema?.items ?? schema?.properties?.[key];
    place = join(place, key);
    if (!below && schema?.properties) {
      return new ConfigError(place, `unknown key; ${didYouMean(key, Object.keys(schema.properties))}`);
    }
    schema = below;
    description = schema?.description ?? description;
  }
  if (missing !== undefined) return new ConfigError(place, told('is missing', description));
  // In these the words of the schema are for programs.
  const isPlain = !['pattern', 'const', 'anyOf', 'boolean'].includes(error.keyword);
  if (isPlain || description === undefined) return new ConfigError(place, told(error.message, description));
  return new ConfigError(place, `expected ${description}`);
}

function told(what: string, description: string | undefined): string {
  return description === undefined ? what : `${what}; expected: ${description}`;
}
