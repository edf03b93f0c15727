import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountId } from '#verify/model.js';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const PATH = '/Subaccount/';

/** Makes a subaccount that must be accepted, and resolves to its credentials. */
async function add(body: object) {
  const answer = await api.call('POST', PATH, { body });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body.error}`);
  return { authId: answer.body.auth_id as AccountId, token: answer.body.auth_token as string };
}

const get = (authId: string) => api.call('GET', `${PATH}${authId}/`);
const update = (authId: string, body: object) => api.call('POST', `${PATH}${authId}/`, { body });
const remove = (authId: string, options: object = {}) => api.call('DELETE', `${PATH}${authId}/`, options);
const isLetIn = async (as: Awaited<ReturnType<typeof add>>) =>
  (await api.call('GET', '/Verify/Session/', { as })).status === 200;

describe('§9 subaccounts', () => {
  test('are renamed, disabled and enabled; what is not sent stays', async () => {
    const made = await add({ name: 'Wayne', enabled: true });
    api.advance(1000);
    expect(await update(made.authId, { name: 'Kane' })).toMatchObject({
      status: 202,
      body: { message: 'changed', api_id: expect.any(String) },
    });
    expect((await get(made.authId)).body).toMatchObject({
      name: 'Kane',
      enabled: true,
      modified: '2026-01-31T08:52:40.363000Z',
    });
    await update(made.authId, { name: 'Kane', enabled: 'false' });
    expect(await isLetIn(made)).toBe(false);
    await update(made.authId, { enabled: true });
    expect(await isLetIn(made)).toBe(true);
    expect((await get(made.authId)).body.name).toBe('Kane');
  });

  test.each([
    ['name', {}],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\tb' }],
    ['enabled', { name: 'x', enabled: 1 }],
    ['enabled', { name: 'x', enabled: 'yes' }],
  ])('are refused with 400 naming %s: %j', async (name, body) => {
    const { status, body: answer } = await api.call('POST', PATH, { body });
    expect({ status, error: answer.error }).toEqual({ status: 400, error: expect.stringContaining(name) });
  });

  test('are not deleted while a session is live; afterwards their sessions stay listed', async () => {
    const made = await add({ name: 'x', enabled: true });
    const body = { recipient: '14155551234' };
    const { session_uuid } = (await api.call('POST', '/Verify/Session/', { as: made, body })).body;
    const refused = await remove(made.authId);
    expect(refused.status).toBe(409);
    expect(refused.body.error).toContain('live sessions');
    api.advance(600_000);
    expect((await remove(made.authId)).status).toBe(204);
    for (const query of ['', `?subaccount=${made.authId}`]) {
      const { sessions } = (await api.call('GET', `/Verify/Session/${query}`)).body;
      expect(sessions).toMatchObject([{ session_uuid, status: 'expired' }]);
    }
    expect((await api.call('GET', `/Verify/Session/${session_uuid}/`)).status).toBe(200);
  });
});

describe('§9 only a main account manages its subaccounts', () => {
  const calls: [string, () => string, object?][] = [
    ['GET', () => PATH],
    ['POST', () => PATH, { name: 'x' }],
    ['GET', () => `${PATH}${api.sub.authId}/`],
    ['POST', () => `${PATH}${api.sub.authId}/`, { name: 'x' }],
    ['DELETE', () => `${PATH}${api.sub.authId}/`],
  ];

  test.each(calls)(
    '%s %s: 404 on a subaccount’s own path, 401 on its main account’s',
    async (method, path, body) => {
      const own = await api.call(method, path(), { as: api.sub, body });
      const viaMain = await api.call(method, path(), { of: api.sub.authId, body });
      const others = await api.call(method, path(), { as: api.sub, of: api.main.authId, body });
      expect([own.status, viaMain.status, others.status]).toEqual([404, 404, 401]);
      expect(own.body.error).toContain('main account');
    },
  );

  test('and no other main account’s', async () => {
    const as = api.stranger;
    const statuses = [
      (await api.call('GET', `${PATH}${api.sub.authId}/`, { as })).status,
      (await api.call('POST', `${PATH}${api.sub.authId}/`, { as, body: { name: 'x' } })).status,
      (await remove(api.sub.authId, { as })).status,
      (await get(api.stranger.authId)).status,
      (await get('x')).status,
    ];
    expect(statuses).toEqual([404, 404, 404, 404, 404]);
  });
});

describe('§9 what a subaccount starts', () => {
  const start = async (as = api.sub) => {
    const body = { recipient: '14155551234' };
    return (await api.call('POST', '/Verify/Session/', { as, body })).body.session_uuid;
  };

  test('is retrieved and validated by the main account on its own path', async () => {
    const uuid = await start();
    expect((await api.call('GET', `/Verify/Session/${uuid}/`)).body.session_uuid).toBe(uuid);
    const { right } = await api.codes(uuid);
    const validated = await api.call('POST', `/Verify/Session/${uuid}/`, { body: { otp: right } });
    expect(validated.status).toBe(200);
    const again = { as: api.sub, body: { otp: right } };
    expect((await api.call('POST', `/Verify/Session/${uuid}/`, again)).body.error).toContain('already');
  });

  test('is not the main account’s to be seen by the subaccount, nor another subaccount’s', async () => {
    const other = await add({ name: 'other', enabled: true });
    for (const uuid of [await start(api.main), await start(other)]) {
      const { right } = await api.codes(uuid);
      const path = `/Verify/Session/${uuid}/`;
      expect((await api.call('GET', path, { as: api.sub })).status).toBe(404);
      expect((await api.call('POST', path, { as: api.sub, body: { otp: right } })).status).toBe(404);
    }
  });

  test('does not start with an application of the main account, nor the other way round', async () => {
    const mine = api.application.uuid;
    const own = await api.call('GET', '/Verify/Application/', { as: api.sub });
    const theirs = own.body.applications[0].app_uuid;
    const create = (as: typeof api.main, app_uuid: string) =>
      api.call('POST', '/Verify/Session/', { as, body: { recipient: '14155551234', app_uuid } });
    expect((await create(api.sub, mine)).status).toBe(404);
    expect((await create(api.main, theirs)).status).toBe(404);
    expect((await create(api.sub, theirs)).status).toBe(202);
  });
});

test('tokens of subaccounts appear in no log line', async () => {
  const { authId, token } = await add({ name: 'x', enabled: true });
  await get(authId);
  await api.call('GET', PATH);
  expect(api.logged.join('')).toContain('/Subaccount/');
  expect(api.logged.join('')).not.toContain(token);
});
