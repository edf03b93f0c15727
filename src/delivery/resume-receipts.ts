import type { Environment } from '../environment.js';
import type { Store } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { AwaitedReceipts } from './awaited-receipts.js';
import { RECEIPT_WITHIN, type Router } from './router.js';

export interface ResumeReceiptsOptions {
  readonly store: Pick<Store, 'read'>;
  readonly awaited: Pick<AwaitedReceipts, 'handed'>;
  readonly router: Router;
  /** The longest time that a route gives a receipt, in milliseconds. */
  readonly longest: number;
  readonly environment: Environment;
  readonly log: Log;
}

/** Attempts that are looked at: half a second of a start, where each of them still waits. */
const MOST = 20_000;

/**
 * Watches, from a start on, for the receipts of messages that an earlier process handed over, each for what is left of its
 * time. What was missed before is not counted again. Call it before receipts can come and messages can be handed over. Never
 * rejects.
 */
export async function resumeReceipts(options: ResumeReceiptsOptions): Promise<void> {
  const { store, awaited, router, longest, environment, log } = options;
  const now = environment.now();
  try {
    const messages = await store.read.handedMessages(now - longest, MOST);
    const watched = messages.flatMap(({ attempt, carrier, handedAt, ...message }) => {
      const choice = router.choose({ ...message, channel: 'sms', attempt });
      const within = choice?.receiptWithin ?? RECEIPT_WITHIN * 1000;
      // A clock that went back must not lengthen the wait.
      const ago = Math.max(0, now - handedAt);
      return ago < within ? [{ attempt, carrier, within, ago }] : [];
    });
    watched.sort((a, b) => b.ago - a.ago);
    for (const { carrier, attempt, within, ago } of watched) awaited.handed(carrier, attempt, within, ago);
  } catch (error) {
    log.error({ err: error }, 'messages that were handed over before the start are not watched for receipts');
  }
}
