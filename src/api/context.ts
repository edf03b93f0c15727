import type { Environment } from '../environment.js';
import type { Directory } from '../store/directory.js';
import type { KeyringHolder } from '../store/keys.js';
import type { Store } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Limits } from '../verify/limits.js';
import type { Channel, Recipient } from '../verify/model.js';
import type { Rates } from '../verify/rate-card.js';

/** What a route may depend on. */
export interface PlannedAttempt {
  readonly channel: Channel;
  readonly recipient: Recipient;
  readonly country: string | null;
  readonly application: string;
  readonly alias: string;
  readonly src: string | null;
  readonly attempt: string;
}

/** What the HTTP edge is given by the composition root; everything that a handler may touch. */
export interface ApiContext {
  readonly store: Store;
  readonly directory: Directory;
  readonly keyring: KeyringHolder;
  readonly environment: Environment;
  readonly limits: Limits;
  readonly rates: Rates;
  /** Age past which a session is not shown any more, in milliseconds (contract §5). */
  readonly retention: number;
  /** Whose `X-Forwarded-For` is believed: nobody's, everybody's, or that of these addresses and CIDRs. */
  readonly trustProxy: boolean | readonly string[];
  readonly log: Log;
  readonly metrics: Metrics;
  /** The carrier of an attempt's first hop; null when no route serves it. */
  readonly plan: (wanted: PlannedAttempt) => string | null;
  /** Names of the carriers of type `inbox`. */
  readonly inbox: readonly string[];
  /** Records that the callee of a call in an inbox pressed 1; resolves after the commit. `unavailable`: it is not recorded. */
  readonly confirm: (
    inbox: string,
    hopId: string,
  ) => Promise<'recorded' | 'unknown' | 'invalid' | 'unavailable'>;
  /** Whether this node can do its work; `reason` says what it lacks. */
  readonly ready: () => { readonly ok: boolean; readonly reason?: string };
  /** Whether this node finishes what is in flight and takes nothing new. */
  readonly draining: () => boolean;
}
