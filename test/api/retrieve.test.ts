import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';
import { newId } from '../support/rows.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const retrieve = (session: string, as = api.main) => api.call('GET', `/Verify/Session/${session}/`, { as });

test('§4 the answer holds no code', async () => {
  const session = await api.create({ otp: '80917263' });
  expect(JSON.stringify((await retrieve(session)).body)).not.toContain('80917263');
});

test('§4 a number of no country has a null country', async () => {
  const uuid = await api.create();
  const session = api.store.database.session(uuid)!;
  api.store.database.put('session', { ...session, country: null });
  const { body } = await retrieve(uuid);
  expect(body.destination_country_iso2).toBeNull();
});

test('§4 behind a trusted proxy the requestor is who the proxy says, elsewhere the peer', async () => {
  const headers = { 'x-forwarded-for': '192.0.2.10' };
  const create = async () => {
    const body = { recipient: '14155551234' };
    const answer = await api.call('POST', '/Verify/Session/', { body, headers });
    return (await retrieve(answer.body.session_uuid)).body.requestor_ip;
  };
  expect(await create()).toBe('127.0.0.1');
  await api.close();
  api = await startApi({ trustProxy: ['127.0.0.0/8'] });
  expect(await create()).toBe('192.0.2.10');
});

test('§4 an address that is none is not stored', async () => {
  await api.close();
  api = await startApi({ trustProxy: true });
  const headers = { 'x-forwarded-for': `nonsense${'x'.repeat(3000)}` };
  const answer = await api.call('POST', '/Verify/Session/', { body: { recipient: '14155551234' }, headers });
  expect((await retrieve(answer.body.session_uuid)).body.requestor_ip).toBe('');
});

test('§4 a session that does not exist, another account’s, or no UUID: 404', async () => {
  const session = await api.create();
  for (const answer of [
    await retrieve(newId()),
    await retrieve('no-uuid'),
    await retrieve(session, api.stranger),
    await retrieve(session, api.sub),
  ]) {
    expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining('session') } });
  }
});

test('§4 a uuid in capitals is the same uuid', async () => {
  const session = await api.create();
  expect((await retrieve(session.toUpperCase())).status).toBe(200);
});
