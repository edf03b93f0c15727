import type { Environment } from '../environment.js';
import type { Command, Effect, OutcomeOf } from '../verify/commands.js';
import { type CommitObservation, StoreError } from './store.js';
import type { CommandResult } from './working-set.js';

/** Why a whole batch was rolled back. `away`: the database is full or cannot be reached. */
export class BatchError extends Error {
  constructor(
    readonly kind: 'away' | 'broken',
    message: string,
  ) {
    super(message);
    this.name = 'BatchError';
  }
}

export interface GroupCommitOptions {
  /** Decides and commits a batch; rejects with a `BatchError` when nothing of it was committed. */
  readonly commit: (commands: readonly Command[]) => Promise<readonly CommandResult[]>;
  /** Told after each commit, before its commands are answered. */
  readonly onEffects: (effects: readonly Effect[]) => void;
  readonly onCommit?: (observation: CommitObservation) => void;
  readonly environment: Environment;
  /** Most commands of one commit. */
  readonly maxBatch?: number;
  /** Most commands of one class that wait; one more is refused as `unavailable`. */
  readonly maxWaiting?: number;
  /** Most batches in flight: with two, one is prepared and answered while the other is written. */
  readonly maxInFlight?: number;
}

interface Waiting {
  readonly command: Command;
  readonly resolve: (outcome: never) => void;
  readonly reject: (error: StoreError) => void;
}

/** Within a batch: what carriers and callbacks report, then validations (a person waits), then the rest. */
const CLASSES = 3;
function classOf(command: Command): number {
  switch (command.type) {
    case 'hop-accepted':
    case 'hop-failed':
    case 'receipt':
    case 'give-up':
    case 'reroute':
    case 'opt-out':
    case 'opt-in':
    case 'callback-tried':
      return 0;
    case 'validate':
      return 1;
    default:
      return 2;
  }
}

/**
 * Collects commands while commits run and commits them together. Alone, a command commits at once: batching adds
 * no wait. No command depends on one that is not answered yet, so batches in flight need no order among them.
 */
export class GroupCommit {
  readonly #options: Required<Omit<GroupCommitOptions, 'onCommit'>> & Pick<GroupCommitOptions, 'onCommit'>;
  readonly #queues: Waiting[][] = Array.from({ length: CLASSES }, () => []);
  #batchesInFlight = 0;
  #commandsInFlight = 0;
  #scheduled = false;
  #closed = false;
  #idle: (() => void) | null = null;

  constructor(options: GroupCommitOptions) {
    this.#options = { maxBatch: 256, maxWaiting: 8192, maxInFlight: 1, ...options };
  }

  get waiting(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  submit<C extends Command>(command: C): Promise<OutcomeOf<C>> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues[classOf(command)]!;
      if (this.#closed) return reject(new StoreError('unavailable', 'the store is closed'));
      if (queue.length >= this.#options.maxWaiting) {
        return reject(new StoreError('unavailable', 'too many commands wait for the database'));
      }
      queue.push({ command, resolve: resolve as (outcome: never) => void, reject });
      this.#schedule();
    });
  }

  /** Refuses further commands and waits for those that were submitted. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#batchesInFlight > 0 || this.waiting > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  /** After the turn of the microtask queue, so that commands submitted together share the first commit too. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    while (this.#mayStart()) void this.#run(this.#take());
    if (this.#batchesInFlight === 0) this.#idle?.();
  }

  /** A further batch waits until it is worth a commit of its own: half as large as what is in flight. */
  #mayStart(): boolean {
    const { waiting } = this;
    if (waiting === 0 || this.#batchesInFlight >= this.#options.maxInFlight) return false;
    return waiting * 2 >= this.#commandsInFlight;
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#batchesInFlight++;
    this.#commandsInFlight += batch.length;
    await this.#commit(batch);
    this.#batchesInFlight--;
    this.#commandsInFlight -= batch.length;
    this.#schedule();
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    for (const queue of this.#queues) {
      if (batch.length >= this.#options.maxBatch) break;
      batch.push(...queue.splice(0, this.#options.maxBatch - batch.length));
    }
    return batch;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const started = this.#options.environment.monotonic();
    let results: readonly CommandResult[];
    try {
      results = await this.#options.commit(batch.map(({ command }) => command));
    } catch (error) {
      return this.#settleFailed(batch, error);
    }
    this.#options.onCommit?.({
      commands: batch.length,
      duration: this.#options.environment.monotonic() - started,
    });
    const effects = results.flatMap((result) => (result.ok ? result.effects : []));
    if (effects.length > 0) this.#options.onEffects(effects);
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index]!;
      if (result.ok) resolve(result.outcome as never);
      else reject(new StoreError('failed', result.message));
    }
  }

  /** Only the culprit fails: its neighbours are committed one by one and never know. */
  async #settleFailed(batch: readonly Waiting[], error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof BatchError) || error.kind === 'broken') {
      if (batch.length > 1) {
        for (const waiting of batch) await this.#commit([waiting]);
        return;
      }
      return batch[0]!.reject(new StoreError('failed', message));
    }
    for (const { reject } of batch) reject(new StoreError('unavailable', message));
  }
}
