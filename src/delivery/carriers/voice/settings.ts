import { type Static, Type } from 'typebox';
import { SettingsError } from '../../settings-error.js';
import type { Voice } from './voices.js';

function integer(minimum: number, maximum: number, standard: number, what: string) {
  const description = `${minimum} to ${maximum}, ${what}`;
  return Type.Optional(Type.Integer({ minimum, maximum, default: standard, description }));
}

/** How long a call rings and lasts where the settings do not say, in seconds. */
const RING = 45;
const LASTS = 120;

const voice = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        pattern: '^\\+?[0-9]{3,15}$',
        description: 'the caller id of calls for which neither the caller nor the route names one',
      }),
    ),
    calls: integer(1, 1_000, 30, 'the most calls at a time'),
    ring_seconds: integer(5, 120, RING, 'how long a call rings'),
    max_seconds: integer(20, 600, LASTS, 'the longest duration of a call after its answer'),
    machine_detection: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'true or false: whether the provider tells machines, which never hear the code',
      }),
    ),
    key_seconds: integer(5, 60, 8, 'how long the key that confirms the callee is waited for, each time'),
    key_asks: integer(1, 5, 2, 'how often that key is asked for'),
    repeats: integer(0, 5, 2, 'how often key 1 repeats the code'),
    repeat_seconds: integer(5, 30, 5, 'how long key 1 is waited for'),
    voices: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$' }),
        Type.Object(
          {
            name: Type.String({
              pattern: '^[A-Za-z0-9._-]{1,64}$',
              description: "the provider's name of it",
            }),
            language: Type.String({
              pattern: '^[A-Za-z0-9-]{2,16}$',
              description: "the provider's code of its language",
            }),
          },
          { additionalProperties: false },
        ),
        {
          additionalProperties: false,
          description: 'a voice, name and language, by locale, such as es or es-MX',
        },
      ),
    ),
  },
  { additionalProperties: false, description: 'how calls are placed' },
);

/** What the carriers of providers that place calls may be told besides. */
export const voiceSettings = {
  channels: Type.Optional(
    Type.Array(Type.Union([Type.Literal('sms'), Type.Literal('voice')]), {
      minItems: 1,
      uniqueItems: true,
      default: ['sms'],
      description: 'a list of sms and voice',
    }),
  ),
  voice: Type.Optional(voice),
} as const;

const given = Type.Object(voiceSettings);
export type VoiceSettings = Static<typeof given>;

/** The settings with their defaults filled in. */
export interface ReadVoiceSettings {
  readonly from: string | null;
  readonly calls: number;
  readonly ringSeconds: number;
  readonly maxSeconds: number;
  readonly machineDetection: boolean;
  readonly keySeconds: number;
  readonly keyAsks: number;
  readonly repeats: number;
  readonly repeatSeconds: number;
  /** The operator's own choices, by locale. */
  readonly voices: Readonly<Record<string, Voice>>;
}

/** Seconds until the longest call that could begin now is over; 0 when the carrier places none. */
export function longestCall({ channels = ['sms'], voice }: VoiceSettings): number {
  if (!channels.includes('voice')) return 0;
  return (voice?.ring_seconds ?? RING) + (voice?.max_seconds ?? LASTS) + 5;
}

/**
 * What holds for calls; null when the carrier places none.
 * @param publicUrl where the provider reaches this server
 * @throws SettingsError for settings that do not go together
 */
export function readVoiceSettings(
  { channels = ['sms'], voice }: VoiceSettings,
  publicUrl: string | null,
): ReadVoiceSettings | null {
  if (!channels.includes('voice')) {
    if (voice !== undefined) throw new SettingsError('voice', 'expected voice among channels beside it');
    return null;
  }
  if (publicUrl === null) {
    throw new SettingsError(
      'channels',
      'voice needs COUNTERSIGN_PUBLIC_URL, where the provider asks what a call says',
    );
  }
  return {
    from: voice?.from ?? null,
    calls: voice?.calls ?? 30,
    ringSeconds: voice?.ring_seconds ?? RING,
    maxSeconds: voice?.max_seconds ?? LASTS,
    machineDetection: voice?.machine_detection ?? false,
    keySeconds: voice?.key_seconds ?? 8,
    keyAsks: voice?.key_asks ?? 2,
    repeats: voice?.repeats ?? 2,
    repeatSeconds: voice?.repeat_seconds ?? 5,
    voices: voice?.voices ?? {},
  };
}
