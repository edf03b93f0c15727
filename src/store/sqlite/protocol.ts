import type { MessagePort } from 'node:worker_threads';

/** A call from the main thread to a worker, and its answer. Every call is answered once, in order. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly kind: FailureKind; readonly message: string };

/**
 * `away`: the database is full or busy, nothing was changed. `broken`: this call cannot succeed, nothing was
 * changed. `held`: another process has the data directory. `doubt`: the file may not be what it seems. `too-wide`:
 * a search would take too long.
 */
export type FailureKind = 'away' | 'broken' | 'held' | 'doubt' | 'too-wide';

export class WorkerFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
    this.name = 'WorkerFailure';
  }
}

/** Answers calls with the methods of `service`, one after the other. */
export function serve(
  port: MessagePort,
  service: Readonly<Record<string, (...args: never[]) => unknown>>,
): void {
  port.on('message', ({ id, method, args }: Call) => {
    let answer: Answer;
    try {
      const called = Object.hasOwn(service, method) ? service[method] : undefined;
      if (!called) throw new TypeError(`the worker has no method ${method}`);
      answer = { id, ok: true, value: called(...(args as never[])) };
    } catch (error) {
      answer = { id, ok: false, kind: kindOf(error), message: (error as Error).message };
    }
    port.postMessage(answer);
  });
}

/** Result codes after which nothing was changed and the same may work later (https://sqlite.org/rescode.html). */
const AWAY = /^SQLITE_(FULL|BUSY|LOCKED|NOMEM|READONLY|CANTOPEN|IOERR)/;
/** Those after which it is not known what the file holds. */
const DOUBT = /^SQLITE_(IOERR_(FSYNC|DIR_FSYNC|CORRUPTFS|DATA)|CORRUPT|NOTADB)/;

function kindOf(error: unknown): FailureKind {
  if (error instanceof WorkerFailure) return error.kind;
  const code = String((error as { code?: unknown }).code ?? '');
  if (DOUBT.test(code)) return 'doubt';
  return AWAY.test(code) ? 'away' : 'broken';
}
