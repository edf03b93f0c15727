import type { Environment } from '../../environment.js';
import type { Command, Effect, OutcomeOf } from '../../verify/commands.js';
import type { KeyringData } from '../../verify/keyring.js';
import { BatchError, GroupCommit } from '../group-commit.js';
import {
  type CommitObservation,
  type Purged,
  type PurgeTimes,
  type Reader,
  type Store,
  StoreError,
  type StoreLoad,
} from '../store.js';
import type { CommandResult } from '../working-set.js';
import { WorkerFailure } from './protocol.js';
import { READER_METHODS } from './reader.js';
import { WorkerClient } from './worker-client.js';

export interface SqliteStoreOptions {
  /** The data directory; made (0700) if absent, and held for this process alone. */
  readonly directory: string;
  readonly environment: Environment;
  /** The file may not hold what was committed, or a worker died: the process must exit, a restart recovers. */
  readonly onFatal: (error: Error) => void;
  readonly onCommit?: (observation: CommitObservation) => void;
}

/** Another process holds the data directory. */
export class DirectoryHeldError extends Error {}

/** The database of the data directory cannot be opened. The message says which, and why. */
export class DatabaseUnusableError extends Error {}

const WRITER = new URL('./writer-worker.js', import.meta.url);
const READER = new URL('./reader-worker.js', import.meta.url);

/**
 * Opens the embedded database: SQLite in WAL mode with `synchronous = full`, one thread that writes and one
 * that reads.
 * @throws DirectoryHeldError when another process uses the directory
 * @throws DatabaseUnusableError when what is there is no database of ours, or cannot be used
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { directory, environment, onFatal } = options;
  const writer = new WorkerClient(WRITER, { directory, startedAt: environment.now() }, onFatal);
  try {
    const epoch = await writer.call<number>('open');
    const reader = new WorkerClient(READER, { directory, epoch }, onFatal);
    return new SqliteStore(options, epoch, writer, reader);
  } catch (error) {
    await writer.end();
    if (!(error instanceof WorkerFailure)) throw error;
    if (error.kind === 'held') throw new DirectoryHeldError(error.message);
    throw new DatabaseUnusableError(`the database in ${directory} cannot be opened: ${error.message}`);
  }
}

class SqliteStore implements Store {
  readonly read: Reader;
  readonly #commits: GroupCommit;
  #listener: (effects: readonly Effect[]) => void = () => {};
  #open = true;
  #tookOver = false;

  constructor(
    readonly options: SqliteStoreOptions,
    readonly epoch: number,
    readonly writer: WorkerClient,
    readonly reader: WorkerClient,
  ) {
    this.#commits = new GroupCommit({
      ...options,
      commit: (commands) => this.#commit(commands),
      onEffects: (effects) => this.#listener(effects),
      // The writer never waits for this thread to answer a batch and collect the next.
      maxInFlight: 2,
    });
    const call = (method: string) => [
      method,
      (...args: unknown[]) => this.#ask(this.reader, method, ...args),
    ];
    this.read = Object.fromEntries(READER_METHODS.map(call)) as unknown as Reader;
  }

  submit<C extends Command>(command: C): Promise<OutcomeOf<C>> {
    return this.#commits.submit(command);
  }

  onEffects(listener: (effects: readonly Effect[]) => void): void {
    this.#listener = listener;
  }

  /** The directory is held by a lock that ends with the process: while it is open, the work is this node's. */
  holds(): boolean {
    return this.#open;
  }

  async heartbeat(): Promise<void> {}

  /** Once: while the directory is held, no other node can leave work behind. */
  async takeOver(): Promise<number> {
    if (this.#tookOver) return 0;
    const taken = await this.#ask<number>(this.writer, 'takeOver', this.epoch);
    this.#tookOver = true;
    return taken;
  }

  useKeyring(keyring: KeyringData): Promise<void> {
    return this.#ask(this.writer, 'useKeyring', keyring);
  }

  purge(before: PurgeTimes, limit: number): Promise<Purged> {
    return this.#ask(this.writer, 'purge', before, limit, this.epoch);
  }

  load(): StoreLoad {
    return { waiting: this.#commits.waiting };
  }

  /** In a thread of its own: it may take minutes, and neither commits nor reads wait for it. */
  async backup(path: string): Promise<void> {
    const { directory } = this.options;
    const copier = new WorkerClient(READER, { directory, epoch: this.epoch }, () => {});
    try {
      await this.#ask(copier, 'backup', path);
    } finally {
      await copier.end();
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    await this.#commits.close();
    this.#open = false;
    await this.reader.call('close').catch(() => {});
    await this.reader.end();
    await this.writer.call('close', this.epoch, this.options.environment.now()).catch(() => {});
    await this.writer.end();
  }

  async #commit(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    try {
      return await this.writer.call<CommandResult[]>('commit', commands);
    } catch (error) {
      // What cannot even be sent to the worker is some command's fault.
      if (!(error instanceof WorkerFailure)) throw new BatchError('broken', (error as Error).message);
      if (error.kind === 'doubt') this.options.onFatal(error);
      throw new BatchError(error.kind === 'broken' ? 'broken' : 'away', error.message);
    }
  }

  async #ask<Result>(worker: WorkerClient, method: string, ...args: unknown[]): Promise<Result> {
    try {
      return await worker.call<Result>(method, ...args);
    } catch (error) {
      const { kind, message } = error as WorkerFailure;
      if (kind === 'too-wide') throw new StoreError(kind, message);
      throw new StoreError(kind === 'broken' ? 'failed' : 'unavailable', message);
    }
  }
}
