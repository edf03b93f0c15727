import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { type Guard, RefusedAddressError } from './guard.js';

/** All addresses of a host name. */
export type Resolve = (hostName: string) => Promise<readonly LookupAddress[]>;

/**
 * Most names that are looked up at a time. Each look-up blocks one of the four threads that Node has for them and
 * for files, as long as a name server keeps it waiting: one stays free.
 */
const MAX_LOOKUPS = 3;
/** Most names that wait for that; further ones fail at once. */
const MAX_WAITING = 1_000;

/** Resolves names as the operating system does, its hosts file included. */
export function systemResolver(): Resolve {
  return boundedResolver((hostName) => lookup(hostName, { all: true }));
}

/** Looks each name up once at a time, and a few names at a time, in the order in which they were asked for. */
export function boundedResolver(lookUp: Resolve): Resolve {
  const inFlight = new Map<string, ReturnType<Resolve>>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  async function inTurn(hostName: string) {
    if (busy < MAX_LOOKUPS) busy++;
    else if (waiting.length < MAX_WAITING) await new Promise<void>((turn) => waiting.push(turn));
    else throw new BusyResolverError();
    try {
      return await lookUp(hostName);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  }

  return (hostName) => {
    const known = inFlight.get(hostName);
    if (known) return known;
    const result = inTurn(hostName).finally(() => inFlight.delete(hostName));
    inFlight.set(hostName, result);
    return result;
  };
}

class BusyResolverError extends Error {
  readonly code = 'EAI_AGAIN';
  constructor() {
    super('too many host names wait to be looked up');
    this.name = 'BusyResolverError';
  }
}

/** The look-up of a socket: hands it only those addresses of the name that the guard permits. */
export function guardedLookup(guard: Guard, resolve: Resolve): LookupFunction {
  return (hostName, options, callback) => {
    resolve(hostName).then(
      (found) => {
        const permitted = guard.trusts(hostName)
          ? [...found]
          : found.filter(({ address }) => guard.permits(address));
        const first = permitted[0];
        if (!first) callback(new RefusedAddressError(), []);
        else if (options.all) callback(null, permitted);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}
