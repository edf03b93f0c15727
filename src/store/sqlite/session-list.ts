import type { SessionId, SessionStatus } from '../../verify/model.js';
import { uuidFloor } from '../../verify/uuid.js';
import type { SessionQuery } from '../store.js';
import type { Connection } from './connection.js';
import { WorkerFailure } from './protocol.js';

/** A piece of a statement and the values that it binds, in order. */
interface Piece {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Whose sessions (a main account's and all its subaccounts'), and between which keys: these are in the order of time. */
interface Range {
  readonly main: string;
  readonly since: string;
  readonly until: string;
}

interface Page {
  readonly limit: number;
  readonly offset: number;
}

interface Filter {
  /** The uuids of one page of what the filter matches and `also` holds for, newest first, from the filter's own index. */
  readonly select: (range: Range, page: Page, also?: Piece) => Piece;
  /** What it asks of a row `s` of `session`. */
  readonly check: Piece;
}

/** How far a list that combines filters searches, in sessions that the rarest of them matches. */
export interface SearchBounds {
  /** Filters that match fewer are told apart by how many they match; the search begins with so many. */
  readonly first: number;
  /** Where it ends, beside the page and what is skipped before it. */
  readonly most: number;
}

/**
 * Two busy cores: counting 5,000 of each of three filters made a list that has its page at once take 1.8 ms instead of
 * 1; a search through 100,000 sessions takes 200 ms.
 */
const BOUNDS: SearchBounds = { first: 1_000, most: 100_000 };

const NOTHING: Piece = { sql: '', values: [] };

/**
 * The uuids of a list's page, newest first. Each filter has an index in the order of the list, so that one filter
 * takes no more than the page and what is skipped before it, however many sessions there are. Of several, the
 * rarest is followed in its index and the others are checked on the way, within bounds; so is whose a session is when
 * a main account asks for its own alone.
 * @throws WorkerFailure `too-wide` when the search ends before the page is full
 */
export function listedSessions(
  connection: Connection,
  query: SessionQuery,
  bounds: SearchBounds = BOUNDS,
): SessionId[] {
  const { limit, offset } = query;
  const range = { main: query.main, since: uuidFloor(query.since), until: uuidFloor(query.until) };
  const run = ({ sql, values }: Piece) =>
    connection
      .prepare(sql)
      .all(...values)
      .map(([uuid]) => uuid as SessionId);
  const filters = filtersOf(query);
  const own = ownOnly(query);
  if (filters.length < 2 && own === NOTHING) {
    return run((filters[0] ?? EVERYTHING).select(range, { limit, offset }));
  }

  const followed = filters.length === 0 ? [EVERYTHING] : filters;
  const { rarest, isRare } = rarestOf(connection, followed, range, bounds.first);
  const also = all([...followed.filter((filter) => filter !== rarest).map(({ check }) => check), own]);
  if (isRare) return run(rarest.select(range, { limit, offset }, also));
  for (const search of [bounds.first, bounds.most]) {
    const [end] = run(rarest.select(range, { limit: 1, offset: offset + limit + search }));
    const found = run(
      rarest.select(end === undefined ? range : { ...range, since: end }, { limit, offset }, also),
    );
    if (end === undefined || found.length === limit) return found;
  }
  throw new WorkerFailure('too-wide', 'the filters match too few of too many sessions');
}

/** The filter that matches the fewest sessions, and whether that is fewer than `enough`, which are not told apart. */
function rarestOf(
  connection: Connection,
  filters: readonly Filter[],
  range: Range,
  enough: number,
): { rarest: Filter; isRare: boolean } {
  let rarest = filters[0]!;
  let fewest = enough;
  for (const filter of filters) {
    const { sql, values } = filter.select(range, { limit: fewest, offset: 0 });
    const count = connection.prepare(`select count(*) from (${sql})`).get(...values)![0] as number;
    if (count < fewest) [rarest, fewest] = [filter, count];
    if (fewest === 0) break;
  }
  return { rarest, isRare: fewest < enough };
}

function filtersOf(query: SessionQuery): Filter[] {
  const { main, account, status, recipient, application, alias, country, brandName, appHash } = query;
  return [
    recipient !== undefined && equal('recipient', recipient),
    appHash !== undefined && ofAttempts('app_hash', appHash),
    brandName !== undefined && ofAttempts('brand_name', brandName),
    country !== undefined && equal('country', country),
    application !== undefined && equal('application', application),
    alias !== undefined && equal('alias', alias),
    account !== undefined && account !== main && ofSubaccount(account),
    status !== undefined && byStatus(status, query.now),
  ].filter((filter) => filter !== false);
}

const EVERYTHING = indexed('session_by_main', NOTHING);

function equal(column: string, value: string): Filter {
  return indexed(`session_by_${column}`, { sql: `s.${column} = ?`, values: [value] });
}

/**
 * What a main account's own sessions have among those of its subaccounts. An index of their own would cost each of them a
 * write, most of them on servers without any subaccount: they are looked for like what several filters match.
 */
function ownOnly({ account, main }: SessionQuery): Piece {
  return account === main ? { sql: 's.account = ?', values: [account] } : NOTHING;
}

/** A subaccount's sessions. */
function ofSubaccount(account: string): Filter {
  return {
    check: { sql: 's.account = ?', values: [account] },
    select: (range, page, also = NOTHING) =>
      newestFirst(
        {
          // The second condition is that of the index.
          sql: 'select s.uuid from session s indexed by session_by_subaccount where s.account = ? and s.account <> s.main',
          values: [account],
        },
        all([within('s.uuid', range), also]),
        's.uuid',
        page,
      ),
  };
}

/** A filter whose index has the main account, what it checks, and the uuid. */
function indexed(index: string, check: Piece): Filter {
  return {
    check,
    select: (range, page, also = NOTHING) =>
      newestFirst(
        {
          sql: `select s.uuid from session s indexed by ${index} where s.main = ?`,
          values: [range.main],
        },
        all([check, within('s.uuid', range), also]),
        's.uuid',
        page,
      ),
  };
}

/** A session matches when any of its attempts does. */
function ofAttempts(column: 'brand_name' | 'app_hash', value: string): Filter {
  // The second condition is that of the index.
  const own = { sql: `a.${column} = ? and a.${column} <> ''`, values: [value] };
  return {
    check: {
      sql: `exists (select 1 from attempt a where a.session = s.uuid and a.${column} = ?)`,
      values: [value],
    },
    select: (range, page, also = NOTHING) => {
      const join = also.sql === '' ? '' : 'cross join session s on s.uuid = a.session';
      return newestFirst(
        {
          sql: `select distinct a.session from attempt a indexed by attempt_by_${column} ${join} where a.main = ?`,
          values: [range.main],
        },
        all([own, within('a.session', range), also]),
        'a.session',
        page,
      );
    },
  };
}

function byStatus(status: SessionStatus, now: number): Filter {
  switch (status) {
    case 'verified':
      return indexed('session_by_status', { sql: `s.status = 'verified'`, values: [] });
    case 'in-progress':
      return indexed('session_by_status', {
        sql: `s.status = 'in-progress' and s.expires_at > ?`,
        values: [now],
      });
    case 'expired':
      return expired(now);
  }
}

/** Those that are stored as expired, and those whose time has passed and that no sweep has met yet. */
function expired(now: number): Filter {
  const stored = indexed('session_by_status', { sql: `s.status = 'expired'`, values: [] });
  return {
    check: {
      sql: `(s.status = 'expired' or (s.status = 'in-progress' and s.expires_at <= ?))`,
      values: [now],
    },
    select: (range, page, also = NOTHING) => {
      const first = { limit: page.limit + page.offset, offset: 0 };
      const swept = stored.select(range, first, also);
      // The live rows are in the order of their expiry, so that only overdue ones are read.
      const overdue = newestFirst(
        {
          sql: `select s.uuid from live_session l cross join session s on s.uuid = l.session where l.expires_at <= ?`,
          values: [now],
        },
        all([
          { sql: `s.main = ? and s.status = 'in-progress'`, values: [range.main] },
          within('s.uuid', range),
          also,
        ]),
        's.uuid',
        first,
      );
      return {
        sql: `select uuid from (select * from (${swept.sql}) union all select * from (${overdue.sql}))
              order by uuid desc limit ? offset ?`,
        values: [...swept.values, ...overdue.values, page.limit, page.offset],
      };
    },
  };
}

function within(column: string, { since, until }: Range): Piece {
  return { sql: `${column} >= ? and ${column} < ?`, values: [since, until] };
}

function all(conditions: readonly Piece[]): Piece {
  const some = conditions.filter(({ sql }) => sql !== '');
  return {
    sql: some.map(({ sql }) => sql).join(' and '),
    values: some.flatMap(({ values }) => values),
  };
}

function newestFirst(select: Piece, conditions: Piece, uuid: string, { limit, offset }: Page): Piece {
  return {
    sql: `${select.sql} and ${conditions.sql} order by ${uuid} desc limit ? offset ?`,
    values: [...select.values, ...conditions.values, limit, offset],
  };
}
