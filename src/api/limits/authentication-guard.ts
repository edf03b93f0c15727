import type { Environment } from '../../environment.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Limits } from '../../verify/limits.js';
import { ApiError, tooMany } from '../errors.js';
import { addressKey } from './address.js';
import { createLimiter } from './limiter.js';

/** Holds back who guesses credentials. */
export interface AuthenticationGuard {
  /**
   * Called before credentials are looked at, whether or not the auth id exists.
   * @throws ApiError 429
   */
  admit(address: string, authId: string): void;
  /** Counts a failure. `authId` null: of the address only. */
  failed(address: string, authId: string | null): void;
}

/**
 * Past its limit an address is refused unread. Past the limit of an auth id, the addresses that failed lately are:
 * guessing from many of them stops, while the right credentials go on working from where nothing has failed.
 */
export function createAuthenticationGuard(context: {
  readonly environment: Environment;
  readonly limits: Limits;
  readonly metrics: Metrics;
}): AuthenticationGuard {
  const { environment, metrics } = context;
  const { perAddress, perAuthId } = context.limits.failedAuthentications;
  const addresses = createLimiter(environment, perAddress);
  const authIds = createLimiter(environment, perAuthId);
  // Who failed lately is to be known even where addresses are not limited.
  const suspects = perAddress ? addresses : createLimiter(environment, perAuthId);
  const refuse = (limit: string, wait: number) => {
    metrics.limited.inc({ limit });
    // The same sentence for both: which one it was would tell what others do with an auth id.
    throw new ApiError(tooMany('too many requests: the limit of failed authentications is reached', wait));
  };
  return {
    admit: (address, authId) => {
      const caller = addressKey(address);
      const wait = addresses.wait(caller);
      if (wait > 0) refuse('failed_authentications_per_address', wait);
      if (!suspects.isUsed(caller)) return;
      const waitForId = authIds.wait(authId);
      if (waitForId > 0) refuse('failed_authentications_per_auth_id', waitForId);
    },
    failed: (address, authId) => {
      const caller = addressKey(address);
      suspects.take(caller);
      if (authId !== null && authIds.wait(authId) === 0) authIds.take(authId);
    },
  };
}
