import type { CarrierContext, CarrierReport, ReportResult } from '../../carrier.js';
import type { Counts } from './counts.js';
import { readInbound } from './inbound.js';
import type { Pdu } from './pdu.js';
import { kindOfDelivery, type Receipt, readReceipt } from './receipt.js';
import type { ReadSettings } from './settings.js';
import { NEVER, OK, TRY_AGAIN } from './status.js';
import type { Unanswered } from './unanswered.js';

export interface DeliveriesOptions {
  readonly context: CarrierContext;
  readonly settings: Pick<ReadSettings, 'receipts' | 'text'>;
  readonly unanswered: Unanswered;
  readonly counts: Counts;
}

/** Takes what an SMSC delivers: receipts and messages. */
export interface Deliveries {
  /**
   * Resolves to the `command_status` of the answer, after the commit: `ESME_ROK` also for what nobody can use, so
   * that it does not come again for ever; a temporary error where it should. Never rejects.
   */
  take(pdu: Pdu): Promise<number>;
  /** Has everything new come again later; resolves when what is being recorded has its answer. */
  close(): Promise<void>;
}

/** Deliveries that are being recorded at a time; more are to come again. */
const MAX_IN_FLIGHT = 2_000;

export function createDeliveries({ context, settings, unanswered, counts }: DeliveriesOptions): Deliveries {
  let inFlight = 0;
  let closed = false;
  let onIdle: () => void = () => {};

  async function handle(pdu: Pdu): Promise<number> {
    const kind = kindOfDelivery(pdu);
    if (kind === 'message') return takeMessage(pdu);
    const receipt = kind === 'acknowledgement' ? null : readReceipt(pdu, kind, settings.receipts);
    if (receipt === null) {
      counts.add(kind === 'acknowledgement' ? 'acknowledgements' : 'receipts_unreadable');
      return OK;
    }
    const result = await report(receipt);
    counts.add(`receipts_${result}`);
    return result === 'unavailable' ? TRY_AGAIN : OK;
  }

  async function report({ messageId, recipient, status, errorCode }: Receipt): Promise<ReportResult> {
    const say = (by: CarrierReport['by']) => context.report({ by, status, errorCode });
    const late = unanswered.hopOfMessage(messageId);
    if (late !== null) return say({ kind: 'hop', hopId: late });
    const result = await say({ kind: 'message', messageId });
    if (result !== 'unknown') return result;
    // It may have waited for an answer that came too late for the hop to get its id.
    const guessed = unanswered.hopOfMessage(messageId) ?? unanswered.hopTo(recipient);
    return guessed === null ? result : say({ kind: 'hop', hopId: guessed });
  }

  async function takeMessage(pdu: Pdu): Promise<number> {
    const message = readInbound(pdu, settings.text);
    counts.add(message === null ? 'inbound_ignored' : 'inbound');
    if (message === null) return OK;
    return (await context.inbound(message)) === 'unavailable' ? TRY_AGAIN : OK;
  }

  return {
    async take(pdu) {
      if (closed || inFlight >= MAX_IN_FLIGHT) {
        counts.add('deliveries_put_off');
        return TRY_AGAIN;
      }
      inFlight++;
      try {
        return await handle(pdu);
      } catch (error) {
        // It would be so again. The reporter has logged what it was.
        context.log.error({ carrier: context.name, err: error }, 'a delivery of the SMSC could not be taken');
        return NEVER;
      } finally {
        inFlight--;
        if (inFlight === 0) onIdle();
      }
    },
    close() {
      closed = true;
      return inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (onIdle = resolve));
    },
  };
}
