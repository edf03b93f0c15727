import type { Attempt, Callback, Session } from '../../verify/model.js';
import { mayUse, sessionStatus } from '../../verify/model.js';
import { deliveryOf } from '../../verify/start-attempt.js';
import { isDropped } from '../../verify/unwanted.js';
import { uuidFloor } from '../../verify/uuid.js';
import type { Due, LaneDue, Reader, SessionView } from '../store.js';
import { liveKey } from '../working-set.js';
import type { MemoryDatabase } from './database.js';

/** Reads by going through the maps: correct at any size, quick at the sizes that tests use. */
export function memoryReader(database: MemoryDatabase, epoch: number): Reader {
  const { tables } = database;
  const view = (session: Session): SessionView => ({ session, attempts: database.attemptsOf(session.uuid) });
  const someAttempt = (session: Session, field: 'brandName' | 'appHash', value: string) =>
    database.attemptsOf(session.uuid).some((attempt) => attempt[field] === value);
  const newest = (a: { uuid: string }, b: { uuid: string }) => (a.uuid < b.uuid ? 1 : -1);
  const pending = () =>
    [...tables.attempt.values()].filter((each) => each.delivery === 'pending' && each.owner === epoch);
  const ready = () =>
    [...tables.callback.values()].filter((each) => each.state === 'ready' && each.owner === epoch);
  const isLive = (session: Session) =>
    tables.live.get(liveKey(session.application, session.recipient))?.session === session.uuid;
  const liveSessions = () => [...tables.session.values()].filter(isLive);

  return {
    account: async (authId) => database.account(authId) ?? null,
    accounts: async () => [...tables.account.values()],
    application: async (uuid) => tables.application.get(uuid) ?? null,
    defaultApplication: async (account) =>
      [...tables.application.values()].find((each) => each.account === account && each.isDefault) ?? null,
    subaccounts: async (main, limit, offset) => {
      const all = [...tables.account.values()].filter((each) => each.parent === main);
      all.sort((a, b) => b.createdAt - a.createdAt || (a.authId < b.authId ? 1 : -1));
      return { accounts: all.slice(offset, offset + limit), total: all.length };
    },
    applications: async ({ account, withSubaccounts, limit, offset }) =>
      [...tables.application.values()]
        .filter(
          (each) =>
            each.account === account ||
            (withSubaccounts && tables.account.get(each.account)?.parent === account),
        )
        .sort(newest)
        .slice(offset, offset + limit),
    session: async (uuid) => {
      const session = database.session(uuid);
      return session ? view(session) : null;
    },
    sessions: async (query) =>
      [...tables.session.values()]
        .filter(
          (session) =>
            session.main === query.main &&
            (query.account === undefined || session.account === query.account) &&
            session.createdAt >= query.since &&
            session.createdAt < query.until &&
            (query.status === undefined || sessionStatus(session, query.now) === query.status) &&
            (query.recipient === undefined || session.recipient === query.recipient) &&
            (query.application === undefined || session.application === query.application) &&
            (query.alias === undefined || session.alias === query.alias) &&
            (query.country === undefined || session.country === query.country) &&
            (query.brandName === undefined || someAttempt(session, 'brandName', query.brandName)) &&
            (query.appHash === undefined || someAttempt(session, 'appHash', query.appHash)),
        )
        .sort(newest)
        .slice(query.offset, query.offset + query.limit)
        .map(view),
    callbacks: async (session, triesOfEach) =>
      database
        .attemptsOf(session)
        .flatMap((attempt) => database.callbacksOf(attempt))
        .sort((a, b) => a.createdAt - b.createdAt)
        .map((callback) => ({ callback, tries: database.triesOf(callback).slice(-triesOfEach) })),
    taken: async (query) =>
      [...tables.hop.values()]
        .filter(
          (hop) => hop.carrier === query.carrier && hop.messageId !== null && hop.createdAt >= query.since,
        )
        .flatMap((hop) => {
          const attempt = database.attempt(hop.attempt)!;
          const session = database.session(attempt.session)!;
          const wanted =
            mayUse(query.account, session) &&
            (query.recipient === undefined || session.recipient === query.recipient);
          return wanted ? [{ session, attempt, hop }] : [];
        })
        .sort((a, b) => (a.hop.messageId! < b.hop.messageId! ? 1 : -1))
        .slice(0, query.limit),

    optOut: async (account, recipient) => database.optOut(account, recipient) ?? null,
    optOuts: async ({ account, limit, offset }) =>
      [...tables.optOut.values()]
        .filter((row) => row.account === account)
        .sort((a, b) => b.createdAt - a.createdAt || (a.recipient < b.recipient ? 1 : -1))
        .slice(offset, offset + limit),
    optOutsOf: async (recipient) =>
      [...tables.optOut.values()]
        .filter((row) => row.recipient === recipient)
        .sort((a, b) => (a.account < b.account ? -1 : 1)),
    lastSender: async (carrier, recipient) => {
      const sent = [...tables.hop.values()]
        .filter(({ carrier: by, state }) => by === carrier && state !== 'failed' && state !== 'retrying')
        .map((hop) => ({ hop, session: database.session(database.attempt(hop.attempt)!.session)! }))
        .filter(({ session }) => session.recipient === recipient)
        .sort((a, b) => b.hop.createdAt - a.hop.createdAt || (a.hop.attempt < b.hop.attempt ? 1 : -1));
      return sent[0]?.session.main ?? null;
    },

    lostCalls: async (carrier, limit) =>
      [...tables.attempt.values()]
        .filter((each) => each.carrier === carrier && each.owner !== epoch && each.delivery === 'handed')
        .filter(({ channel }) => channel === 'voice')
        .slice(0, limit)
        .map(({ uuid, hop }) => ({ attempt: uuid, number: hop })),

    handedMessages: async (since, limit) =>
      [...tables.attempt.values()]
        .filter((each) => each.uuid >= uuidFloor(since))
        .sort(newest)
        .slice(0, limit)
        .filter((each) => each.delivery === 'handed' && each.channel === 'sms')
        .map(({ uuid, carrier, updatedAt, src, session }) => {
          const { recipient, country, application, alias } = database.session(session)!;
          const message = { recipient, country, application, alias, src };
          return { ...message, attempt: uuid, carrier: carrier!, handedAt: updatedAt };
        }),
    droppedAttempts: async (before, limit) =>
      [...tables.attempt.values()]
        .filter((each) => isDropped(each) && each.updatedAt <= before)
        .sort((a, b) => a.updatedAt - b.updatedAt)
        .slice(0, limit)
        .map(({ uuid }) => uuid),
    dueDeliveries: async (lane, now, limit, skip = 0) => {
      const rows = pending().filter((each) => (each.carrier ?? '') === lane);
      const due = dueOf(rows, now, limit, skip);
      return {
        ...due,
        items: due.items.map((attempt) => deliveryOf(database.session(attempt.session)!, attempt)),
      };
    },
    deliveryLanes: async () => lanesOf(pending(), (each) => each.carrier ?? ''),
    dueCallbacks: async (lane, now, limit) =>
      dueOf(
        ready().filter((each) => each.host === lane),
        now,
        limit,
      ),
    callbackLanes: async () => lanesOf(ready(), (each) => each.host),
    overdueSessions: async (now, limit) =>
      [...tables.live.values()]
        .filter((live) => live.expiresAt <= now)
        .sort((a, b) => a.expiresAt - b.expiresAt)
        .slice(0, limit)
        .map((live) => live.session),
    idempotency: async (key) => database.idempotency(key) ?? null,
    overdueRequests: async (before, limit) =>
      [...tables.idempotency.values()]
        .filter((row) => row.createdAt <= before)
        .sort((a, b) => a.createdAt - b.createdAt)
        .slice(0, limit)
        .map((row) => row.key),

    keys: async () => [...database.keys()],
    keyReferences: async (key) =>
      [...tables.account.values()].filter(
        (each) => each.token.keyId === key || each.previousToken?.keyId === key,
      ).length + liveSessions().filter((session) => session.code.keyId === key).length,
    sealedUnderOthers: async (active) => ({
      accounts: [...tables.account.values()]
        .filter(({ token, previousToken }) =>
          [token, previousToken].some((sealed) => sealed && sealed.keyId !== active),
        )
        .map((each) => each.authId),
      sessions: liveSessions()
        .filter(({ code }) => code.sealed !== null && code.keyId !== active)
        .map((each) => each.uuid),
    }),
    liveSessionsOf: async (key, limit) =>
      liveSessions()
        .filter((session) => session.code.keyId === key)
        .slice(0, limit)
        .map((session) => session.uuid),
    backlog: async () => ({
      deliveries: [...tables.attempt.values()].filter((each) => each.delivery === 'pending').length,
      callbacks: [...tables.callback.values()].filter((each) => each.state === 'ready').length,
    }),
  };
}

function dueOf<Row extends Attempt | Callback>(
  rows: readonly Row[],
  now: number,
  limit: number,
  skip = 0,
): Due<Row> {
  const sorted = [...rows].sort((a, b) => a.nextAt - b.nextAt);
  return {
    items: sorted.filter((row) => row.nextAt <= now).slice(skip, skip + limit),
    nextAt: sorted.find((row) => row.nextAt > now)?.nextAt ?? null,
  };
}

function lanesOf<Row extends Attempt | Callback>(
  rows: readonly Row[],
  laneOf: (row: Row) => string,
): LaneDue[] {
  const lanes = new Map<string, number>();
  for (const row of rows) {
    const lane = laneOf(row);
    lanes.set(lane, Math.min(lanes.get(lane) ?? Number.POSITIVE_INFINITY, row.nextAt));
  }
  return [...lanes].map(([lane, nextAt]) => ({ lane, nextAt }));
}
