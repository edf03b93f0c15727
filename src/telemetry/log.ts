import {
  type DestinationStream,
  destination as fileDestination,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino';

export type Log = Logger;

/**
 * JSON lines on standard output, buffered so that a log line costs the hot path no system call. Nothing secret
 * may be handed to it: recipients go through `maskRecipient`, addresses go without their query.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? fileDestination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 200 }),
  );
}
