import type { Environment } from '../../environment.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Limits } from '../../verify/limits.js';
import { ApiError, tooMany } from '../errors.js';
import { addressKey } from './address.js';
import { createLimiter } from './limiter.js';

/** Whom a create is counted for. */
export interface CountedCreate {
  readonly account: string;
  readonly application: string;
  readonly recipient: string;
  /** As `callerAddress` tells it. */
  readonly address: string;
}

/**
 * The limits on creates.
 * @returns counts a create and returns what undoes that, for one that turns out to send nothing new. Throws ApiError
 * 429, which names the limit, and counts nothing when one is reached.
 */
export function createLimits(context: {
  readonly environment: Environment;
  readonly limits: Limits;
  readonly metrics: Metrics;
}): (create: CountedCreate) => () => void {
  const { environment, metrics } = context;
  const { perAccount, perApplication, perRecipient, perAddress } = context.limits.creates;
  const limits = [
    {
      name: 'account',
      limiter: createLimiter(environment, perAccount),
      keyOf: (each: CountedCreate) => each.account,
    },
    {
      name: 'application',
      limiter: createLimiter(environment, perApplication),
      keyOf: (each: CountedCreate) => each.application,
    },
    {
      name: 'recipient',
      limiter: createLimiter(environment, perRecipient),
      keyOf: (each: CountedCreate) => `${each.account}|${each.recipient}`,
    },
    {
      name: 'address',
      limiter: createLimiter(environment, perAddress),
      keyOf: (each: CountedCreate) => addressKey(each.address),
    },
  ];
  return (create) => {
    const counted = limits.map(({ name, limiter, keyOf }) => ({ name, limiter, key: keyOf(create) }));
    for (const { name, limiter, key } of counted) {
      const wait = limiter.wait(key);
      if (wait === 0) continue;
      metrics.limited.inc({ limit: `creates_per_${name}` });
      throw new ApiError(tooMany(`too many requests: the limit of creates per ${name} is reached`, wait));
    }
    for (const { limiter, key } of counted) limiter.take(key);
    return () => {
      for (const { limiter, key } of counted) limiter.giveBack(key);
    };
  };
}
