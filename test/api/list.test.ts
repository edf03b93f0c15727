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

test('§5 a full last page has no next', async () => {
  await several(2);
  expect((await list('?limit=2')).body.meta.next).toBeNull();
});

describe('§5 filters', () => {
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
});

describe('§5 the rate limit', () => {
  beforeEach(async () => {
    await api.close();
    api = await startApi();
  });

  test('does not touch creates and retrieves', async () => {
    for (let request = 0; request < 21; request++) await list();
    const session = await api.create();
    expect((await api.call('GET', `/Verify/Session/${session}/`)).status).toBe(200);
  });
});
