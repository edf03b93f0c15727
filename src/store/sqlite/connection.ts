import Database from 'libsql';
import type { TableName, Tables, Write } from '../working-set.js';
import { bind, type Value } from './bind.js';
import { CODECS, type Codec } from './tables.js';

/** A prepared statement whose every bind goes through `bind`, and whose rows are arrays of values. */
export interface Statement {
  run(...values: unknown[]): void;
  get(...values: unknown[]): Value[] | undefined;
  all(...values: unknown[]): Value[][];
}

/** A connection to a database file that prepares each statement once. */
export class Connection {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Statement>();

  /** @param timeout milliseconds to wait for another connection's lock */
  constructor(path: string, timeout: number) {
    this.#database = new Database(path, { timeout } as Database.Options);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  pragma(text: string): Value | undefined {
    return this.prepare(`pragma ${text}`).get()?.[0];
  }

  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      const prepared = this.#database.prepare(sql);
      if (prepared.reader) prepared.raw(true);
      statement = {
        run: (...values) => void prepared.run(values.map(bind)),
        get: (...values) => prepared.get(values.map(bind)) as Value[] | undefined,
        all: (...values) => prepared.all(values.map(bind)) as Value[][],
      };
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Writes one row of a working set. */
  write(write: Write): void {
    if (write.kind === 'delete') this.#run(write.table, 'delete', write.was);
    else this.#run(write.table, write.kind, write.row);
  }

  /** The rows of a table that a condition selects. */
  select<T extends TableName>(table: T, condition: string, ...values: unknown[]): Tables[T][] {
    return this.prepare(SQL[table].select + condition)
      .all(...values)
      .map((row) => CODECS[table].decode(row));
  }

  /** The first row of a table that a condition selects. */
  find<T extends TableName>(table: T, condition: string, ...values: unknown[]): Tables[T] | undefined {
    const row = this.prepare(SQL[table].select + condition).get(...values);
    return row && CODECS[table].decode(row);
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  close(): void {
    this.#database.close();
  }

  #run<T extends TableName>(table: T, kind: Write['kind'], row: Tables[T]): void {
    const { sql, values } = SQL[table][kind];
    this.prepare(sql).run(...values.map((read) => read(row)));
  }
}

/** A statement that writes a row, and the values that it binds. */
interface WriteSql<Row> {
  readonly sql: string;
  readonly values: readonly ((row: Row) => unknown)[];
}

type TableSql<Row> = { readonly select: string } & { readonly [Kind in Write['kind']]: WriteSql<Row> };

function sqlOf<Row>(codec: Codec<Row>): TableSql<Row> {
  const { table, columns, mutable, key } = codec;
  const names = Object.keys(columns);
  const valuesOf = (wanted: readonly string[]) => wanted.map((column) => columns[column]!);
  const where = key.map((column) => `${column} = ?`).join(' and ');
  return {
    select: `select ${names.join(', ')} from ${table} `,
    insert: {
      sql: `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
      values: valuesOf(names),
    },
    update: {
      sql: `update ${table} set ${mutable.map((column) => `${column} = ?`).join(', ')} where ${where}`,
      values: valuesOf([...mutable, ...key]),
    },
    delete: { sql: `delete from ${table} where ${where}`, values: valuesOf(key) },
  };
}

/** Every statement that a table's rows need, written once. */
const SQL: { readonly [T in TableName]: TableSql<Tables[T]> } = {
  account: sqlOf(CODECS.account),
  application: sqlOf(CODECS.application),
  session: sqlOf(CODECS.session),
  live: sqlOf(CODECS.live),
  attempt: sqlOf(CODECS.attempt),
  hop: sqlOf(CODECS.hop),
  callback: sqlOf(CODECS.callback),
  callbackTry: sqlOf(CODECS.callbackTry),
  budget: sqlOf(CODECS.budget),
  optOut: sqlOf(CODECS.optOut),
  idempotency: sqlOf(CODECS.idempotency),
  key: sqlOf(CODECS.key),
};
