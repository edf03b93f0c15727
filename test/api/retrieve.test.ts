import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';
import { newId } from '../support/rows.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const retrieve = (session: string, as = api.main) => api.call('GET', `/Verify/Session/${session}/`, { as });

test('§4 a session is shown whole', async () => {
  const session = await api.create({ brand_name: 'Acme' });
  api.advance(1916);
  await api.deliver(session);
  const answer = await retrieve(session);
  expect(answer.status).toBe(200);
  const attempt_uuid = answer.body.attempt_details[0].attempt_uuid;
  expect(answer.body).toEqual({
    api_id: expect.any(String),
    session_uuid: session,
    app_uuid: api.application.uuid,
    alias: 'default',
    recipient: '14155551234',
    channel: 'sms',
    locale: 'en',
    status: 'in-progress',
    count: 1,
    requestor_ip: '127.0.0.1',
    destination_country_iso2: 'US',
    destination_network: null,
    attempt_details: [
      {
        channel: 'sms',
        attempt_uuid,
        status: 'delivered',
        time: '2026-01-31T08:52:39.363000Z',
        brand_name: 'Acme',
        app_hash: '',
        code_length: 6,
        fraud_check: 'enabled',
      },
    ],
    charges: {
      total_charge: '0',
      validation_charge: '0',
      attempt_charges: [{ attempt_uuid, channel: 'sms', charge: '0' }],
    },
    created_at: '2026-01-31T08:52:39.363000Z',
    updated_at: '2026-01-31T08:52:41.279000Z',
  });
});

test('§4 the answer holds no code', async () => {
  const session = await api.create({ otp: '80917263' });
  expect(JSON.stringify((await retrieve(session)).body)).not.toContain('80917263');
});

test('§4 attempts are listed in order, and dtmf is shown only where it was set', async () => {
  const session = await api.create();
  await api.create({ channel: 'voice', dtmf: 0, locale: 'es' });
  const { body } = await retrieve(session);
  expect(body).toMatchObject({ count: 2, channel: 'voice', locale: 'es' });
  expect(body.attempt_details).toMatchObject([{ channel: 'sms' }, { channel: 'voice', dtmf: 0 }]);
  expect(body.attempt_details[0]).not.toHaveProperty('dtmf');
  expect(body.charges.attempt_charges).toHaveLength(2);
});

test('§4 a session whose time has passed reads expired at once', async () => {
  const session = await api.create();
  api.advance(599_999);
  expect((await retrieve(session)).body.status).toBe('in-progress');
  api.advance(1);
  expect((await retrieve(session)).body.status).toBe('expired');
});

test('§4 a verified session stays verified after its time', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
  api.advance(700_000);
  expect((await retrieve(session)).body.status).toBe('verified');
});

test('§4 times have six fractional digits and Z, and are never empty', async () => {
  const { body } = await retrieve(await api.create());
  for (const time of [body.created_at, body.updated_at, body.attempt_details[0].time]) {
    expect(time).toMatch(TIME);
  }
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
