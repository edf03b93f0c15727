import type { Command, Effect, Outcome } from '../verify/commands.js';
import { decide } from '../verify/decide.js';
import type { Keyring } from '../verify/keyring.js';
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
} from '../verify/model.js';
import type { Change, State } from '../verify/state.js';

/** The rows of each table by name. */
export interface Tables {
  account: Account;
  application: Application;
  session: Session;
  live: LiveSession;
  attempt: Attempt;
  hop: Hop;
  callback: Callback;
  callbackTry: CallbackTry;
  budget: RecipientBudget;
  optOut: OptOut;
  idempotency: IdempotencyRow;
  key: MasterKeyRow;
}

export type TableName = keyof Tables;

/** The unique key of a row, as text. */
export const keyOf: { [T in TableName]: (row: Tables[T]) => string } = {
  account: (row) => row.authId,
  application: (row) => row.uuid,
  session: (row) => row.uuid,
  live: (row) => liveKey(row.application, row.recipient),
  attempt: (row) => row.uuid,
  hop: (row) => pairKey(row.attempt, row.number),
  callback: (row) => pairKey(row.attempt, row.sequence),
  callbackTry: (row) => tryKey(row.attempt, row.sequence, row.number),
  budget: (row) => liveKey(row.account, row.recipient),
  optOut: (row) => liveKey(row.account, row.recipient),
  idempotency: (row) => row.key,
  key: (row) => row.id,
};

export const liveKey = (application: string, recipient: string) => `${application}|${recipient}`;
export const pairKey = (attempt: string, number: number) => `${attempt}|${number}`;
export const tryKey = (attempt: string, sequence: number, number: number) =>
  `${attempt}|${sequence}|${number}`;

/** One row of the working set: as it was loaded, and as it is now. Absent: undefined. */
interface Entry<Row> {
  loaded: Row | undefined;
  current: Row | undefined;
}

/** How a row is to be written: it is new, it replaces one, or it goes. */
export type Write = {
  [T in TableName]:
    | {
        readonly table: T;
        readonly kind: 'insert' | 'update';
        readonly row: Tables[T];
        readonly was?: Tables[T];
      }
    | { readonly table: T; readonly kind: 'delete'; readonly was: Tables[T] };
}[TableName];

/** What became of one command of a batch. */
export type CommandResult =
  | { readonly ok: true; readonly outcome: Outcome; readonly effects: readonly Effect[] }
  | { readonly ok: false; readonly message: string };

type EntryMaps = { [T in TableName]: Map<string, Entry<Tables[T]>> };

/**
 * The rows of one batch, indexed by every unique key, so that a command sees what earlier ones of its batch
 * did. A store admits what the look-ups named, lets the commands be decided, and writes what changed, once.
 */
export class WorkingSet implements State {
  readonly #rows: EntryMaps = {
    account: new Map(),
    application: new Map(),
    session: new Map(),
    live: new Map(),
    attempt: new Map(),
    hop: new Map(),
    callback: new Map(),
    callbackTry: new Map(),
    budget: new Map(),
    optOut: new Map(),
    idempotency: new Map(),
    key: new Map(),
  };
  readonly #attemptsOf = new Map<string, Set<string>>();
  readonly #hopsByMessage = new Map<string, Set<string>>();

  /** Takes in a row as the database has it. A row that is here already stays. */
  admit<T extends TableName>(table: T, row: Tables[T]): void {
    const rows = this.#table(table);
    const key = keyOf[table](row);
    if (rows.has(key)) return;
    rows.set(key, { loaded: row, current: row });
    this.#index(table, key, row);
  }

  has(table: TableName, key: string): boolean {
    return this.#rows[table].has(key);
  }

  /** Makes changes visible to the commands that follow. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if ('remove' in change) this.#put(change.table, this.#removed(change), undefined);
      else this.#put(change.table, this.#keyOf(change.table, change.row), change.row);
    }
  }

  /** Every row that differs from what was loaded, each once. */
  *writes(): Generator<Write> {
    for (const table of Object.keys(this.#rows) as TableName[]) {
      for (const { loaded, current } of this.#inOrder(table)) {
        if (loaded === current) continue;
        if (current === undefined) yield { table, kind: 'delete', was: loaded } as Write;
        else yield { table, kind: loaded ? 'update' : 'insert', row: current, was: loaded } as Write;
      }
    }
  }

  account(authId: string) {
    return this.#rows.account.get(authId)?.current;
  }
  application(uuid: string) {
    return this.#rows.application.get(uuid)?.current;
  }
  applicationsOf(account: string): readonly Application[] {
    return currentOf(this.#rows.application).filter((each) => each.account === account);
  }
  hasLive(application: string, now: number): boolean {
    return currentOf(this.#rows.live).some(
      (each) => each.application === application && each.expiresAt > now,
    );
  }
  session(uuid: string) {
    return this.#rows.session.get(uuid)?.current;
  }
  live(application: string, recipient: string) {
    return this.#rows.live.get(liveKey(application, recipient))?.current;
  }
  attempt(uuid: string) {
    return this.#rows.attempt.get(uuid)?.current;
  }
  attemptsOf(session: string): readonly Attempt[] {
    const uuids = this.#attemptsOf.get(session);
    if (!uuids) return [];
    return [...uuids].map((uuid) => this.attempt(uuid)!).sort((a, b) => a.sequence - b.sequence);
  }
  hop(attempt: string, number: number) {
    return this.#rows.hop.get(pairKey(attempt, number))?.current;
  }
  hopByMessage(carrier: string, messageId: string): Hop | undefined {
    const keys = this.#hopsByMessage.get(`${carrier}|${messageId}`) ?? [];
    return [...keys].map((key) => this.#rows.hop.get(key)!.current!).sort(newestFirst)[0];
  }
  callback(attempt: string, sequence: number) {
    return this.#rows.callback.get(pairKey(attempt, sequence))?.current;
  }
  budget(account: string, recipient: string) {
    return this.#rows.budget.get(liveKey(account, recipient))?.current;
  }
  optOut(account: string, recipient: string) {
    return this.#rows.optOut.get(liveKey(account, recipient))?.current;
  }
  idempotency(key: string) {
    return this.#rows.idempotency.get(key)?.current;
  }
  keys(): readonly MasterKeyRow[] {
    return currentOf(this.#rows.key);
  }

  #table<T extends TableName>(table: T): Map<string, Entry<Tables[T]>> {
    return this.#rows[table];
  }

  /** Unique keys are checked row by row: an application gives up the place of the default before another takes it. */
  #inOrder(table: TableName): Iterable<Entry<Tables[TableName]>> {
    if (table !== 'application') return this.#rows[table].values();
    const entries = [...this.#rows.application.values()];
    return entries.sort(
      (a, b) => Number(a.current?.isDefault ?? false) - Number(b.current?.isDefault ?? false),
    );
  }

  #removed(change: Extract<Change, { remove: unknown }>): string {
    switch (change.table) {
      case 'account':
        return keyOf.account(change.remove);
      case 'application':
        return keyOf.application(change.remove);
      case 'live':
        return liveKey(change.remove.application, change.remove.recipient);
      case 'optOut':
        return keyOf.optOut(change.remove);
      case 'idempotency':
        return change.remove.key;
    }
  }

  #keyOf<T extends TableName>(table: T, row: Tables[T]): string {
    return keyOf[table](row);
  }

  #put<T extends TableName>(table: T, key: string, row: Tables[T] | undefined): void {
    const rows = this.#table(table);
    const entry = rows.get(key);
    if (entry) entry.current = row;
    else if (row) rows.set(key, { loaded: undefined, current: row });
    if (row) this.#index(table, key, row);
  }

  #index<T extends TableName>(table: T, key: string, row: Tables[T]): void {
    if (table === 'attempt') collect(this.#attemptsOf, (row as Attempt).session, key);
    if (table === 'hop' && (row as Hop).messageId !== null) {
      collect(this.#hopsByMessage, `${(row as Hop).carrier}|${(row as Hop).messageId}`, key);
    }
  }
}

/**
 * Decides the commands in order. One that throws changes nothing and fails alone: its changes would have been
 * applied only after it returned.
 */
export function decideAll(
  set: WorkingSet,
  commands: readonly Command[],
  keyring: Keyring | null,
): CommandResult[] {
  return commands.map((command) => {
    try {
      const { outcome, changes, effects } = decide(set, command, keyring);
      set.apply(changes);
      return { ok: true, outcome, effects };
    } catch (error) {
      return { ok: false, message: `${command.type}: ${(error as Error).message}` };
    }
  });
}

function currentOf<Row>(rows: ReadonlyMap<string, Entry<Row>>): Row[] {
  return [...rows.values()].flatMap(({ current }) => (current ? [current] : []));
}

function newestFirst(a: Hop, b: Hop): number {
  return b.createdAt - a.createdAt || (a.attempt < b.attempt ? 1 : -1);
}

function collect(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  if (keys) keys.add(key);
  else index.set(name, new Set([key]));
}
