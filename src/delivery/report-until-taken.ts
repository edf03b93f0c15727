import { type Environment, sleep } from '../environment.js';
import type { CarrierReport, ReportResult } from './carrier.js';

/** Pause in milliseconds after which a report is given again to a database that is away. */
const RETRY = 1_000;

export interface ReportUntilTakenOptions {
  readonly report: (report: CarrierReport) => Promise<ReportResult>;
  readonly environment: Environment;
  /** Whether the carrier stops: then a report that the database does not take is lost. */
  readonly isStopping: () => boolean;
  /** Told how each try ended. */
  readonly onTried?: (result: ReportResult | 'failed') => void;
}

/** Reports what nobody else knows, such as the end of a call, however long the database is away. Never rejects. */
export async function reportUntilTaken(one: CarrierReport, options: ReportUntilTakenOptions): Promise<void> {
  const { report, environment, isStopping, onTried } = options;
  while (true) {
    const result = await report(one).catch(() => 'failed' as const);
    onTried?.(result);
    if (result !== 'unavailable' || isStopping()) return;
    await sleep(environment, RETRY);
  }
}
