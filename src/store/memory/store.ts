import { type Environment, sleep } from '../../environment.js';
import type { Command, Effect, OutcomeOf } from '../../verify/commands.js';
import { Keyring, type KeyringData } from '../../verify/keyring.js';
import type { Attempt, Callback } from '../../verify/model.js';
import { lookupOf } from '../../verify/state.js';
import { BatchError, GroupCommit } from '../group-commit.js';
import { load } from '../load.js';
import {
  type CommitObservation,
  type Purged,
  type PurgeTimes,
  type Reader,
  type Store,
  StoreError,
  type StoreLoad,
} from '../store.js';
import { type CommandResult, decideAll, WorkingSet } from '../working-set.js';
import { MemoryDatabase } from './database.js';
import { purge } from './purge.js';
import { memoryReader } from './reader.js';

export interface MemoryStoreOptions {
  readonly environment: Environment;
  /** The database to share; a new one when absent. */
  readonly database?: MemoryDatabase;
  /** False where other stores use the same database: then heartbeats and takeovers decide who owns. */
  readonly alone?: boolean;
  /** Milliseconds before a batch becomes durable, and from then until its commands are answered. */
  readonly latency?: () => { readonly before: number; readonly after: number };
  readonly onCommit?: (observation: CommitObservation) => void;
  readonly maxBatch?: number;
  readonly maxWaiting?: number;
}

/** A node may act for this long after its last heartbeat; others take its work over a while later. */
const HOLDS_FOR = 10_000;
const DEAD_AFTER = 20_000;

/** Opens a store that keeps everything in memory: for the simulation and for tests. */
export function openMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new MemoryStore(options);
}

export class MemoryStore implements Store {
  readonly epoch: number;
  readonly database: MemoryDatabase;
  readonly read: Reader;
  readonly #options: MemoryStoreOptions;
  readonly #commits: GroupCommit;
  #keyring: Keyring | null = null;
  #listener: (effects: readonly Effect[]) => void = () => {};
  #heldUntil: number;
  /** Tests make the database refuse work with this. */
  failure: 'away' | null = null;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.database = options.database ?? new MemoryDatabase();
    const { environment } = options;
    this.epoch = Math.max(0, ...this.database.nodes.keys()) + 1;
    this.database.nodes.set(this.epoch, {
      epoch: this.epoch,
      startedAt: environment.now(),
      heartbeatAt: environment.now(),
      stopped: false,
    });
    this.#heldUntil = environment.monotonic() + HOLDS_FOR;
    this.read = memoryReader(this.database, this.epoch);
    this.#commits = new GroupCommit({
      ...options,
      commit: (commands) => this.#commit(commands),
      onEffects: (effects) => this.#listener(effects),
    });
  }

  submit<C extends Command>(command: C): Promise<OutcomeOf<C>> {
    return this.#commits.submit(command);
  }

  onEffects(listener: (effects: readonly Effect[]) => void): void {
    this.#listener = listener;
  }

  holds(): boolean {
    return (this.#options.alone ?? true) || this.#options.environment.monotonic() < this.#heldUntil;
  }

  async heartbeat(): Promise<void> {
    const asked = this.#options.environment.monotonic();
    const node = this.database.nodes.get(this.epoch)!;
    node.heartbeatAt = this.#options.environment.now();
    this.#heldUntil = asked + HOLDS_FOR;
  }

  async takeOver(): Promise<number> {
    const now = this.#options.environment.now();
    const dead = new Map(
      [...this.database.nodes.values()]
        .filter(({ epoch, heartbeatAt, stopped }) => {
          const alone = this.#options.alone ?? true;
          return epoch !== this.epoch && (alone || stopped || heartbeatAt < now - DEAD_AFTER);
        })
        .map((node) => [node.epoch, node]),
    );
    let taken = 0;
    for (const attempt of this.database.tables.attempt.values()) {
      const node = attempt.delivery === 'pending' && dead.get(attempt.owner);
      if (!node) continue;
      const takeovers = attempt.takeovers + (node.stopped ? 0 : 1);
      this.database.put('attempt', { ...attempt, owner: this.epoch, takeovers } satisfies Attempt);
      taken++;
    }
    for (const callback of this.database.tables.callback.values()) {
      if (callback.state !== 'ready' || !dead.has(callback.owner)) continue;
      this.database.put('callback', { ...callback, owner: this.epoch } satisfies Callback);
      taken++;
    }
    return taken;
  }

  async useKeyring(keyring: KeyringData): Promise<void> {
    this.#keyring = new Keyring(keyring);
  }

  async purge(before: PurgeTimes, limit: number): Promise<Purged> {
    if (this.failure) throw new StoreError('unavailable', 'the database is away');
    return purge(this.database, before, limit, this.epoch);
  }

  load(): StoreLoad {
    return { waiting: this.#commits.waiting };
  }

  async close(): Promise<void> {
    await this.#commits.close();
    this.database.nodes.get(this.epoch)!.stopped = true;
  }

  async #commit(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    const latency = this.#options.latency?.();
    if (latency) await sleep(this.#options.environment, latency.before);
    if (this.failure) throw new BatchError('away', 'the database is away');
    const set = new WorkingSet();
    for (const command of commands) load(this.database, set, lookupOf(command));
    const results = decideAll(set, commands, this.#keyring);
    this.database.write(set.writes());
    if (latency) await sleep(this.#options.environment, latency.after);
    return results;
  }
}
