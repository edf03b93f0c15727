import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startCountersign } from '../e2e/support.js';
import { type ApiServer, startApi } from '../support/api-server.js';
import { section } from './section.js';
import { startWorld } from './world.js';

/** Like `2026-01-31T08:52:39.363253Z`. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const DECIMAL = /^\d+(\.\d+)?$/;

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

let recipients = 0;
const newRecipient = () => `1415${5_600_000 + recipients++}`;
const create = (fields: object = {}) => api.create({ recipient: newRecipient(), ...fields });
const retrieve = async (session: string) => {
  const { status, body } = await api.call('GET', `/Verify/Session/${session}/`);
  expect(status).toBe(200);
  return body;
};

const proves = section(4);

describe('§4 Retrieve', () => {
  proves(
    ['Retrieve: GET …/Verify/Session/{session_uuid}/ → 200', '"requestor_ip": "192.0.2.10"'],
    async () => {
      // This number has no network, which is null then.
      const session = await create({ recipient: '14155551234', brand_name: 'Acme' });
      const created = api.context.environment.now();
      api.advance(1916);
      await api.deliver(session);
      const body = await retrieve(session);
      const attempt_uuid = body.attempt_details[0].attempt_uuid;
      const at = (time: number) => new Date(time).toISOString().replace('Z', '000Z');
      expect(body).toEqual({
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
            attempt_uuid: expect.stringMatching(/^.{36}$/),
            status: 'delivered',
            time: at(created),
            brand_name: 'Acme',
            app_hash: '',
            code_length: 6,
            fraud_check: 'enabled',
          },
        ],
        charges: {
          total_charge: expect.stringMatching(DECIMAL),
          validation_charge: expect.stringMatching(DECIMAL),
          attempt_charges: [{ attempt_uuid, channel: 'sms', charge: expect.stringMatching(DECIMAL) }],
        },
        created_at: at(created),
        updated_at: at(created + 1916),
      });
    },
  );

  proves('status: in-progress, verified, expired', async () => {
    const [live, verified] = [await create(), await create()];
    const { right } = await api.codes(verified);
    await api.call('POST', `/Verify/Session/${verified}/`, { body: { otp: right } });
    expect((await retrieve(live)).status).toBe('in-progress');
    expect((await retrieve(verified)).status).toBe('verified');
    api.advance(600_000);
    expect((await retrieve(live)).status).toBe('expired');
    expect((await retrieve(verified)).status).toBe('verified');
  });

  proves(
    'A session whose time has passed reads expired at once, whether or not anything has swept it',
    async () => {
      const server = await startCountersign();
      const { sessionUuid } = await server.sessions().create({ recipient: '+14155551234' });
      const status = async () => (await server.get(`/Verify/Session/${sessionUuid}/`)).status;
      await server.inbox(1);
      const swept = () => server.metric('countersign_sessions_total{event="expired"}');

      await server.time.advance(599_999);
      expect([await status(), await swept()]).toEqual(['in-progress', 0]);
      await server.time.advance(1);
      expect(await status()).toBe('expired');
      await server.passUntilSwept(1_000);
      await server.until('it is swept', async () => (await swept()) === 1);
      expect(await status()).toBe('expired');
    },
  );

  proves('count is an integer, the number of attempts', async () => {
    const recipient = newRecipient();
    const session = await create({ recipient });
    expect((await retrieve(session)).count).toBe(1);
    await create({ recipient, channel: 'voice' });
    await create({ recipient });
    const { count, attempt_details } = await retrieve(session);
    expect(count).toBe(3);
    expect(attempt_details.map(({ channel }: { channel: string }) => channel)).toEqual([
      'sms',
      'voice',
      'sms',
    ]);
  });

  proves(['Times: UTC, RFC 3339, six fractional digits, Z', 'never an empty string'], async () => {
    const session = await create();
    const { created_at, updated_at, attempt_details } = await retrieve(session);
    const now = api.context.environment.now();
    for (const time of [created_at, updated_at, attempt_details[0].time]) {
      expect(time).toMatch(TIME);
      expect(Date.parse(time)).toBe(now);
    }
  });

  proves('alias and locale are always present', async () => {
    for (const fields of [{}, { locale: null }, { locale: 'xx' }]) {
      const body = await retrieve(await create(fields));
      expect(body.alias).toMatch(/./);
      expect(body.locale).toMatch(/^(en|xx)$/);
    }
  });

  proves('dtmf appears on an attempt only when it was set', async () => {
    const recipient = newRecipient();
    const session = await create({ recipient });
    await create({ recipient, channel: 'voice' });
    await create({ recipient, channel: 'voice', dtmf: 0 });
    const [sms, without, withKey] = (await retrieve(session)).attempt_details;
    expect(sms).not.toHaveProperty('dtmf');
    expect(without).not.toHaveProperty('dtmf');
    expect(withKey.dtmf).toBe(0);
  });

  proves('code_length is an integer', async () => {
    for (const fields of [{ code_length: 4 }, { code_length: 8 }, { otp: '12345' }]) {
      const [{ code_length }] = (await retrieve(await create(fields))).attempt_details;
      expect(code_length).toBe('otp' in fields ? 5 : fields.code_length);
    }
  });

  proves("destination_network is the network that the number's range was given to, null where", async () => {
    for (const [recipient, network] of [
      ['4915112345678', 'T-Mobile'],
      ['447400123456', 'Three'],
      // Its country gives no ranges to networks.
      ['14155559876', null],
    ]) {
      const session = await create({ recipient });
      expect((await retrieve(session)).destination_network).toBe(network);
      const { sessions } = (await api.call('GET', `/Verify/Session/?recipient=${recipient}`)).body;
      expect(sessions).toMatchObject([{ session_uuid: session, destination_network: network }]);
    }
  });

  proves(['Charges are decimal strings', 'charges is always an object'], async () => {
    const recipient = newRecipient();
    const session = await create({ recipient });
    await create({ recipient, channel: 'voice' });
    const { right } = await api.codes(session);
    const charges: { total_charge: unknown; validation_charge: unknown; attempt_charges: [] }[] = [];
    charges.push((await retrieve(session)).charges);
    await api.deliver(session);
    await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
    charges.push((await retrieve(session)).charges);
    const listed = (await api.call('GET', `/Verify/Session/?recipient=${recipient}`)).body.sessions;
    charges.push(listed[0].charges);
    for (const { total_charge, validation_charge, attempt_charges } of charges) {
      expect(total_charge).toMatch(DECIMAL);
      expect(validation_charge).toMatch(DECIMAL);
      expect(attempt_charges).toEqual(
        ['sms', 'voice'].map((channel) => ({
          attempt_uuid: expect.stringMatching(/^.{36}$/),
          channel,
          charge: expect.stringMatching(DECIMAL),
        })),
      );
    }
  });

  proves(
    [
      'They come from the operator\'s [rate card](charges.md) and are "0" without one',
      "the currency is the card's and not on the wire",
    ],
    async () => {
      const card = {
        validation: '0.05',
        sms: { default: '0.1', 1: '0.0079', 1415: '0.021' },
        voice: { default: '0.2' },
      };
      /** What the wire says of a verified session. */
      const charged = async (rates?: object) => {
        const world = await startWorld({ lifetime: 'test', rates });
        const session = await world.create();
        const [message] = await world.messages(session);
        await world.report(message!, 'delivered');
        await world.validate(session, { otp: message!.code });
        return world.retrieve(session);
      };
      const dollars = await charged({ ...card, currency: 'USD' });
      const attempt = (charge: string) => [{ attempt_uuid: expect.any(String), channel: 'sms', charge }];
      expect(dollars.charges).toEqual({
        total_charge: '0.07100',
        validation_charge: '0.05000',
        attempt_charges: attempt('0.02100'),
      });
      const yen = await charged({ ...card, currency: 'JPY' });
      expect(yen.charges).toEqual({ ...dollars.charges, attempt_charges: attempt('0.02100') });
      for (const each of [dollars, yen]) expect(JSON.stringify(each)).not.toMatch(/USD|JPY|currency/);
      expect((await charged()).charges).toEqual({
        total_charge: '0',
        validation_charge: '0',
        attempt_charges: attempt('0'),
      });
    },
  );
});
