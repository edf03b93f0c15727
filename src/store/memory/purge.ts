import type { Session } from '../../verify/model.js';
import type { Purged, PurgeTimes } from '../store.js';
import { liveKey } from '../working-set.js';
import type { MemoryDatabase } from './database.js';

/** Deletes what `Store.purge` says. */
export function purge(database: MemoryDatabase, before: PurgeTimes, limit: number, epoch: number): Purged {
  const { tables, nodes } = database;
  const isUnfinished = (session: Session) =>
    session.status === 'in-progress' ||
    database
      .attemptsOf(session.uuid)
      .some(
        (attempt) =>
          attempt.delivery === 'pending' ||
          database.callbacksOf(attempt).some(({ state }) => state === 'ready' || state === 'held'),
      );
  const sessions = [...tables.session.values()]
    .filter((session) => session.createdAt < before.sessions && !isUnfinished(session))
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1))
    .slice(0, limit);
  for (const { uuid } of sessions) database.removeSession(uuid);
  const budgets = [...tables.budget.values()]
    .filter(({ failures }) => (failures.at(-1) ?? 0) <= before.budgets)
    .slice(0, limit);
  for (const { account, recipient } of budgets) tables.budget.delete(liveKey(account, recipient));
  const owners = new Set([
    ...[...tables.attempt.values()].filter((each) => each.delivery === 'pending').map((each) => each.owner),
    ...[...tables.callback.values()].filter((each) => each.state === 'ready').map((each) => each.owner),
  ]);
  for (const node of nodes.values()) {
    const isOver =
      node.epoch < epoch && node.startedAt < before.sessions && node.heartbeatAt < before.sessions;
    if (isOver && !owners.has(node.epoch)) nodes.delete(node.epoch);
  }
  return { sessions: sessions.length, budgets: budgets.length };
}
