import type { Codec, MediaStats } from './media.js';
import type { Agreement } from './sdp.js';

/** What the media thread is started with. */
export interface WorkerData {
  readonly ports: { readonly from: number; readonly to: number };
  readonly timeout: number;
  readonly voiceEndsAfter: number;
  /** One number per name of `TOTALS`, written by the media thread and read by the main one. */
  readonly totals: SharedArrayBuffer;
}

/** The places of the totals in their shared array. */
export const TOTALS = ['active', 'sent', 'late', 'received', 'refused'] as const;
export type TotalName = (typeof TOTALS)[number];
export const TOTALS_SIZE = TOTALS.length * Float64Array.BYTES_PER_ELEMENT;
export const placeOf = (name: TotalName): number => TOTALS.indexOf(name);

/** A clip that was handed over before, or samples of silence. */
export type Item = { readonly clip: number } | { readonly silence: number };

/** To the media thread. `id` is the session's. */
export type Order =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly address: string;
      readonly latching: 'same-address' | 'first-source';
    }
  | { readonly kind: 'agree'; readonly id: number; readonly agreement: Agreement }
  | { readonly kind: 'start'; readonly id: number }
  | { readonly kind: 'clip'; readonly clip: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'forget'; readonly clip: number }
  | {
      readonly kind: 'play';
      readonly id: number;
      readonly play: number;
      readonly codec: Codec;
      readonly items: readonly Item[];
    }
  | { readonly kind: 'stop'; readonly id: number }
  | { readonly kind: 'dtmf'; readonly id: number; readonly send: number; readonly digits: string }
  | { readonly kind: 'close'; readonly id: number }
  | { readonly kind: 'close-all' };

/** From the media thread, of one session. */
export type SessionNews =
  | { readonly kind: 'play-ended'; readonly play: number; readonly how: 'played' | 'stopped' }
  | { readonly kind: 'dtmf-ended'; readonly send: number; readonly failure: string | null }
  | { readonly kind: 'dtmf'; readonly digit: string; readonly durationMs: number }
  | { readonly kind: 'voice-start' }
  | { readonly kind: 'voice-end'; readonly lengthMs: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'opened'; readonly port: number }
  | { readonly kind: 'not-opened'; readonly reason: string }
  | { readonly kind: 'closed'; readonly stats: MediaStats };

/** From the media thread. */
export type News = { readonly id: number; readonly news: SessionNews } | { readonly kind: 'all-closed' };
