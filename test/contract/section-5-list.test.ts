import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import type { SessionId } from '#verify/model.js';
import { startCountersign } from '../e2e/support.js';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';
import { section } from './section.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HASH = 'FA+9qCX9VSu';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi({ limits: { ...LIMITS, listsPerMinute: 1_000 } });
});
afterEach(() => api.close());

const list = (query = '', as = api.main) => api.call('GET', `/Verify/Session/${query}`, { as });
const uuids = (body: { sessions: { session_uuid: string }[] }) =>
  body.sessions.map((each) => each.session_uuid);
/** The sessions that a query must list. */
const found = async (query: string, as = api.main) => {
  const { status, body } = await list(query, as);
  expect([query, status, body.error]).toEqual([query, 200, undefined]);
  return uuids(body);
};
const refusal = (name: string) => ({ status: 400, body: { error: expect.stringContaining(name) } });

/** Starts sessions of different recipients, a second apart; resolves to their uuids, newest first. */
async function several(count: number, fields: object = {}): Promise<SessionId[]> {
  const created: SessionId[] = [];
  for (let index = 0; index < count; index++) {
    created.unshift(await api.create({ recipient: `1415555${1000 + index}`, ...fields }));
    api.advance(1000);
  }
  return created;
}

/** The page that a link of `meta` leads to. */
async function follow(path: string) {
  const prefix = `/v1/Account/${api.main.authId}/Verify/Session/`;
  expect(path.startsWith(`${prefix}?`)).toBe(true);
  return (await list(path.slice(prefix.length))).body;
}

async function verify(session: SessionId): Promise<void> {
  const { right } = await api.codes(session);
  const { status } = await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
  expect(status).toBe(200);
}

const proves = section(5);

describe('§5 List', () => {
  proves(
    [
      'List: GET …/Verify/Session/?… → 200',
      '{"api_id", "meta": {"limit", "offset", "next", "previous"}, "sessions": [ …as in 4',
    ],
    async () => {
      const [session] = await several(1);
      const { status, body } = await list();
      expect(status).toBe(200);
      expect(body.meta).toEqual({ limit: 20, offset: 0, next: null, previous: null });
      expect(Object.keys(body).sort()).toEqual(['api_id', 'meta', 'sessions']);
      const { api_id, ...retrieved } = (await api.call('GET', `/Verify/Session/${session}/`)).body;
      expect(api_id).toEqual(expect.any(String));
      expect(body.sessions).toEqual([retrieved]);
    },
  );

  proves('sessions is always an array, empty when nothing matches', async () => {
    await several(1);
    for (const query of ['?status=expired', '?recipient=14155559999', '?offset=1', '?alias=x']) {
      expect((await list(query)).body.sessions).toEqual([]);
    }
    expect((await list('', api.stranger)).body.sessions).toEqual([]);
  });

  proves('Newest first', async () => {
    const created = await several(3);
    expect(await found('')).toEqual(created);
    // One of this very millisecond is there too.
    const newest = await api.create({ recipient: '14155552000' });
    expect(await found('')).toEqual([newest, ...created]);
  });

  proves(['limit 1–20 (default 20), offset 0–100,000', 'out of range: 400'], async () => {
    const created = await several(22);
    expect(await found('')).toEqual(created.slice(0, 20));
    expect(await found('?limit=20')).toHaveLength(20);
    expect(await found('?limit=1')).toEqual(created.slice(0, 1));
    expect(await found('?limit=3&offset=2')).toEqual(created.slice(2, 5));
    expect((await list('?offset=100000')).body).toMatchObject({ sessions: [], meta: { offset: 100_000 } });
    for (const value of ['limit=0', 'limit=21', 'limit=-1', 'limit=1.5', 'limit=x', 'limit=1e1']) {
      expect(await list(`?${value}`)).toMatchObject(refusal('limit'));
    }
    for (const value of ['offset=-1', 'offset=100001', 'offset=x']) {
      expect(await list(`?${value}`)).toMatchObject(refusal('offset'));
    }
  });

  proves('next and previous are paths', async () => {
    const created = await several(5);
    const first = (await list('?limit=2&alias=default&country=us')).body;
    const second = await follow(first.meta.next);
    const third = await follow(second.meta.next);
    expect([first, second, third].flatMap(uuids)).toEqual(created);
    expect([first.meta.previous, third.meta.next]).toEqual([null, null]);
    expect(uuids(await follow(third.meta.previous))).toEqual(uuids(second));
    expect(uuids(await follow(second.meta.previous))).toEqual(uuids(first));
    expect(third.meta).toMatchObject({ limit: 2, offset: 4 });

    // The filters go along.
    await verify(created[4]!);
    await verify(created[2]!);
    const { next } = (await list(`?limit=1&status=validated&app_uuid=${api.application.uuid}`)).body.meta;
    expect(Object.fromEntries(new URL(next, api.url).searchParams)).toMatchObject({
      limit: '1',
      offset: '1',
      status: 'verified',
      app_uuid: api.application.uuid,
    });
    expect(uuids(await follow(next))).toEqual([created[4]]);
  });

  proves('next pins the upper time bound of the first page', async () => {
    const created = await several(4);
    const first = (await list('?limit=2')).body;
    await api.create({ recipient: '14155559999' });
    // Nor does time that passes take away what the first page could still see.
    api.advance(DAY);
    expect(uuids(await follow(first.meta.next))).toEqual(created.slice(2));
  });

  proves('With no time filter: the last 24 hours', async () => {
    const [newest, ...older] = await several(3);
    api.advance(DAY - 1500);
    expect(await found('')).toEqual([newest]);
    expect(await found('?session_time__gte=2026-01-31 00:00')).toEqual([newest, ...older]);
  });

  proves('Sessions older than 90 days are gone (retention is configurable', async () => {
    await api.close();
    for (const [days, options] of [
      [90, {}],
      [2, { retention: 2 * DAY }],
    ] as const) {
      api = await startApi(options);
      const [newer, older] = await several(2);
      const since = '?session_time__gte=2026-01-01 00:00';
      const path = (session: string) => `/Verify/Session/${session}/`;
      api.advance(days * DAY - 2_000);
      expect(await found(since)).toEqual([newer, older]);
      expect((await api.call('GET', path(older!))).status).toBe(200);
      api.advance(1);
      // No purge has run: it is in the store still.
      expect(await api.store.read.session(older!)).not.toBeNull();
      expect(await found(since)).toEqual([newer]);
      expect((await api.call('GET', path(older!))).status).toBe(404);
      expect((await api.call('GET', path(newer!))).status).toBe(200);
      if (days === 90) await api.close();
    }
  });

  proves(
    ['Rate limit 20 list requests a minute per account by default', 'configurable (ours).'],
    async () => {
      await api.close();
      api = await startApi({ limits: { ...LIMITS, listsPerMinute: 3 } });
      for (let request = 0; request < 3; request++) expect((await list()).status).toBe(200);
      expect((await list()).status).toBe(429);

      await api.close();
      api = await startApi();
      for (let request = 0; request < 20; request++) expect((await list()).status).toBe(200);
      const refused = await list();
      expect(refused).toMatchObject({ status: 429, body: { error: 'too many requests' } });
      expect(refused.headers.get('retry-after')).toBe('60');
      expect((await list('', api.stranger)).status).toBe(200);
      api.advance(59_999);
      expect((await list()).headers.get('retry-after')).toBe('1');
      api.advance(1);
      expect((await list()).status).toBe(200);
    },
  );
});

describe('§5 the filters', () => {
  proves(
    'Filters, all optional, combined with AND: status (validated is understood as verified',
    async () => {
      const { uuid } = await api.addApplication(api.main.authId, { alias: 'log in' });
      const [french, expired] = [
        await api.create({ recipient: '33612345678', brand_name: 'Acme', app_hash: HASH }),
        await api.create({ recipient: '14155551000' }),
      ];
      api.advance(600_000);
      const verified = await api.create({ recipient: '14155551001', app_uuid: uuid });
      await verify(verified);
      const live = await api.create({ recipient: '14155551001' });
      const cases: [string, string[]][] = [
        ['status=verified', [verified]],
        ['status=validated', [verified]],
        ['status=expired', [expired, french]],
        ['status=in-progress', [live]],
        ['recipient=14155551001', [live, verified]],
        ['recipient=%2B1%20(415)%20555-1000', [expired]],
        [`app_uuid=${uuid}`, [verified]],
        ['alias=log+in', [verified]],
        ['country=FR', [french]],
        ['brand_name=Acme', [french]],
        ['app_hash=FA%2B9qCX9VSu', [french]],
        ['session_time__lt=2026-01-31 09:00', [expired, french]],
        [`recipient=14155551001&app_uuid=${uuid}&status=verified&alias=log%20in&country=US`, [verified]],
        ['recipient=14155551001&status=expired', []],
        ['country=FR&alias=log+in', []],
        ['brand_name=Acme&session_time__gt=2026-01-31 09:00', []],
        ['', [live, verified, expired, french]],
      ];
      for (const [query, expected] of cases) {
        expect([query, (await found(`?${query}`)).sort()]).toEqual([query, expected.sort()]);
      }
      for (const query of [
        'status=open',
        'app_uuid=login',
        'country=USA',
        'status=expired&status=verified',
      ]) {
        expect(await list(`?${query}`)).toMatchObject(refusal(query.split('=')[0]!));
      }
    },
  );

  proves(
    "a subaccount's own credentials imply it), session_time and its __gt, __gte, __lt, __lte forms",
    async () => {
      const of = { of: api.sub.authId, body: { recipient: '14155551234' } };
      const theirs = (await api.call('POST', '/Verify/Session/', of)).body.session_uuid;
      api.advance(1000);
      const own = await api.create({ recipient: '14155551234' });
      expect(await found('')).toEqual([own, theirs]);
      expect(await found(`?subaccount=${api.sub.authId}`)).toEqual([theirs]);
      expect(await found('', api.sub)).toEqual([theirs]);
      for (const subaccount of [api.stranger.authId, 'x']) {
        expect(await list(`?subaccount=${subaccount}`)).toMatchObject(refusal('subaccount'));
      }
      expect(await list(`?subaccount=${api.main.authId}`, api.sub)).toMatchObject(refusal('subaccount'));

      // At 08:52:39.363 and 08:52:40.363.
      const cases: [string, string[]][] = [
        ['session_time=2026-01-31 08:52:40.363', [own]],
        ['session_time=2026-01-31 08:52:39', [theirs]],
        ['session_time=2026-01-31 08:52', [own, theirs]],
        ['session_time__gt=2026-01-31 08:52:39.363', [own]],
        ['session_time__gte=2026-01-31 08:52:39.363', [own, theirs]],
        ['session_time__lt=2026-01-31 08:52:40.363', [theirs]],
        ['session_time__lte=2026-01-31 08:52:40.363', [own, theirs]],
        ['session_time__gt=2026-01-31 08:52:39&session_time__lt=2026-01-31 08:52:40', [theirs]],
      ];
      for (const [query, expected] of cases) {
        expect([query, await found(`?${query}`)]).toEqual([query, expected]);
      }
    },
  );

  proves(
    [
      'Time format YYYY-MM-DD HH:MM[:ss[.uuuuuu]], UTC',
      'T for the space and a trailing Z or ±HH:MM are understood',
      'anything else: 400',
      'The space arrives as + or %20',
    ],
    async () => {
      const [second] = await several(2);
      for (const time of [
        '2026-01-31 08:52:40.363',
        '2026-01-31 08:52:40.362001',
        '2026-01-31 08:52:40',
        '2026-01-31T08:52:40',
        '2026-01-31T08:52:40.000001Z',
        '2026-01-31 08:52:40Z',
        '2026-01-31T10:22:40+01:30',
        '2026-01-31 03:52:40-05:00',
      ]) {
        for (const query of [encodeURIComponent(time), encodeURIComponent(time).replaceAll('%20', '+')]) {
          expect([query, await found(`?session_time__gte=${query}`)]).toEqual([query, [second]]);
        }
      }
      expect(await found('?session_time__gte=2026-01-31+08:53')).toEqual([]);
      for (const time of [
        'yesterday',
        '2026-01-31',
        '2026-02-30 08:52',
        '2026-13-01 08:52',
        '2026-01-31 24:00',
        '2026-01-31 08:60',
        '2026-01-31 08:52:60',
        '2026-01-31 08:52:39.1234567',
        '2026-01-31 08:52:39%2B1',
        '2026-01-31 08:52 Z',
        '1769849559',
      ]) {
        expect(await list(`?session_time__gt=${time}`)).toMatchObject(refusal('session_time__gt'));
      }
    },
  );

  proves('alias and brand_name match exactly, country in either case', async () => {
    const { uuid } = await api.addApplication(api.main.authId, { alias: 'Login' });
    const session = await api.create({ app_uuid: uuid, brand_name: 'Umbrella & Co' });
    for (const [query, expected] of [
      ['alias=Login', [session]],
      ['alias=login', []],
      ['alias=Logi', []],
      ['brand_name=Umbrella+%26+Co', [session]],
      ['brand_name=umbrella+%26+co', []],
      ['brand_name=Umbrella', []],
      ['country=US', [session]],
      ['country=us', [session]],
      ['country=uS', [session]],
      ['country=FR', []],
    ] as [string, string[]][]) {
      expect([query, await found(`?${query}`)]).toEqual([query, expected]);
    }
  });

  proves('brand_name and app_hash are those of attempts', async () => {
    const session = await api.create({ brand_name: 'Acme' });
    await api.create({ brand_name: 'Globex', app_hash: HASH });
    await api.create({ recipient: '14155559999', brand_name: 'Initech' });
    for (const query of ['brand_name=Acme', 'brand_name=Globex', `app_hash=${encodeURIComponent(HASH)}`]) {
      expect([query, await found(`?${query}`)]).toEqual([query, [session]]);
    }
  });

  proves(
    [
      'Several filters that match much each and little together are refused with 400',
      'an answer is never cut short',
    ],
    async () => {
      const server = await startCountersign();
      const get = (query: string) => server.get(`/Verify/Session/?${query}`);
      const both = 'alias=login&country=US';
      const { app_uuid } = await server.administration('app.create', { alias: 'login' });
      const create = async (fields: object) => (await server.sessions().create(fields)).sessionUuid;
      const match = await create({ recipient: '14155550100', app_uuid });
      const american = await create({ recipient: '14155550101' });
      const french = await create({ recipient: '33612345678', app_uuid });
      const start = server.time.now();
      await server.restart((dataDir) => {
        copySession(dataDir, french, 1_000);
        copySession(dataDir, american, 100_100);
      });
      await server.time.advance(200_000);

      const refused = await get(both);
      expect(refused).toEqual({ api_id: expect.any(String), error: expect.stringContaining('session_time') });
      const narrower = (name: string, time: number) =>
        `${both}&session_time__${name}=${new Date(time).toISOString()}`;
      expect((await get(narrower('gt', start + 200))).sessions).toEqual([]);
      expect((await get(narrower('lt', start + 99_900))).sessions).toMatchObject([{ session_uuid: match }]);
      expect((await get('country=US')).sessions).toHaveLength(20);
    },
  );
});

/** Makes further sessions of one, one for each of so many milliseconds after it. */
function copySession(dataDir: string, session: string, times: number): void {
  const database = new Database(join(dataDir, 'countersign.db'));
  const rows = database.prepare('select name from pragma_table_info(?)').raw().all('session');
  const columns = (rows as [string][]).map(([name]) => name);
  const uuid = "printf('%08x-%04x-7000-8000-', at >> 16, at & 65535) || lower(hex(randomblob(6)))";
  const own: Record<string, string> = { uuid, created_at: 'at', updated_at: 'at' };
  database
    .prepare(
      `with recursive numbers (number) as (select 1 union all select number + 1 from numbers limit ?)
       insert into session (${columns.join()})
       select ${columns.map((name) => own[name] ?? name).join()}
       from (select *, created_at + number as at from session, numbers where uuid = ?)`,
    )
    .run(times, session);
  database.close();
}
