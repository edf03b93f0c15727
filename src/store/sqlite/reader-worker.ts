import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Connection } from './connection.js';
import { serve } from './protocol.js';
import { sqliteReader } from './reader.js';

/** A reader of an embedded database, in a thread of its own, so that no read ever stalls a commit. */
const { directory, epoch } = workerData as { directory: string; epoch: number };

const connection = new Connection(join(directory, 'countersign.db'), 5_000);
// Room for the inner pages of every index of some million sessions; taken as it is used.
connection.exec('pragma query_only = on; pragma cache_size = -16384');

serve(parentPort!, {
  ...sqliteReader(connection, epoch),

  /** A consistent copy, compacted, while others write. */
  backup(path: string): void {
    connection.exec('pragma query_only = off');
    connection.prepare('vacuum into ?').run(path);
  },

  close(): void {
    connection.close();
  },
});
