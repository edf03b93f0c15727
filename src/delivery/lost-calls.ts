import type { Store } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import { hopId } from '../verify/model.js';
import type { Carrier } from './carrier.js';
import type { Reporter } from './receipts.js';

export interface LostCallsOptions {
  readonly store: Pick<Store, 'read'>;
  readonly carriers: Iterable<Carrier>;
  readonly reporter: Pick<Reporter, 'forCarrier'>;
  readonly log: Log;
}

/** More than a carrier may have under way; what is left of them waits for the next start. */
const MOST = 10_000;
/** Channel error code (contract §7) of a call that was marked, and that its node did not live to tell the end of. */
const INTERNAL_ERROR = 5010;

/**
 * Ends, at the start, the calls that died with the process that made them after they were marked: they are not called
 * again, since the callee may have heard the code, and nobody else can tell how they went. Never rejects.
 */
export async function endLostCalls({ store, carriers, reporter, log }: LostCallsOptions): Promise<void> {
  for (const { name, endsWithProcess } of carriers) {
    if (!endsWithProcess) continue;
    const report = reporter.forCarrier(name);
    try {
      const calls = await store.read.lostCalls(name, MOST);
      if (calls.length === 0) continue;
      log.warn(
        { carrier: name, calls: calls.length },
        'calls died with their process after they were marked',
      );
      const ends = calls.map(({ attempt, number }) => {
        const by = { kind: 'hop', hopId: hopId(attempt, number) } as const;
        return report({ by, status: 'failed', errorCode: INTERNAL_ERROR });
      });
      await Promise.all(ends);
    } catch (error) {
      log.error({ carrier: name, err: error }, 'calls that died with their process could not be ended');
    }
  }
}
