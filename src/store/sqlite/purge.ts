import { uuidFloor } from '../../verify/uuid.js';
import type { Purged, PurgeTimes } from '../store.js';
import type { Connection } from './connection.js';

/** Deletes what `Store.purge` says, within the caller's transaction. Keys are in the order of time. */
export function purge(database: Connection, before: PurgeTimes, limit: number, epoch: number): Purged {
  const sessions = database
    .prepare(
      `select uuid from session s where uuid < ? and status <> 'in-progress'
         and not exists (select 1 from attempt a where a.session = s.uuid and a.delivery = 'pending')
         and not exists (select 1 from attempt a join callback c on c.attempt = a.uuid
                         where a.session = s.uuid and c.state in ('ready', 'held'))
       order by uuid limit ?`,
    )
    .all(uuidFloor(before.sessions), limit);
  const ofAttempts = 'where attempt in (select uuid from attempt where session = ?)';
  for (const [uuid] of sessions) {
    database.prepare(`delete from callback_try ${ofAttempts}`).run(uuid);
    database.prepare(`delete from callback ${ofAttempts}`).run(uuid);
    database.prepare(`delete from hop ${ofAttempts}`).run(uuid);
    database.prepare('delete from attempt where session = ?').run(uuid);
    database.prepare('delete from session where uuid = ?').run(uuid);
  }
  const budgets = database
    .prepare(
      `delete from recipient_budget where (account, recipient) in
         (select account, recipient from recipient_budget where latest_at <= ? order by latest_at limit ?)
       returning 1`,
    )
    .all(before.budgets, limit);
  database
    .prepare(
      `delete from node where epoch < ? and started_at < ?
         and not exists (select 1 from attempt where delivery = 'pending' and owner = node.epoch)
         and not exists (select 1 from callback where state = 'ready' and owner = node.epoch)`,
    )
    .run(epoch, before.sessions);
  return { sessions: sessions.length, budgets: budgets.length };
}
