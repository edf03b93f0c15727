import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionId } from '#verify/model.js';
import { createRates, type RateCard } from '#verify/rate-card.js';
import { type ApiServer, startApi } from '../support/api-server.js';

const CARD: RateCard = {
  currency: 'USD',
  decimals: 5,
  validation: '0.05',
  increment: 60,
  rates: {
    sms: [
      { prefix: '', price: '0.1' },
      { prefix: '1', price: '0.021' },
    ],
    voice: [{ prefix: '', price: '0.0085' }],
  },
};
const TWICE_AS_LONG = ['щ'.repeat(100), '{brand_name}', '{code}'].join('$');
const TEST_NUMBER = { recipient: '14155550100', otp: '424242' };

let api: ApiServer;
/** The card that is in use: that of a later start when a test replaces it. */
let rates = createRates(CARD);
let plan: string | null;

beforeEach(async () => {
  rates = createRates(CARD);
  plan = 'inbox';
  api = await startApi({
    rates: {
      get decimals() {
        return rates.decimals;
      },
      get validation() {
        return rates.validation;
      },
      price: (channel, recipient) => rates.price(channel, recipient),
    },
    plan: () => plan,
  });
});
afterEach(() => api.close());

const retrieve = async (session: SessionId) =>
  (await api.call('GET', `/Verify/Session/${session}/`)).body.charges;

async function verify(session: SessionId): Promise<void> {
  const { right } = await api.codes(session);
  await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
}

test('§4 nothing is charged until a carrier took the message, then its segments by prefix', async () => {
  const session = await api.create();
  const abroad = await api.create({ recipient: '4915112345678', brand_name: 'щ'.repeat(50) });
  expect(await retrieve(session)).toMatchObject({
    total_charge: '0.00000',
    validation_charge: '0.00000',
    attempt_charges: [{ channel: 'sms', charge: '0.00000' }],
  });
  for (const each of [session, abroad]) await api.deliver(each);
  expect(await retrieve(session)).toEqual({
    total_charge: '0.02100',
    validation_charge: '0.00000',
    attempt_charges: [{ attempt_uuid: expect.any(String), channel: 'sms', charge: '0.02100' }],
  });
  expect(await retrieve(abroad)).toMatchObject({ total_charge: '0.20000' });
});

test('§4 a resend on another channel has a charge of its own, and being verified one more, once', async () => {
  const session = await api.create();
  await api.deliver(session);
  await api.create({ channel: 'voice' });
  await api.deliver(session);
  await verify(session);
  await verify(session);
  const charges = {
    total_charge: '0.07950',
    validation_charge: '0.05000',
    attempt_charges: [
      { channel: 'sms', charge: '0.02100' },
      { channel: 'voice', charge: '0.00850' },
    ],
  };
  expect(await retrieve(session)).toMatchObject(charges);
  const { body } = await api.call('GET', '/Verify/Session/');
  expect(body.sessions).toMatchObject([{ session_uuid: session, charges }]);
});

test('§4 an attempt that failed before any carrier took it costs nothing', async () => {
  plan = null;
  const session = await api.create();
  expect(await retrieve(session)).toMatchObject({
    total_charge: '0.00000',
    attempt_charges: [{ charge: '0.00000' }],
  });
});

test('§4 a test number costs nothing, verified or not', async () => {
  const { recipient, otp } = TEST_NUMBER;
  api.change({ application: { testNumbers: [{ recipient: recipient as never, otp }] } });
  const session = await api.create({ recipient });
  await verify(session);
  const { body } = await api.call('GET', `/Verify/Session/${session}/`);
  expect(body).toMatchObject({
    status: 'verified',
    charges: { total_charge: '0.00000', validation_charge: '0.00000' },
    attempt_details: [{ status: 'delivered' }],
  });
});

test('§4 another card, or another template, does not change what was accepted before', async () => {
  const session = await api.create();
  rates = createRates({ ...CARD, decimals: 2, validation: '7', rates: { sms: [], voice: [] } });
  api.change({ application: { template: TWICE_AS_LONG } });
  await api.deliver(session);
  await verify(session);
  // Two decimals are the new card's: an amount that needs more has them.
  expect(await retrieve(session)).toMatchObject({ total_charge: '0.071', validation_charge: '0.050' });
  rates = createRates(null);
  expect(await retrieve(session)).toMatchObject({
    total_charge: '0.071',
    attempt_charges: [{ charge: '0.021' }],
  });
  const later = await api.create();
  await api.deliver(later);
  await verify(later);
  expect(await retrieve(later)).toMatchObject({
    total_charge: '0',
    validation_charge: '0',
    attempt_charges: [{ charge: '0' }],
  });
});

test('§4 a create that is repeated by its Idempotency-Key is charged once', async () => {
  const create = () =>
    api.call('POST', '/Verify/Session/', {
      body: { recipient: '14155551234' },
      headers: { 'idempotency-key': 'key-1' },
    });
  const { session_uuid: session } = (await create()).body;
  expect((await create()).body.session_uuid).toBe(session);
  await api.deliver(session);
  const charges = await retrieve(session);
  expect(charges.total_charge).toBe('0.02100');
  expect(charges.attempt_charges).toHaveLength(1);
});
