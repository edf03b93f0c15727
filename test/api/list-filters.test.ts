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

describe('§5 limit and offset', () => {
  test.each([
    'limit=0',
    'limit=21',
    'limit=-1',
    'limit=1.5',
    'limit=x',
    'limit=1e1',
    'offset=-1',
    'offset=100001',
    'offset=x',
  ])('%s is refused by name', async (query) => {
    const answer = await list(`?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain(query.split('=')[0]);
  });
});

describe('§5 filters of a later version', () => {
  test.each(['alias', 'country', 'brand_name', 'app_hash', 'AppHash', 'BrandName'])(
    'by %s is refused rather than ignored',
    async (name) => {
      expect(await list(`?${name}=x`)).toMatchObject({
        status: 400,
        body: { error: expect.stringContaining(name) },
      });
    },
  );
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

  test.each([
    'yesterday',
    '2026-01-31',
    '2026-02-30 08:52',
    '2026-01-31 24:00',
    '2026-01-31 08:60',
    '2026-01-31 08:52:60',
    '2026-13-01 08:52',
    '2026-01-31 08:52:39.1234567',
    '1769849559',
    '2026-01-31 08:52:39%2B1',
    '2026-01-31 08:52 Z',
  ])('%s is refused', async (time) => {
    const answer = await list(`?session_time__gt=${time}`);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('session_time__gt') },
    });
  });
});
