import type { Environment, Timer } from '../environment.js';
import { type Store, StoreError } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { isErrorOf } from '../verify/channel-errors.js';
import { isCallDuration } from '../verify/charges.js';
import type { Receipt } from '../verify/commands.js';
import { type AttemptId, type AttemptStatus, CHANNELS, parseHopId } from '../verify/model.js';
import { isFailure, isStatusOf, isSuccess } from '../verify/statuses.js';
import type { CarrierReport, ReportResult } from './carrier.js';
import { checkCost } from './cost.js';

export interface ReporterOptions {
  readonly store: Pick<Store, 'submit' | 'epoch'>;
  readonly environment: Environment;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'receipts' | 'attempts' | 'sessions'>;
  /** Told when an attempt's fate is known: no receipt is missed any more. */
  readonly onSettled?: (attempt: AttemptId) => void;
  /** Told that a call which a carrier is making goes on: it rings, or was answered. */
  readonly onUnderWay?: (carrier: string, attempt: AttemptId) => void;
  /** How long a submit of a carrier may be without its answer, in milliseconds; undefined where it does not say. */
  readonly answerWithin?: (carrier: string) => number | undefined;
}

/** Turns what carriers report into recorded facts. */
export interface Reporter {
  /**
   * The `report` function of one carrier. Resolves after the commit, never before. Rejects only when the store
   * says that trying again will not help; that is logged here.
   */
  forCarrier(carrier: string): (report: CarrierReport) => Promise<ReportResult>;
  /** A hop of this carrier was recorded under this message id: receipts that came before it join it. */
  accepted(carrier: string, messageId: string): void;
  /** Receipts that wait for the hop that they mean. */
  readonly waiting: number;
  /** Answers what waits `unavailable`, so that the carrier reports it again, to this server or the next. */
  close(): void;
}

/**
 * When a receipt by message id that found nothing is tried again, in milliseconds after it came: the submit's answer may
 * be recorded later, perhaps by another process. It is given up at the last of these, or when every submit that was
 * without an answer when it came has had its time and that of a commit, whichever is later.
 */
const RETRIES: readonly number[] = [250, 1_000, 3_000, 5_000];
const COMMIT_WITHIN = 1_000;
const MAX_WAITING = 10_000;
/** As long as a carrier's message id may be. */
const MAX_MESSAGE_ID = 128;

/** A receipt that waits. `wake` ends its present pause. */
interface Early {
  wake: (() => void) | null;
  /** The hop was recorded since the last look. */
  joined: boolean;
}

export function createReporter(options: ReporterOptions): Reporter {
  const { store, environment, log, metrics, onSettled, onUnderWay, answerWithin } = options;
  const early = new Map<string, Set<Early>>();
  let waiting = 0;
  let closed = false;

  async function record(receipt: Omit<Receipt, 'now'>): Promise<ReportResult> {
    try {
      const outcome = await store.submit<Receipt>({ ...receipt, now: environment.now() });
      if (outcome.kind === 'unknown') return 'unknown';
      if (outcome.verified) metrics.sessions.inc({ event: 'verified' });
      const final = isSuccess(receipt.status) || isFailure(receipt.status);
      // A late failure of a hop that was left behind leaves the attempt to the one that has it.
      const isItsOwn = outcome.kind === 'recorded' && outcome.attempt !== undefined;
      if (final && isItsOwn) onSettled?.(outcome.attempt!);
      if (receipt.underWay && isItsOwn) onUnderWay?.(receipt.carrier, outcome.attempt!);
      if (outcome.channel && !isStatusOf(outcome.channel, receipt.status)) return 'invalid';
      // A repeat, or a late `sent` after `delivered`, is recorded, but the attempt reached nothing new.
      if (outcome.moved && outcome.channel && outcome.status) {
        metrics.attempts.inc({ channel: outcome.channel, status: outcome.status });
      }
      return 'recorded';
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'unavailable') return 'unavailable';
      throw error;
    }
  }

  async function recordOrWait(receipt: Omit<Receipt, 'now'>): Promise<ReportResult> {
    const first = await record(receipt);
    if (first !== 'unknown' || receipt.by.kind !== 'message') return first;
    if (closed || waiting >= MAX_WAITING) return 'unavailable';
    const key = keyOf(receipt.carrier, receipt.by.messageId);
    const one: Early = { wake: null, joined: false };
    const others = early.get(key) ?? new Set();
    early.set(key, others.add(one));
    waiting++;
    try {
      return await retry(receipt, one);
    } finally {
      waiting--;
      others.delete(one);
      if (others.size === 0) early.delete(key);
    }
  }

  async function retry(receipt: Omit<Receipt, 'now'>, one: Early): Promise<ReportResult> {
    const came = environment.monotonic();
    const last = (answerWithin?.(receipt.carrier) ?? 0) + COMMIT_WITHIN;
    const times = last > RETRIES.at(-1)! ? [...RETRIES, last] : RETRIES;
    for (let next = 0; next < times.length; ) {
      const pause = times[next]! - (environment.monotonic() - came);
      if (!one.joined && pause > 0) await sleepUntilWoken(one, pause);
      if (closed) return 'unavailable';
      if (!one.joined) next++;
      one.joined = false;
      const result = await record(receipt);
      if (result !== 'unknown') return result;
    }
    return 'unknown';
  }

  function sleepUntilWoken(one: Early, pause: number): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = environment.after(pause, resolve);
      one.wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async function report(carrier: string, report: CarrierReport): Promise<ReportResult> {
    const read = readReport(carrier, report, store.epoch);
    try {
      const result = typeof read === 'string' ? read : await recordOrWait(read);
      metrics.receipts.inc({ carrier, result });
      const level = result === 'unknown' || result === 'invalid' ? 'warn' : 'debug';
      log[level]({ ...logged(carrier, report), result }, `receipt ${result}`);
      return result;
    } catch (error) {
      metrics.receipts.inc({ carrier, result: 'failed' });
      log.error({ ...logged(carrier, report), err: error }, 'receipt could not be recorded');
      throw error;
    }
  }

  return {
    forCarrier: (carrier) => (one) => report(carrier, one),
    accepted(carrier, messageId) {
      if (waiting === 0) return;
      for (const one of early.get(keyOf(carrier, messageId)) ?? []) {
        one.joined = true;
        one.wake?.();
      }
    },
    get waiting() {
      return waiting;
    },
    close() {
      closed = true;
      for (const ones of early.values()) for (const one of ones) one.wake?.();
    },
  };
}

/** The command, or why there is none: an id that no hop can have, or a status or code that no channel has. */
function readReport(
  carrier: string,
  { by, messageId, status, errorCode, underWay, duration, confirmed, cost }: CarrierReport,
  owner: number,
): Omit<Receipt, 'now'> | 'unknown' | 'invalid' {
  const channels = CHANNELS.filter((channel) => status !== 'queued' && isStatusOf(channel, status));
  if (channels.length === 0) return 'invalid';
  if (errorCode !== null && !channels.some((channel) => isErrorOf(channel, errorCode))) return 'invalid';
  if (duration !== undefined && !(channels.includes('voice') && isCallDuration(duration))) return 'invalid';
  if (confirmed && status !== 'completed') return 'invalid';
  const reached = status as AttemptStatus;
  const told = { status: reached, errorCode, underWay, duration, confirmed, cost: checkCost(cost) };
  const receipt = { type: 'receipt', owner, carrier, ...told } as const;
  if (by.kind === 'hop') {
    const hop = parseHopId(by.hopId);
    if (!hop) return 'unknown';
    const told = messageId !== undefined && isPossible(messageId) ? { messageId } : {};
    return { ...receipt, ...told, by: { kind: 'hop', ...hop } };
  }
  return isPossible(by.messageId) ? { ...receipt, by } : 'unknown';
}

function isPossible(messageId: string): boolean {
  return messageId !== '' && messageId.length <= MAX_MESSAGE_ID && !messageId.includes('\0');
}

/** What comes from outside is cut short, since an invalid report may hold anything. */
function logged(carrier: string, { by, status, errorCode }: CarrierReport): Record<string, unknown> {
  const id =
    by.kind === 'hop'
      ? { hopId: by.hopId.slice(0, 64) }
      : { messageId: by.messageId.slice(0, MAX_MESSAGE_ID) };
  return { carrier, ...id, status: status.slice(0, 32), errorCode };
}

/** Carrier names hold no NUL. */
function keyOf(carrier: string, messageId: string): string {
  return `${carrier}\0${messageId}`;
}
