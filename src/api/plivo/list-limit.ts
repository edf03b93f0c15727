import type { Environment } from '../../environment.js';

const WINDOW = 60_000;
/** Accounts that are counted at a time; past it the one whose window is oldest is forgotten. */
const MAX_ACCOUNTS = 10_000;

/**
 * Counts list requests per account in windows of a minute, each beginning with its first request: the contract's
 * limit is a number a minute (§5), which a rate that grows back all the time would let through twice. Every node
 * counts for itself, so that n nodes allow at most n times the limit.
 * @returns 0 when the request may go on, else the milliseconds after which the next one may
 */
export function listLimiter(environment: Environment, perMinute: number): (account: string) => number {
  const windows = new Map<string, { readonly until: number; count: number }>();
  return (account) => {
    const now = environment.monotonic();
    const window = windows.get(account);
    if (window && window.until > now) {
      if (window.count >= perMinute) return window.until - now;
      window.count++;
      return 0;
    }
    windows.delete(account);
    if (windows.size >= MAX_ACCOUNTS) windows.delete(windows.keys().next().value!);
    windows.set(account, { until: now + WINDOW, count: 1 });
    return 0;
  };
}
