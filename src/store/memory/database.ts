import { lastTry } from '../../verify/callbacks.js';
import type {
  Account,
  Application,
  Attempt,
  Callback,
  CallbackTry,
  Hop,
  IdempotencyRow,
  LiveSession,
  MasterKeyRow,
  OptOut,
  RecipientBudget,
  Session,
} from '../../verify/model.js';
import type { RowSource } from '../load.js';
import { keyOf, liveKey, pairKey, type TableName, tryKey, type Write } from '../working-set.js';

/** A node as the others see it. */
export interface NodeRow {
  readonly epoch: number;
  readonly startedAt: number;
  heartbeatAt: number;
  /** The node said that it stopped; its work was not what killed it. */
  stopped: boolean;
}

/**
 * The tables as maps: a database that several stores of one process share, as nodes share PostgreSQL. It
 * outlives the stores that use it, so the simulation can kill a node and start another.
 */
export class MemoryDatabase implements RowSource {
  readonly nodes = new Map<number, NodeRow>();
  readonly tables = {
    account: new Map<string, Account>(),
    application: new Map<string, Application>(),
    session: new Map<string, Session>(),
    live: new Map<string, LiveSession>(),
    attempt: new Map<string, Attempt>(),
    hop: new Map<string, Hop>(),
    callback: new Map<string, Callback>(),
    callbackTry: new Map<string, CallbackTry>(),
    budget: new Map<string, RecipientBudget>(),
    optOut: new Map<string, OptOut>(),
    idempotency: new Map<string, IdempotencyRow>(),
    key: new Map<string, MasterKeyRow>(),
  };
  readonly #attemptsOf = new Map<string, Attempt[]>();

  account(authId: string) {
    return this.tables.account.get(authId);
  }
  applicationsOf(account: string): readonly Application[] {
    return [...this.tables.application.values()].filter((each) => each.account === account);
  }
  session(uuid: string) {
    return this.tables.session.get(uuid);
  }
  live(application: string, recipient: string) {
    return this.tables.live.get(liveKey(application, recipient));
  }
  liveOf(application: string, now: number, limit: number): readonly LiveSession[] {
    return [...this.tables.live.values()]
      .filter((each) => each.application === application && each.expiresAt > now)
      .slice(0, limit);
  }
  attempt(uuid: string) {
    return this.tables.attempt.get(uuid);
  }
  attemptsOf(session: string): readonly Attempt[] {
    return this.#attemptsOf.get(session) ?? [];
  }
  hopsOf(attempt: string): readonly Hop[] {
    const hops: Hop[] = [];
    for (let number = 1; number <= (this.attempt(attempt)?.hop ?? 0); number++) {
      const hop = this.tables.hop.get(pairKey(attempt, number));
      if (hop) hops.push(hop);
    }
    return hops;
  }
  hopByMessage(carrier: string, messageId: string, since: number): Hop | undefined {
    let newest: Hop | undefined;
    for (const hop of this.tables.hop.values()) {
      if (hop.carrier !== carrier || hop.messageId !== messageId || hop.createdAt < since) continue;
      if (!newest || hop.createdAt >= newest.createdAt) newest = hop;
    }
    return newest;
  }
  callback(attempt: string, sequence: number) {
    return this.tables.callback.get(pairKey(attempt, sequence));
  }
  /** By sequence. */
  callbacksOf({ uuid, callbacksMade }: Attempt): readonly Callback[] {
    return numbered(callbacksMade, (sequence) => this.callback(uuid, sequence));
  }
  /** By number. */
  triesOf(callback: Callback): readonly CallbackTry[] {
    const { attempt, sequence, tries } = callback;
    const last = lastTry(callback);
    return numbered(tries, (number) =>
      number === last?.number ? last : this.tables.callbackTry.get(tryKey(attempt, sequence, number)),
    );
  }
  budget(account: string, recipient: string) {
    return this.tables.budget.get(liveKey(account, recipient));
  }
  optOut(account: string, recipient: string) {
    return this.tables.optOut.get(liveKey(account, recipient));
  }
  idempotency(key: string) {
    return this.tables.idempotency.get(key);
  }
  keys(): readonly MasterKeyRow[] {
    return [...this.tables.key.values()];
  }

  /** All or nothing: the caller has everything at hand, so nothing here can fail half way. */
  write(writes: Iterable<Write>): void {
    for (const write of writes) {
      if (write.kind === 'delete') this.#rows(write.table).delete(this.#keyOf(write.table, write.was));
      else this.put(write.table, write.row);
    }
  }

  put(table: TableName, row: Extract<Write, { kind: 'insert' | 'update' }>['row']): void {
    this.#rows(table).set(this.#keyOf(table, row), row);
    if (table !== 'attempt') return;
    const attempt = row as Attempt;
    const others = this.attemptsOf(attempt.session).filter((each) => each.uuid !== attempt.uuid);
    this.#attemptsOf.set(
      attempt.session,
      [...others, attempt].sort((a, b) => a.sequence - b.sequence),
    );
  }

  /** Removes a session with its attempts, hops, callbacks and their tries. */
  removeSession(uuid: string): void {
    for (const attempt of this.attemptsOf(uuid)) {
      for (const { number } of this.hopsOf(attempt.uuid))
        this.tables.hop.delete(pairKey(attempt.uuid, number));
      for (const callback of this.callbacksOf(attempt)) {
        for (const each of this.triesOf(callback)) this.tables.callbackTry.delete(keyOf.callbackTry(each));
        this.tables.callback.delete(keyOf.callback(callback));
      }
      this.tables.attempt.delete(attempt.uuid);
    }
    this.#attemptsOf.delete(uuid);
    this.tables.session.delete(uuid);
  }

  #rows(table: TableName): Map<string, unknown> {
    return this.tables[table];
  }

  #keyOf(table: TableName, row: unknown): string {
    return (keyOf[table] as (row: unknown) => string)(row);
  }
}

/** The rows 1 to `count`, without those that are not there. */
function numbered<Row>(count: number, row: (number: number) => Row | undefined): Row[] {
  return Array.from({ length: count }, (_, index) => row(index + 1)).filter((each) => each !== undefined);
}
