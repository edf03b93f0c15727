import type { Channel } from './verify/model.js';

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
  /** Where metrics are served; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** In the order of the file; empty: the inbox serves every channel. */
  readonly carriers: readonly CarrierConfig[];
  readonly routes: readonly RouteConfig[];
  readonly limits: Limits;
  readonly callbacks: CallbackSettings;
  /** Seconds that a stopping server waits for what is in flight. */
  readonly drain: number;
}

export interface CarrierConfig {
  readonly name: string;
  readonly type: string;
  /** Checked by the schema of the carrier's type. */
  readonly settings: unknown;
}

/** Which carriers may serve a channel and prefix, in which order. The longest prefix wins. */
export interface RouteConfig {
  readonly channel: Channel | null;
  /** Leading digits of the recipient; empty matches all. */
  readonly prefix: string;
  readonly carriers: readonly string[];
}

export interface Limits {
  /** Failed validations of one recipient in 24 h (contract §3). */
  readonly failedValidationsPerRecipient: number;
  /** List requests a minute and account (contract §5). */
  readonly listsPerMinute: number;
}

export interface CallbackSettings {
  /** Callbacks in flight to one host. */
  readonly perHost: number;
  /** Callbacks in flight in all. */
  readonly total: number;
}
