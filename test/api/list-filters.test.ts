import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

// Lists change nothing, so that these tests can share a server. Its sessions start at 08:52:39.363, 08:52:40.363
// and 08:52:41.363.
let api: ApiServer;
const created: string[] = [];
beforeAll(async () => {
  api = await startApi({ limits: { ...LIMITS, listsPerMinute: 1000 } });
  for (let index = 0; index < 3; index++) {
    created.push(await api.create({ recipient: `1415555${1000 + index}` }));
    api.advance(1000);
  }
});
afterAll(() => api.close());

const list = (query: string) => api.call('GET', `/Verify/Session/${query}`);
const uuids = (body: { sessions: { session_uuid: string }[] }) =>
  body.sessions.map((each) => each.session_uuid);

describe('§5 filters by text', () => {
  const HASH = 'FA+9qCX9VSu';
  let own: ApiServer;
  let french: string;
  let login: string;
  beforeAll(async () => {
    own = await startApi({ limits: { ...LIMITS, listsPerMinute: 1000 } });
    french = await own.create({ recipient: '33612345678', brand_name: 'Acme' });
    own.advance(1000);
    const { uuid } = await own.addApplication(own.main.authId, {
      alias: 'log in',
      brandName: 'Umbrella & Co',
    });
    login = await own.create({ recipient: '14155551234', app_uuid: uuid });
    own.advance(1000);
    // A resend: the French session has attempts of two brands.
    await own.create({ recipient: '33612345678', brand_name: 'Globex', app_hash: HASH });
  });
  afterAll(() => own.close());

  const find = async (query: string) => uuids((await own.call('GET', `/Verify/Session/?${query}`)).body);
  test.each<[string, () => string[]]>([
    ['alias=log+in', () => [login]],
    ['alias=log%20in', () => [login]],
    ['alias=default', () => [french]],
    ['alias=Default', () => []],
    ['country=FR', () => [french]],
    ['country=us', () => [login]],
    ['country=ZZ', () => []],
    ['brand_name=Acme', () => [french]],
    ['brand_name=Globex', () => [french]],
    ['BrandName=Umbrella+%26+Co', () => [login]],
    ['brand_name=Initech', () => []],
    ['app_hash=FA%2B9qCX9VSu', () => [french]],
    ['app_hash=FA+9qCX9VSu', () => [french]],
    ['AppHash=FA%2B9qCX9VSu&BrandName=', () => [french]],
    ['AppHash=&BrandName=', () => [login, french]],
    ['alias=&country=&brand_name=&app_hash=', () => [login, french]],
    ['brand_name=Acme&app_hash=FA%2B9qCX9VSu&country=FR', () => [french]],
    ['country=FR&alias=log+in', () => []],
  ])('%s', async (query, expected) => {
    expect(await find(query)).toEqual(expected());
  });

  test.each(['country=USA', 'country=1', 'country=%C3%A9', 'brand_name=a&BrandName=b', 'alias=a&alias=b'])(
    '%s is refused by name',
    async (query) => {
      const { status, body } = await own.call('GET', `/Verify/Session/?${query}`);
      expect(status).toBe(400);
      expect(body.error).toContain(query.split('=')[0]);
    },
  );

  test('go along to the next page', async () => {
    await own.create({ recipient: '33612345679', brand_name: 'A&B', app_hash: HASH });
    await own.create({ recipient: '33612345670', brand_name: 'A&B', app_hash: HASH });
    const wanted = 'alias=default&country=fr&brand_name=A%26B&AppHash=FA%2B9qCX9VSu';
    const { next } = (await own.call('GET', `/Verify/Session/?limit=1&${wanted}`)).body.meta;
    const query = new URL(next, own.url).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      alias: 'default',
      country: 'FR',
      brand_name: 'A&B',
      app_hash: HASH,
    });
    expect(await find(String(query))).toHaveLength(1);
  });
});

describe('§5 sessions past the retention are gone, deleted or not', () => {
  test('from lists, from retrieves, from the pages that next leads to', async () => {
    const day = 86_400_000;
    const own = await startApi({ retention: 2 * day });
    const older = await own.create({ recipient: '14155551000' });
    own.advance(1000);
    const newer = await own.create({ recipient: '14155551001' });
    const since = 'session_time__gte=2026-01-01 00:00';
    const shown = async () => uuids((await own.call('GET', `/Verify/Session/?${since}`)).body);
    own.advance(2 * day - 1000);
    expect(await shown()).toEqual([newer, older]);
    expect((await own.call('GET', `/Verify/Session/${older}/`)).status).toBe(200);
    const { next } = (await own.call('GET', `/Verify/Session/?limit=1&${since}`)).body.meta;
    own.advance(1);
    expect(await shown()).toEqual([newer]);
    expect((await own.call('GET', `/Verify/Session/${older}/`)).status).toBe(404);
    expect((await own.call('GET', `/Verify/Session/${newer}/`)).status).toBe(200);
    expect((await own.call('GET', `/Verify/Session/${new URL(next, own.url).search}`)).body.sessions).toEqual(
      [],
    );
    expect(await own.store.read.session(older)).not.toBeNull();
    await own.close();
  });
});

describe('§5 session_time', () => {
  const shown = async (query: string) => {
    const { status, body } = await list(`?${query}`);
    expect(body.error).toBeUndefined();
    expect(status).toBe(200);
    return uuids(body)
      .map((uuid) => created.indexOf(uuid))
      .reverse();
  };
  test.each<[string, number[]]>([
    ['session_time__gt=2026-01-31 08:52:40.363', [2]],
    ['session_time__gte=2026-01-31 08:52:40.363', [1, 2]],
    ['session_time__lt=2026-01-31 08:52:40.363', [0]],
    ['session_time__lte=2026-01-31 08:52:40.363', [0, 1]],
    ['session_time__gt=2026-01-31 08:52:40.362999', [1, 2]],
    ['session_time__lt=2026-01-31 08:52:40.363001', [0, 1]],
    ['session_time=2026-01-31 08:52:40.363', [1]],
    ['session_time=2026-01-31 08:52:40.363001', []],
    ['session_time=2026-01-31 08:52:40', [1]],
    ['session_time=2026-01-31 08:52', [0, 1, 2]],
    ['session_time__gte=2026-01-31+08:52:40&session_time__lt=2026-01-31%2008:52:41', [1]],
    ['session_time_gt=2026-01-31T08:52:40.363Z', [2]],
    ['session_time_lte=2026-01-31T08:52:40.363Z', [0, 1]],
    ['session_time__gt=2026-01-31T10:22:40.363%2B01:30', [2]],
    ['session_time__gt=2026-01-31 03:52:40.363-05:00', [2]],
  ])('%s', async (query, expected) => {
    expect(await shown(query)).toEqual(expected);
  });
});
