import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemEnvironment } from '#environment.js';
import { Connection } from '#store/sqlite/connection.js';
import { listedSessions } from '#store/sqlite/session-list.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import type { SessionQuery } from '#store/store.js';
import type { AccountId, Recipient, SessionId } from '#verify/model.js';
import { uuidv7 } from '#verify/uuid.js';
import { codeOf, type Fixture, NOW, seed, start, validation } from '../support/rows.js';

/** A connection that remembers the statements it prepared. */
class Recorded extends Connection {
  readonly statements = new Set<string>();
  override prepare(sql: string) {
    this.statements.add(sql);
    return super.prepare(sql);
  }

  /** How SQLite runs what was recorded so far; recording begins anew. */
  plans(): string[] {
    const seen = [...this.statements];
    const plans = seen.flatMap((sql) =>
      super
        .prepare(`explain query plan ${sql}`)
        .all(...Array(sql.split('?').length - 1).fill(0))
        .map((row) => String(row[3])),
    );
    this.statements.clear();
    return plans;
  }
}

const COUNT = 60;
let directory: string;
let connection: Recorded;
let fixture: Fixture;
const sessions: SessionId[] = [];

// One database for all: lists change nothing. Session k is of NOW + k; every third is verified, every second French.
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-list-'));
  const onFatal = (error: Error) => {
    throw error;
  };
  const store = await openSqliteStore({ directory, environment: systemEnvironment, onFatal });
  fixture = await seed(store);
  for (let index = 0; index < COUNT; index++) {
    const now = NOW + index;
    const command = start(fixture, store, {
      now,
      session: uuidv7(now, randomBytes(10)) as SessionId,
      recipient: `1415555${1000 + index}` as Recipient,
      country: index % 2 === 0 ? 'FR' : 'US',
      appHash: index % 5 === 0 ? 'FA+9qCX9VSu' : '',
    });
    await store.submit(command);
    sessions.unshift(command.session);
    if (index % 3 > 0) continue;
    const { session } = (await store.read.session(command.session))!;
    await store.submit(validation(fixture, session.uuid, codeOf(fixture, session)));
  }
  await store.close();
  connection = new Recorded(join(directory, 'countersign.db'), 0);
});
afterAll(() => {
  connection.close();
  rmSync(directory, { recursive: true });
});

const query = (filters: Partial<SessionQuery>): SessionQuery => ({
  main: fixture.account,
  since: NOW - 86_400_000,
  until: NOW + COUNT,
  now: NOW + COUNT,
  limit: 20,
  offset: 0,
  ...filters,
});
const numbers = (found: readonly SessionId[]) => found.map((uuid) => COUNT - 1 - sessions.indexOf(uuid));

describe('§5 a list with one filter reads an index that holds it in order, and nothing else', () => {
  test.each<[string, () => Partial<SessionQuery>, string]>([
    ['no filter', () => ({}), 'session_by_main'],
    ['recipient', () => ({ recipient: '14155551001' }), 'session_by_recipient'],
    ['app_uuid', () => ({ application: fixture.application.uuid }), 'session_by_application'],
    ['alias', () => ({ alias: 'default' }), 'session_by_alias'],
    ['country', () => ({ country: 'FR' }), 'session_by_country'],
    ['brand_name', () => ({ brandName: 'Acme' }), 'attempt_by_brand_name'],
    ['app_hash', () => ({ appHash: 'FA+9qCX9VSu' }), 'attempt_by_app_hash'],
    ['verified', () => ({ status: 'verified' }), 'session_by_status'],
    ['in-progress', () => ({ status: 'in-progress' }), 'session_by_status'],
  ])('%s', (_, filters, index) => {
    connection.plans();
    expect(listedSessions(connection, query(filters()))).not.toEqual([]);
    expect(connection.plans()).toEqual([
      expect.stringMatching(new RegExp(`^SEARCH \\w+ USING COVERING INDEX ${index} \\(`)),
    ]);
  });

  test('expired, where the sessions that no sweep has met come from the live rows that are overdue', () => {
    connection.plans();
    const overdue = query({ status: 'expired', now: NOW + 700_000 });
    expect(numbers(listedSessions(connection, overdue))).toHaveLength(20);
    const plans = connection.plans();
    expect(plans.filter((plan) => /^SCAN (?!\(|s?ubquery)/i.test(plan))).toEqual([]);
    expect(plans.join('\n')).toMatch(/COVERING INDEX session_by_status/);
    expect(plans.join('\n')).toMatch(/COVERING INDEX live_session_by_expiry \(expires_at<\?\)/);
  });
});

describe('§5 a list with several filters', () => {
  test('follows the index of the rarest and checks the others', () => {
    connection.plans();
    const filters = { country: 'FR', appHash: 'FA+9qCX9VSu', status: 'verified', brandName: 'Acme' } as const;
    expect(numbers(listedSessions(connection, query(filters)))).toEqual([30, 0]);
    const plans = connection.plans();
    expect(plans.at(-4)).toContain('COVERING INDEX attempt_by_app_hash');
    expect(plans.some((plan) => plan.includes('B-TREE') || plan.startsWith('SCAN s '))).toBe(false);
  });

  test('never sorts or scans a table, whatever the pair', () => {
    const all: Partial<SessionQuery>[] = [
      { recipient: '14155551001' },
      { application: fixture.application.uuid },
      { alias: 'default' },
      { country: 'FR' },
      { brandName: 'Acme' },
      { appHash: 'FA+9qCX9VSu' },
      { status: 'verified' },
      { status: 'in-progress' },
    ];
    connection.plans();
    for (const one of all) {
      for (const other of all)
        listedSessions(connection, query({ ...one, ...other }), { first: 3, most: 1000 });
    }
    const plans = connection.plans();
    expect(plans.length).toBeGreaterThan(20);
    expect(plans.filter((plan) => /B-TREE|^SCAN (?!\()/.test(plan))).toEqual([]);
  });

  test('is exact in the bounds of its search, and refused past them rather than cut short', () => {
    // 30 are French, 20 verified, 10 both: the newest of those is 54, the oldest 0.
    const both = (limit: number, offset = 0) => query({ country: 'FR', status: 'verified', limit, offset });
    const bounds = { first: 4, most: 8 };
    expect(numbers(listedSessions(connection, both(2), bounds))).toEqual([54, 48]);
    expect(numbers(listedSessions(connection, both(2, 2), bounds))).toEqual([42, 36]);
    expect(() => listedSessions(connection, both(10), { first: 1, most: 2 })).toThrow(/too few/);
    expect(numbers(listedSessions(connection, both(10), { first: 4, most: 40 }))).toHaveLength(10);
    expect(numbers(listedSessions(connection, both(20), { first: 4, most: 20 }))).toHaveLength(10);
  });
});

describe('§5 a list of the sessions that are a main account’s own', () => {
  const SUB = 'SASUBACCOUNT00000000' as AccountId;
  let few: Recorded;
  let place: string;
  const own: SessionId[] = [];

  // Four of its own, every second one French, then 40 of a subaccount.
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'countersign-list-'));
    const onFatal = (error: Error) => {
      throw error;
    };
    const store = await openSqliteStore({ directory: place, environment: systemEnvironment, onFatal });
    const seeded = await seed(store);
    for (let index = 0; index < 44; index++) {
      const now = NOW + index;
      const command = start(seeded, store, {
        now,
        main: fixture.account,
        session: uuidv7(now, randomBytes(10)) as SessionId,
        recipient: `1415555${1000 + index}` as Recipient,
        country: index % 2 === 0 ? 'FR' : 'US',
      });
      const account = index < 4 ? fixture.account : SUB;
      await store.submit({ ...command, application: { ...command.application, account } });
      if (index < 4) own.unshift(command.session);
    }
    await store.close();
    few = new Recorded(join(place, 'countersign.db'), 0);
  });
  afterAll(() => {
    few.close();
    rmSync(place, { recursive: true });
  });
  const ask = (filters: Partial<SessionQuery>, most: number) =>
    listedSessions(few, query({ account: fixture.account, ...filters }), { first: 4, most });

  test('is exact in the bounds of its search, and refused past them rather than slow', () => {
    expect(ask({ limit: 2 }, 60)).toEqual(own.slice(0, 2));
    expect(ask({ limit: 2, offset: 1 }, 60)).toEqual(own.slice(1, 3));
    expect(ask({}, 60)).toEqual(own);
    expect(() => ask({ limit: 2 }, 20)).toThrow(/too few/);
    expect(ask({ limit: 2, until: NOW + 10 }, 20)).toEqual(own.slice(0, 2));
  });

  test('goes together with other filters, and scans nothing', () => {
    few.plans();
    expect(ask({ country: 'FR' }, 60)).toEqual([own[1], own[3]]);
    expect(() => ask({ country: 'FR', limit: 1 }, 5)).toThrow(/too few/);
    expect(ask({ recipient: '14155551001' }, 5)).toEqual([own[2]]);
    expect(few.plans().filter((plan) => /B-TREE|^SCAN (?!\()/.test(plan))).toEqual([]);
  });

  test('leaves its subaccounts’ to theirs', () => {
    expect(ask({ account: SUB }, 5)).toHaveLength(20);
  });
});
