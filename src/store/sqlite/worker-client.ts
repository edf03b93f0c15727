import { Worker } from 'node:worker_threads';
import { type Answer, type Call, WorkerFailure } from './protocol.js';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Calls methods of a worker. A worker that dies rejects what is pending and is reported once. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: Error | null = null;

  constructor(script: URL, data: unknown, onDeath: (error: Error) => void) {
    this.#worker = new Worker(script, { workerData: data });
    this.#worker.on('message', (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.ok) pending?.resolve(answer.value);
      else pending?.reject(new WorkerFailure(answer.kind, answer.message));
    });
    const died = (error: Error) => {
      if (this.#ended) return;
      this.#ended = error;
      for (const { reject } of this.#pending.values()) reject(new WorkerFailure('doubt', error.message));
      this.#pending.clear();
      onDeath(error);
    };
    this.#worker.on('error', died);
    this.#worker.on('exit', (code) => died(new Error(`a database worker exited with ${code}`)));
  }

  call<Result>(method: string, ...args: unknown[]): Promise<Result> {
    if (this.#ended) return Promise.reject(new WorkerFailure('doubt', this.#ended.message));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#worker.postMessage({ id, method, args } satisfies Call);
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  async end(): Promise<void> {
    this.#ended ??= new Error('the database is closed');
    await this.#worker.terminate();
  }
}
