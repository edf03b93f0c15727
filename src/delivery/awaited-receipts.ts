import type { Environment, Timer } from '../environment.js';
import type { Metrics } from '../telemetry/metrics.js';

/** Messages whose final receipt is still to come. */
export interface AwaitedReceipts {
  /**
   * A carrier has a message; its final receipt is missed when it has not come `within` milliseconds.
   * @param ago since when, in milliseconds; what was handed over before the start is told first, the earliest first
   */
  handed(carrier: string, attempt: string, within: number, ago?: number): void;
  /** The final receipt came. */
  settled(attempt: string): void;
  readonly size: number;
  close(): void;
}

/** Most messages that are watched at a time; past it the one that waits longest is no longer. */
const MAX_WATCHED = 100_000;

interface Watched {
  readonly carrier: string;
  readonly due: number;
}

/** Messages that have the same time to wait, in the order in which it ends. */
interface Line {
  readonly within: number;
  readonly watched: Map<string, Watched>;
  timer: Timer | null;
}

/**
 * Counts messages without a final receipt in time. In memory and for this process: it is a measure of the carrier,
 * and changes nothing. There is one timer for each time that routes allow, however many messages wait.
 */
export function watchReceipts(
  environment: Environment,
  metrics: Pick<Metrics, 'missingReceipts'>,
  maxWatched = MAX_WATCHED,
): AwaitedReceipts {
  const lines = new Map<number, Line>();
  const lineOf = new Map<string, Line>();

  function arm(line: Line): void {
    const [first] = line.watched.values();
    if (line.timer || !first) return;
    line.timer = environment.after(first.due - environment.monotonic(), () => {
      line.timer = null;
      const now = environment.monotonic();
      for (const [attempt, { carrier, due }] of line.watched) {
        if (due > now) break;
        metrics.missingReceipts.inc({ carrier });
        forget(attempt);
      }
      arm(line);
    });
  }

  function forget(attempt: string): void {
    lineOf.get(attempt)?.watched.delete(attempt);
    lineOf.delete(attempt);
  }

  return {
    handed(carrier, attempt, within, ago = 0) {
      forget(attempt);
      if (lineOf.size >= maxWatched) forget(lineOf.keys().next().value!);
      const line = lines.get(within) ?? { within, watched: new Map(), timer: null };
      lines.set(within, line);
      line.watched.set(attempt, { carrier, due: environment.monotonic() + within - ago });
      lineOf.set(attempt, line);
      arm(line);
    },
    settled: forget,
    get size() {
      return lineOf.size;
    },
    close() {
      for (const { timer } of lines.values()) timer?.cancel();
    },
  };
}
