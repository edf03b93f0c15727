import type { Environment } from '../../../../environment.js';
import type { Media } from './media.js';

export interface CreateMediaOptions {
  readonly environment: Environment;
  /** UDP ports to be used, ends included. A call takes an even one and the next. */
  readonly ports: { readonly from: number; readonly to: number };
  /** What is sent while nothing is played, where the peer takes both: continuous silence, or comfort noise (RFC 3389). */
  readonly silence?: 'continuous' | 'comfort-noise';
  /** Milliseconds without any packet of the peer after which `media-timeout` is said. Default 30,000. */
  readonly timeout?: number;
  /** Milliseconds of quiet after which a sound counts as ended. Default 400. */
  readonly voiceEndsAfter?: number;
}

export function createMedia(_options: CreateMediaOptions): Media {
  throw new Error('not built yet');
}
