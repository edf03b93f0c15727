import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi({ limits: { ...LIMITS, listsPerMinute: 1000 } });
});
afterEach(() => api.close());

const list = (query = '', as = api.main) => api.call('GET', `/Verify/Session/${query}`, { as });
const uuids = (body: { sessions: { session_uuid: string }[] }) =>
  body.sessions.map((each) => each.session_uuid);

/** Starts sessions of different recipients, a second apart; resolves to their uuids, newest first. */
async function several(count: number): Promise<string[]> {
  const created: string[] = [];
  for (let index = 0; index < count; index++) {
    created.unshift(await api.create({ recipient: `1415555${1000 + index}` }));
    api.advance(1000);
  }
  return created;
}

test('§5 nothing to show is an empty array, with meta and both links null', async () => {
  const { status, body } = await list();
  expect(status).toBe(200);
  expect(body).toEqual({
    api_id: expect.any(String),
    meta: { limit: 20, offset: 0, next: null, previous: null },
    sessions: [],
  });
});

test('§5 sessions come newest first, each as it is retrieved but without api_id', async () => {
  const created = await several(3);
  const { body } = await list();
  expect(uuids(body)).toEqual(created);
  const { api_id, ...retrieved } = (await api.call('GET', `/Verify/Session/${created[0]}/`)).body;
  expect(api_id).toEqual(expect.any(String));
  expect(body.sessions[0]).toEqual(retrieved);
});

test('§5 a session is on the list within the millisecond of its start', async () => {
  const session = await api.create();
  expect(uuids((await list()).body)).toEqual([session]);
});

test('§5 other accounts’ sessions are not shown', async () => {
  await api.create();
  expect((await list('', api.stranger)).body.sessions).toEqual([]);
});

describe('§5 limit and offset', () => {
  test('at most 20 are shown unless fewer are asked for', async () => {
    const created = await several(22);
    expect(uuids((await list()).body)).toEqual(created.slice(0, 20));
    expect(uuids((await list('?limit=3&offset=2')).body)).toEqual(created.slice(2, 5));
    expect((await list('?offset=100000')).body).toMatchObject({ sessions: [], meta: { offset: 100000 } });
  });
});

describe('§5 paging', () => {
  const follow = async (path: string) => {
    const prefix = `/v1/Account/${api.main.authId}/Verify/Session/`;
    expect(path.startsWith(`${prefix}?`)).toBe(true);
    return (await list(path.slice(prefix.length))).body;
  };

  test('next leads through every session once, previous leads back', async () => {
    const created = await several(5);
    const first = (await list('?limit=2')).body;
    const second = await follow(first.meta.next);
    const third = await follow(second.meta.next);
    expect([first, second, third].flatMap(uuids)).toEqual(created);
    expect(first.meta.previous).toBeNull();
    expect(third.meta.next).toBeNull();
    expect(uuids(await follow(third.meta.previous))).toEqual(uuids(second));
    expect(uuids(await follow(second.meta.previous))).toEqual(uuids(first));
  });

  test('sessions started meanwhile do not shift the pages', async () => {
    const created = await several(4);
    const first = (await list('?limit=2')).body;
    await api.create({ recipient: '14155559999' });
    const second = await follow(first.meta.next);
    expect(uuids(second)).toEqual(created.slice(2));
  });

  test('time passing does not drop what the first page could still see', async () => {
    const created = await several(3);
    api.advance(24 * 3600_000 - 4000);
    const first = (await list('?limit=2')).body;
    api.advance(3600_000);
    expect(uuids(await follow(first.meta.next))).toEqual(created.slice(2));
  });

  test('the filters go along', async () => {
    const created = await several(3);
    for (const session of created) {
      const { right } = await api.codes(session as Awaited<ReturnType<ApiServer['create']>>);
      await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
    }
    await api.create({ recipient: '14155559999' });
    const path = (await list(`?limit=1&status=validated&app_uuid=${api.application.uuid}`)).body.meta.next;
    const query = new URL(path, api.url).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      limit: '1',
      offset: '1',
      status: 'verified',
      app_uuid: api.application.uuid,
      session_time__lt: expect.stringMatching(/Z$/),
    });
    expect(uuids(await follow(path))).toEqual([created[1]]);
  });

  test('a full last page has no next', async () => {
    await several(2);
    expect((await list('?limit=2')).body.meta.next).toBeNull();
  });
});

describe('§5 filters', () => {
  test('by status, where validated means verified', async () => {
    const [third, second, first] = await several(3);
    const verified = second as Awaited<ReturnType<ApiServer['create']>>;
    const { right } = await api.codes(verified);
    await api.call('POST', `/Verify/Session/${verified}/`, { body: { otp: right } });
    api.advance(597_500);
    expect(uuids((await list('?status=verified')).body)).toEqual([second]);
    expect(uuids((await list('?status=validated')).body)).toEqual([second]);
    expect(uuids((await list('?status=expired')).body)).toEqual([first]);
    expect(uuids((await list('?status=in-progress')).body)).toEqual([third]);
    expect((await list('?status=open')).body.error).toContain('status');
  });

  test.each(['14155551001', '%2B14155551001', '+1%20(415)%20555-1001'])(
    'by recipient %s',
    async (recipient) => {
      const [, second] = await several(3);
      expect(uuids((await list(`?recipient=${recipient}`)).body)).toEqual([second]);
    },
  );

  test('by application', async () => {
    await several(1);
    const { uuid } = await api.addApplication(api.main.authId);
    const session = await api.create({ app_uuid: uuid });
    expect(uuids((await list(`?app_uuid=${uuid}`)).body)).toEqual([session]);
    expect((await list('?app_uuid=login')).body.error).toContain('app_uuid');
  });

  test('all together mean AND', async () => {
    await several(2);
    expect((await list('?recipient=14155551001&status=verified')).body.sessions).toEqual([]);
  });

  test('by subaccount, which the main account may ask for and a subaccount implies', async () => {
    const of = { of: api.sub.authId, body: { recipient: '14155551234' } };
    const session = (await api.call('POST', '/Verify/Session/', of)).body.session_uuid;
    const own = await api.create();
    expect(uuids((await list('')).body)).toEqual(expect.arrayContaining([session, own]));
    expect(uuids((await list(`?subaccount=${api.main.authId}`)).body)).toEqual([own]);
    expect(uuids((await list(`?subaccount=${api.sub.authId}`)).body)).toEqual([session]);
    expect(uuids((await list('', api.sub)).body)).toEqual([session]);
    expect(uuids((await list(`?subaccount=${api.sub.authId}`, api.sub)).body)).toEqual([session]);
    expect((await list('?subaccount=SANOBODY000000000000')).body.sessions).toEqual([]);
    expect((await list(`?subaccount=${api.sub.authId}`, api.stranger)).body.sessions).toEqual([]);
    for (const other of [api.stranger.authId, 'x']) {
      expect(await list(`?subaccount=${other}`)).toMatchObject({ status: 400 });
    }
  });

  test('unknown and empty parameters are ignored', async () => {
    const [session] = await several(1);
    const empty =
      'AppHash=&BrandName=&status=&recipient=&limit=&offset=&app_uuid=&session_time__gt=&subaccount=';
    expect(uuids((await list(`?${empty}&colour=blue`)).body)).toEqual([session]);
  });

  test('a filter given twice is refused', async () => {
    expect((await list('?status=expired&status=verified')).body.error).toContain('status');
  });
});

test('§5 without session_time the last 24 hours are shown, with it older ones too', async () => {
  const created = await several(3);
  api.advance(24 * 3600_000 - 1500);
  expect(uuids((await list()).body)).toEqual(created.slice(0, 1));
  expect(uuids((await list('?session_time__gte=2026-01-31 00:00')).body)).toEqual(created);
});

describe('§5 the rate limit', () => {
  beforeEach(async () => {
    await api.close();
    api = await startApi();
  });

  test('is 20 a minute and account by default, then 429 with Retry-After of a second or more', async () => {
    for (let request = 0; request < 20; request++) expect((await list()).status).toBe(200);
    const refused = await list();
    expect(refused).toMatchObject({ status: 429, body: { error: 'too many requests' } });
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await list('', api.stranger)).status).toBe(200);
    api.advance(59_999);
    expect((await list()).headers.get('retry-after')).toBe('1');
    api.advance(1);
    expect((await list()).status).toBe(200);
  });

  test('does not touch creates and retrieves', async () => {
    for (let request = 0; request < 21; request++) await list();
    const session = await api.create();
    expect((await api.call('GET', `/Verify/Session/${session}/`)).status).toBe(200);
  });
});
