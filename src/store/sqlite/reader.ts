import { lastTry } from '../../verify/callbacks.js';
import type {
  AccountId,
  ApplicationId,
  AttemptId,
  Recipient,
  Session,
  SessionId,
} from '../../verify/model.js';
import { deliveryOf } from '../../verify/start-attempt.js';
import { uuidFloor } from '../../verify/uuid.js';
import type { Reader, SessionView } from '../store.js';
import type { Connection } from './connection.js';
import { sqliteRows } from './rows.js';
import { listedSessions } from './session-list.js';

/** What a reader answers without waiting, in the worker that owns the connection. */
export type SyncReader = {
  [Method in keyof Reader]: (...args: Parameters<Reader[Method]>) => Awaited<ReturnType<Reader[Method]>>;
};

export const READER_METHODS: readonly (keyof Reader)[] = [
  'account',
  'accounts',
  'subaccounts',
  'application',
  'defaultApplication',
  'applications',
  'session',
  'sessions',
  'callbacks',
  'taken',
  'optOut',
  'optOuts',
  'optOutsOf',
  'lastSender',
  'lostCalls',
  'handedMessages',
  'droppedAttempts',
  'dueDeliveries',
  'deliveryLanes',
  'dueCallbacks',
  'callbackLanes',
  'overdueSessions',
  'idempotency',
  'overdueRequests',
  'keys',
  'keyReferences',
  'sealedUnderOthers',
  'liveSessionsOf',
  'backlog',
];

export function sqliteReader(connection: Connection, epoch: number): SyncReader {
  const rows = sqliteRows(connection);
  const view = (session: Session): SessionView => ({ session, attempts: rows.attemptsOf(session.uuid) });
  const column = <Type>(sql: string, ...values: unknown[]) =>
    connection
      .prepare(sql)
      .all(...values)
      .map((row) => row[0] as Type);
  const count = (sql: string, ...values: unknown[]) => column<number>(sql, ...values)[0] ?? 0;
  const lanes = (sql: string) =>
    connection
      .prepare(sql)
      .all(epoch)
      .map(([lane, nextAt]) => ({ lane: (lane ?? '') as string, nextAt: nextAt as number }));

  return {
    account: (authId) => rows.account(authId) ?? null,
    accounts: () => connection.select('account', 'order by created_at, auth_id'),
    application: (uuid) => connection.find('application', 'where uuid = ?', uuid) ?? null,
    defaultApplication: (account) =>
      connection.find('application', 'where account = ? and is_default = 1', account) ?? null,
    subaccounts: (main, limit, offset) => ({
      accounts: connection.select(
        'account',
        'where parent = ? order by created_at desc, auth_id desc limit ? offset ?',
        main,
        limit,
        offset,
      ),
      total: count('select count(*) from account where parent = ?', main),
    }),
    applications: ({ account, withSubaccounts, limit, offset }) => {
      const own = 'account = ?';
      const all = `(${own} or account in (select auth_id from account where parent = ?))`;
      return connection.select(
        'application',
        `where ${withSubaccounts ? all : own} order by uuid desc limit ? offset ?`,
        ...(withSubaccounts ? [account, account] : [account]),
        limit,
        offset,
      );
    },
    session: (uuid) => {
      const session = rows.session(uuid);
      return session ? view(session) : null;
    },
    // One that retention deletes meanwhile is left out.
    sessions: (query) =>
      listedSessions(connection, query)
        .flatMap((uuid) => rows.session(uuid) ?? [])
        .map(view),
    callbacks: (session, triesOfEach) =>
      rows
        .attemptsOf(session)
        .flatMap(({ uuid }) => connection.select('callback', 'where attempt = ? order by sequence', uuid))
        .sort((a, b) => a.createdAt - b.createdAt)
        .map((callback) => {
          const last = lastTry(callback);
          const earlier = connection
            .select(
              'callbackTry',
              'where attempt = ? and sequence = ? order by number desc limit ?',
              callback.attempt,
              callback.sequence,
              triesOfEach - (last ? 1 : 0),
            )
            .reverse();
          return { callback, tries: last ? [...earlier, last] : earlier };
        }),
    taken: ({ carrier, account, recipient, since, limit }) => {
      const own = recipient === undefined ? '' : 'and s.recipient = ?';
      const found = connection
        .prepare(
          `select h.attempt, h.number from hop h join attempt a on a.uuid = h.attempt
             join session s on s.uuid = a.session
           where h.carrier = ? and h.message_id >= ? and (s.account = ? or s.main = ?) ${own}
           order by h.message_id desc limit ?`,
        )
        .all(
          carrier,
          uuidFloor(since),
          account,
          account,
          ...(recipient === undefined ? [] : [recipient]),
          limit,
        );
      return found.map(([uuid, number]) => {
        const attempt = rows.attempt(uuid as string)!;
        const hop = rows.hopsOf(attempt.uuid).find((each) => each.number === number)!;
        return { session: rows.session(attempt.session)!, attempt, hop };
      });
    },

    optOut: (account, recipient) => rows.optOut(account, recipient) ?? null,
    optOuts: ({ account, limit, offset }) =>
      connection.select(
        'optOut',
        'where account = ? order by created_at desc, recipient desc limit ? offset ?',
        account,
        limit,
        offset,
      ),
    optOutsOf: (recipient) => connection.select('optOut', 'where recipient = ? order by account', recipient),
    // Sessions are found by main account and recipient: there are few main accounts, and few of them sent to it.
    lastSender: (carrier, recipient) =>
      column<AccountId>(
        `select s.main from account m
           cross join session s on s.main = m.auth_id and s.recipient = ?
           cross join attempt a on a.session = s.uuid
           cross join hop h on h.attempt = a.uuid and h.carrier = ? and h.state not in ('failed', 'retrying')
         where m.parent is null order by h.created_at desc, h.attempt desc limit 1`,
        recipient,
        carrier,
      )[0] ?? null,

    lostCalls: (carrier, limit) =>
      connection
        .prepare(
          `select uuid, hop from attempt
           where carrier = ? and owner <> ? and delivery = 'handed' and channel = 'voice' limit ?`,
        )
        .all(carrier, epoch, limit)
        .map(([attempt, number]) => ({ attempt: attempt as AttemptId, number: number as number })),

    // The newest attempts are together at the end of the key: no index is needed for a look at a start.
    handedMessages: (since, limit) =>
      connection
        .prepare(
          `select a.uuid, a.carrier, a.updated_at, a.src, s.recipient, s.country, s.application, s.alias
           from (select uuid, session, channel, delivery, carrier, updated_at, src from attempt
                 where uuid >= ? order by uuid desc limit ?) a
             cross join session s on s.uuid = a.session
           where a.delivery = 'handed' and a.channel = 'sms'`,
        )
        .all(uuidFloor(since), limit)
        .map(([attempt, carrier, handedAt, src, recipient, country, application, alias]) => ({
          attempt: attempt as AttemptId,
          carrier: carrier as string,
          handedAt: handedAt as number,
          src: src as string | null,
          recipient: recipient as Recipient,
          country: country as string | null,
          application: application as ApplicationId,
          alias: alias as string,
        })),
    droppedAttempts: (before, limit) =>
      column<AttemptId>(
        `select uuid from attempt where delivery = 'done' and status = 'queued' and taken = 0 and updated_at <= ?
         order by updated_at limit ?`,
        before,
        limit,
      ),
    dueDeliveries: (lane, now, limit, skip = 0) => {
      const attempts = connection.select(
        'attempt',
        `where delivery = 'pending' and owner = ? and carrier = ? and next_at <= ?
         order by next_at limit ? offset ?`,
        epoch,
        lane,
        now,
        limit,
        skip,
      );
      const nextAt = column<number | null>(
        `select min(next_at) from attempt where delivery = 'pending' and owner = ? and carrier = ? and next_at > ?`,
        epoch,
        lane,
        now,
      )[0];
      return {
        items: attempts.map((attempt) => deliveryOf(rows.session(attempt.session)!, attempt)),
        nextAt: nextAt ?? null,
      };
    },
    deliveryLanes: () =>
      lanes(
        `select carrier, min(next_at) from attempt where delivery = 'pending' and owner = ? group by carrier`,
      ),
    dueCallbacks: (lane, now, limit) => ({
      items: connection.select(
        'callback',
        `where state = 'ready' and owner = ? and host = ? and next_at <= ? order by next_at limit ?`,
        epoch,
        lane,
        now,
        limit,
      ),
      nextAt:
        column<number | null>(
          `select min(next_at) from callback where state = 'ready' and owner = ? and host = ? and next_at > ?`,
          epoch,
          lane,
          now,
        )[0] ?? null,
    }),
    callbackLanes: () =>
      lanes(`select host, min(next_at) from callback where state = 'ready' and owner = ? group by host`),
    overdueSessions: (now, limit) =>
      column<SessionId>(
        'select session from live_session where expires_at <= ? order by expires_at limit ?',
        now,
        limit,
      ),
    idempotency: (key) => rows.idempotency(key) ?? null,
    overdueRequests: (before, limit) =>
      column<string>(
        'select key from idempotency where created_at <= ? order by created_at limit ?',
        before,
        limit,
      ),

    keys: () => [...rows.keys()],
    keyReferences: (key) =>
      count('select count(*) from account where token_key = ? or previous_token_key = ?', key, key) +
      count(
        'select count(*) from live_session l join session s on s.uuid = l.session where s.code_key = ?',
        key,
      ),
    sealedUnderOthers: (active) => ({
      accounts: column<AccountId>(
        'select auth_id from account where token_key <> ? or previous_token_key <> ?',
        active,
        active,
      ),
      sessions: column<SessionId>(
        `select s.uuid from live_session l join session s on s.uuid = l.session
         where s.code_sealed is not null and s.code_key <> ?`,
        active,
      ),
    }),
    liveSessionsOf: (key, limit) =>
      column<SessionId>(
        'select s.uuid from live_session l join session s on s.uuid = l.session where s.code_key = ? limit ?',
        key,
        limit,
      ),
    backlog: () => ({
      deliveries: count(`select count(*) from attempt where delivery = 'pending'`),
      callbacks: count(`select count(*) from callback where state = 'ready'`),
    }),
  };
}
