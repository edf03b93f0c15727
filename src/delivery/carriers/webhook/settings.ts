import { type Static, Type } from 'typebox';
import type { UnansweredPolicy } from '../../../verify/model.js';
import { SettingsError } from '../../settings-error.js';
import { commonSettings } from '../provider/settings.js';
import { channelsSetting } from '../settings.js';

const DEFAULTS = { timeout_ms: 5_000, connections: 32, window: 256, unanswered: 'resend' } as const;

/** What a `webhook` carrier's entry in `countersign.yaml` may hold. */
export const webhookSettings = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://[^\\s/?#@]+([/?][^\\s#]*)?$',
      maxLength: 2048,
      description: 'an http or https URL without user name and fragment, that each message is POSTed to',
    }),
    secret: Type.String({
      pattern: '^[\\x21-\\x7e]{16,512}$',
      description: 'a bearer secret for both directions, 16 to 512 printable ASCII characters without spaces',
    }),
    channels: channelsSetting,
    timeout_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 60_000,
        default: DEFAULTS.timeout_ms,
        description: '100 to 60000 milliseconds, within which a POST must be answered whole',
      }),
    ),
    connections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_024,
        default: DEFAULTS.connections,
        description: '1 to 1024, the most connections to the URL at a time',
      }),
    ),
    window: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        default: DEFAULTS.window,
        description: '1 to 10000, the most messages without an answer at a time',
      }),
    ),
    unanswered: commonSettings.unanswered,
  },
  { additionalProperties: false },
);

export type WebhookSettings = Static<typeof webhookSettings>;

/** The settings with their defaults filled in, and the URL taken apart. */
export interface ReadSettings {
  readonly url: URL;
  readonly secret: string;
  readonly timeout: number;
  readonly connections: number;
  readonly window: number;
  readonly unanswered: UnansweredPolicy;
}

/** @throws SettingsError for a `url` that the pattern lets through but that is none */
export function readSettings(settings: WebhookSettings): ReadSettings {
  // `URL.parse` is newer than the oldest Node.js that is supported.
  if (!URL.canParse(settings.url)) throw new SettingsError('url', 'expected an absolute http or https URL');
  return {
    url: new URL(settings.url),
    secret: settings.secret,
    timeout: settings.timeout_ms ?? DEFAULTS.timeout_ms,
    connections: settings.connections ?? DEFAULTS.connections,
    window: settings.window ?? DEFAULTS.window,
    unanswered: settings.unanswered ?? DEFAULTS.unanswered,
  };
}
