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
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination ?? fileDestination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 200 }),
  );
}

/** Causes of causes that are told. */
const MAX_CAUSES = 3;

/**
 * What is told of an error. Nothing else that hangs on it: libraries put there what they received or sent, which
 * may be a code or a token.
 */
function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: describeError(cause, depth + 1) } : {}),
  };
}
