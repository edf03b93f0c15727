import { type Static, Type } from 'typebox';
import { SettingsError } from '../../settings-error.js';

/** What every carrier to a provider's HTTP API may be told. */
export const commonSettings = {
  from: Type.Optional(
    Type.String({
      pattern: '^[\\x20-\\x7e]{1,64}$',
      description: 'the sender of messages for which neither the caller nor the route names one',
    }),
  ),
  timeout_ms: Type.Optional(
    Type.Integer({
      minimum: 100,
      maximum: 60_000,
      default: 10_000,
      description: '100 to 60000 milliseconds, within which a request must be answered whole',
    }),
  ),
  connections: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_024,
      default: 32,
      description: '1 to 1024, the most connections to the provider at a time',
    }),
  ),
  window: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 256,
      description: '1 to 10000, the most messages without an answer at a time',
    }),
  ),
  unanswered: Type.Optional(
    Type.Union([Type.Literal('resend'), Type.Literal('wait')], {
      default: 'resend',
      description: 'resend or wait: what becomes of a message whose request was written but not answered',
    }),
  ),
} as const;

const common = Type.Object(commonSettings);
export type CommonSettings = Static<typeof common>;

/** The `base_url` key. */
export function baseUrl(standard: string) {
  return Type.Optional(
    Type.String({
      pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$',
      maxLength: 512,
      default: standard,
      description: 'an http or https URL without user name, query and fragment',
    }),
  );
}

/** A required value that goes into a header: printable ASCII. Never shown. */
export function credential(what: string) {
  return Type.String({ pattern: '^[\\x21-\\x7e]{1,512}$', description: what });
}

/** A URL taken apart once. */
export interface Base {
  readonly origin: string;
  /** What goes before every path: empty, or a path without a slash at its end. */
  readonly prefix: string;
}

/** @throws SettingsError naming `key` for a URL that the pattern lets through but that is none */
export function readBase(key: string, text: string): Base {
  // `URL.parse` is newer than the oldest Node.js that is supported.
  if (!URL.canParse(text)) throw new SettingsError(key, `expected an absolute http or https URL`);
  const { origin, pathname } = new URL(text);
  return { origin, prefix: pathname.replace(/\/+$/, '') };
}
