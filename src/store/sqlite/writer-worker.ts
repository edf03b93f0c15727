import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Command } from '../../verify/commands.js';
import { Keyring, type KeyringData } from '../../verify/keyring.js';
import { lookupOf } from '../../verify/state.js';
import { load } from '../load.js';
import type { Purged, PurgeTimes } from '../store.js';
import { type CommandResult, decideAll, WorkingSet } from '../working-set.js';
import { Connection } from './connection.js';
import { MIGRATIONS } from './migrations.js';
import { serve, WorkerFailure } from './protocol.js';
import { purge } from './purge.js';
import { sqliteRows } from './rows.js';

/** The one writer of an embedded database: decides and commits batches, in a thread of its own. */
const { directory, startedAt } = workerData as { directory: string; startedAt: number };

let lock: Connection | null = null;
let connection: Connection | null = null;
let keyring: Keyring | null = null;

serve(parentPort!, {
  /** Takes the data directory for this process, brings the schema up to date, and begins an epoch. */
  open(): number {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = holdDirectory(join(directory, 'lock'));
    connection = new Connection(join(directory, 'countersign.db'), 5_000);
    connection.pragma('journal_mode = wal');
    connection.exec('pragma synchronous = full; pragma foreign_keys = off; pragma cache_size = -32768');
    migrate(connection);
    const epoch = connection
      .prepare('insert into node (started_at) values (?) returning epoch')
      .get(startedAt)![0];
    return epoch as number;
  },

  useKeyring(data: KeyringData): void {
    keyring = new Keyring(data);
  },

  commit(commands: readonly Command[]): CommandResult[] {
    return transaction((database) => {
      const set = new WorkingSet();
      const rows = sqliteRows(database);
      for (const command of commands) load(rows, set, lookupOf(command));
      const results = decideAll(set, commands, keyring);
      for (const write of set.writes()) database.write(write);
      return results;
    });
  },

  /** Alone by definition: whatever other epochs left unfinished is taken over. */
  takeOver(epoch: number): number {
    return transaction((database) => {
      const pending = database.prepare(
        `update attempt set owner = ?, takeovers = takeovers +
           coalesce((select stopped_at is null from node where epoch = attempt.owner), 1)
         where delivery = 'pending' and owner <> ? returning 1`,
      );
      const ready = database.prepare(
        `update callback set owner = ? where state = 'ready' and owner <> ? returning 1`,
      );
      return pending.all(epoch, epoch).length + ready.all(epoch, epoch).length;
    });
  },

  purge(before: PurgeTimes, limit: number, epoch: number): Purged {
    return transaction((database) => purge(database, before, limit, epoch));
  },

  close(epoch: number, now: number): void {
    try {
      transaction((database) =>
        database.prepare('update node set stopped_at = ? where epoch = ?').run(now, epoch),
      );
    } finally {
      connection?.close();
      lock?.close();
    }
  },
});

/** A lock that the operating system drops with the process, however it ends. */
function holdDirectory(path: string): Connection {
  const held = new Connection(path, 0);
  try {
    held.exec('begin exclusive');
  } catch (error) {
    held.close();
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) {
      throw new WorkerFailure(
        'held',
        `the data directory ${directory} is in use by another Countersign process`,
      );
    }
    throw error;
  }
  return held;
}

function migrate(database: Connection): void {
  const done = database.pragma('user_version') as number;
  if (done > MIGRATIONS.length) {
    throw new WorkerFailure(
      'broken',
      `it was made by a newer version of Countersign (schema ${done}, this one knows ${MIGRATIONS.length}): install that version again`,
    );
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < done) continue;
    database.exec(`begin immediate; ${migration}; pragma user_version = ${index + 1}; commit;`);
  }
}

/** All or nothing; one fsync. */
function transaction<Result>(work: (database: Connection) => Result): Result {
  if (!connection) throw new Error('the database is not open');
  connection.prepare('begin immediate').run();
  try {
    const result = work(connection);
    connection.prepare('commit').run();
    return result;
  } catch (error) {
    try {
      if (connection.inTransaction) connection.prepare('rollback').run();
    } catch (failure) {
      throw new WorkerFailure('doubt', `a rollback failed: ${(failure as Error).message}`);
    }
    throw error;
  }
}
