import { dirname } from 'node:path';
import { readCarriers } from './config/carriers.js';
import { readDocument } from './config/document.js';
import { type ConfigFiles, nodeFiles } from './config/files.js';
import { deepFreeze } from './config/freeze.js';
import { readLimits } from './config/limits.js';
import { refuseUnknown } from './config/nearest.js';
import { readNumber, readNumbers } from './config/numbers.js';

import { readOptOuts } from './config/opt-outs.js';

import { readRates } from './config/rates.js';

import { readRoutes } from './config/routes.js';
import { readSpeech } from './config/speech.js';
import { readVariables } from './config/variables.js';
import type { CarrierType } from './delivery/carrier.js';
import type { Limits } from './verify/limits.js';
import type { Channel } from './verify/model.js';
import type { RateCard } from './verify/rate-card.js';

export { ConfigError } from './config/error.js';
export type { ConfigFiles } from './config/files.js';

/** The whole configuration: environment and `countersign.yaml`, checked, defaults filled in, frozen. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute path of the data directory. */
  readonly dataDir: string;
  /** `COUNTERSIGN_MASTER_KEY`: 32-byte keys, the first being the one that a new database starts with; null: `master.key` in the data directory. */
  readonly masterKeys: readonly Uint8Array[] | null;
  readonly bootstrap: { readonly authId: string; readonly authToken: string } | null;
  /** CIDRs and host names that callbacks may reach although they are private. */
  readonly callbackAllow: readonly string[];
  /** As Fastify's `trustProxy`: false, or addresses and CIDRs of proxies whose `X-Forwarded-For` is believed. */
  readonly trustProxy: boolean | readonly string[];
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Where providers reach the server from outside, without a slash at its end; null: nowhere. */
  readonly publicUrl: string | null;
  /** Where metrics are served; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** In the order of the file; empty: the inbox serves every channel. */
  readonly carriers: readonly CarrierConfig[];
  readonly routes: readonly RouteConfig[];
  readonly optOuts: OptOutSettings;
  readonly limits: Limits;
  /** What is charged; null: nothing. */
  readonly rates: RateCard | null;
  readonly callbacks: CallbackSettings;
  readonly speech: SpeechConfig;
  /** Days after which a session is gone. */
  readonly retentionDays: number;
  /** Seconds that a stopping server waits for what is in flight. */
  readonly drain: number;
}

export interface CarrierConfig {
  readonly name: string;
  readonly type: string;
  /** Checked by the schema of the carrier's type. */
  readonly settings: unknown;
}

/** Which carriers may serve which messages, in which order. The most particular route wins (see `createRouter`). */
export interface RouteConfig {
  readonly channel: Channel | null;
  /** Leading digits of the recipient; empty matches all. */
  readonly prefix: string;
  /** ISO 3166-1 alpha-2 of the recipient's country; null matches all. */
  readonly country: string | null;
  /** Null matches all. An alias means the applications of this alias of every account. */
  readonly application: { readonly by: 'uuid' | 'alias'; readonly value: string } | null;
  /** The sender that the caller asked for; null matches all. */
  readonly src: string | null;
  /** Every carrier, in the order of the file. */
  readonly carriers: readonly string[];
  /** The same by rank: those of one rank share by weight, the next rank is fallen back to. */
  readonly ranks: readonly (readonly { readonly carrier: string; readonly weight: number }[])[];
  /** Sender id or caller id by country (ISO 3166-1 alpha-2), and `default` for all others. */
  readonly senders: Readonly<Record<string, string>>;
  /** What is added for the route's carriers. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Seconds; null: the default. */
  readonly unansweredWait: number | null;
  readonly receiptWithin: number | null;
}

export interface OptOutSettings {
  /** What HELP is answered with; null: it is not answered. */
  readonly helpText: string | null;
}

export interface CallbackSettings {
  /** Callbacks in flight to one host. */
  readonly perHost: number;
  /** Callbacks in flight in all. */
  readonly total: number;
}

export interface SpeechConfig {
  /** Absolute path of the folder of an operator's recordings; null: none. */
  readonly recordings: string | null;
  /** A program that speaks brand names, and its arguments with `{text}`, `{locale}`, `{output}`; null: none. */
  readonly command: readonly string[] | null;
  /** Seconds that it may take. */
  readonly commandSeconds: number;
}

const SECTIONS = [
  'carriers',
  'routes',
  'opt_outs',
  'limits',
  'rates',
  'callbacks',
  'speech',
  'retention_days',
  'drain_seconds',
];

/** Seconds. */
const DRAIN = 10;

/**
 * Environment and `countersign.yaml` → configuration, frozen through and through. Reads no files but those it is
 * told of, and of the process nothing but its working directory, which relative paths are relative to.
 * @param env the environment variables
 * @param carrierTypes the kinds of carrier that `carriers:` may name
 * @throws ConfigError on the first value that is not as expected
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  carrierTypes: readonly CarrierType[],
  files: ConfigFiles = nodeFiles,
): Config {
  const { configPath, ...variables } = readVariables(env, files);
  const document = configPath === null ? {} : readDocument(configPath, env, files);
  refuseUnknown('', document, SECTIONS);
  const carriers = readCarriers(document.carriers, carrierTypes);
  const callbacks = readNumbers('callbacks', document.callbacks, {
    per_host: { default: 16, minimum: 1, maximum: 1_000 },
    total: { default: 512, minimum: 1, maximum: 10_000 },
  });
  return deepFreeze({
    ...variables,
    carriers,
    routes: readRoutes(document.routes, carriers, carrierTypes),
    optOuts: readOptOuts(document.opt_outs),
    limits: readLimits(document.limits),
    rates: readRates(document.rates),
    callbacks: { perHost: callbacks.per_host, total: callbacks.total },
    speech: readSpeech(document.speech, configPath === null ? '' : dirname(configPath)),
    retentionDays: readNumber('retention_days', document.retention_days, {
      default: 90,
      minimum: 1,
      maximum: 3_650,
    }),
    drain: readNumber('drain_seconds', document.drain_seconds, {
      default: drainOf(carriers, carrierTypes),
      minimum: 0,
      maximum: 3_600,
    }),
  });
}

/** Long enough for what the carriers do in one go, such as a call. */
function drainOf(carriers: readonly CarrierConfig[], types: readonly CarrierType[]): number {
  const wanted = carriers.map(
    ({ type, settings }) => types.find((each) => each.type === type)?.drain?.(settings) ?? 0,
  );
  return Math.max(DRAIN, ...wanted);
}
