import { afterEach, describe, expect, test } from 'vitest';
import type { AccountId } from '#verify/model.js';
import { type ApiServer, type Credentials, LIMITS, START, startApi } from '../support/api-server.js';

let api: ApiServer;
afterEach(() => api.close());
const create = (body: object) => api.call('POST', '/Verify/Session/', { body });

test.each([
  ['19005551234', 'premium-rate'],
  ['979123456789', 'premium-rate'],
  ['4918012345678', 'shared-cost'],
  ['447012345678', 'personal number'],
  ['447640123456', 'pager'],
  ['41860211234567', 'voicemail'],
  ['870773111632', 'satellite'],
  ['881612345678', 'satellite'],
  ['883510012345', 'international network'],
])('§2 %s is refused on either channel as %s', async (recipient, reason) => {
  api = await startApi();
  for (const channel of ['sms', 'voice']) {
    const { status, body } = await create({ recipient, channel });
    expect(status).toBe(400);
    expect(body.error).toMatch(/^recipient is a /);
    expect(body.error).toContain(reason);
  }
});

test('§2 a fixed line is refused by SMS and called by voice; what may be either gets an SMS', async () => {
  api = await startApi();
  const fixed = await create({ recipient: '493012345678' });
  expect(fixed).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/^recipient is a fixed line/) },
  });
  expect((await create({ recipient: '493012345678', channel: 'voice' })).status).toBe(202);
  expect((await create({ recipient: '12125551234' })).status).toBe(202);
});

test.each([
  ['493012345678', 'fixed-line'],
  ['443001234567', 'company-number'],
  ['19005551234', 'premium-rate'],
  ['4918012345678', 'shared-cost'],
  ['447012345678', 'personal-number'],
  ['447640123456', 'pager'],
  ['41860211234567', 'voicemail'],
  ['881612345678', 'satellite'],
  ['883510012345', 'international-network'],
])('§2 %s is accepted by an application that allows %s, and by no other', async (recipient, type) => {
  api = await startApi();
  const refused = await create({ recipient });
  expect(refused.status).toBe(400);
  expect(refused.body.error).toContain(`${type} in number_types`);

  const made = await api.call('POST', '/Verify/Application/', { body: { number_types: [type] } });
  const { app_uuid } = made.body;
  const { session_uuid } = (await create({ recipient, app_uuid })).body;
  const { body } = await api.call('GET', `/Verify/Session/${session_uuid}/`);
  expect(body).toMatchObject({ recipient, app_uuid });

  await api.call('POST', `/Verify/Application/${app_uuid}/`, { body: { number_types: [] } });
  expect((await create({ recipient, app_uuid })).status).toBe(400);
  expect((await create({ recipient })).status).toBe(400);
});

test('§2 a country that is not permitted is 403 with its name, and so is no country at all', async () => {
  api = await startApi({ limits: { ...LIMITS, countries: ['US', 'FR'] } });
  const refused = await create({ recipient: '4915112345678' });
  expect(refused).toMatchObject({ status: 403, body: { error: expect.stringContaining('Germany (DE)') } });
  expect((await create({ recipient: '14155551234' })).status).toBe(202);
  expect((await create({ recipient: '33612345678' })).status).toBe(202);
});

describe('§2 the countries of an account', () => {
  const us = '14155551234';
  const de = '4915112345678';
  const fr = '33612345678';
  /** The statuses of creates for the three, in this order. */
  const statuses = async (options: { as?: Credentials; of?: AccountId } = {}) => {
    const found: number[] = [];
    for (const recipient of [us, de, fr]) {
      found.push((await api.call('POST', '/Verify/Session/', { body: { recipient }, ...options })).status);
    }
    return found;
  };
  /** As another process would: this one's caches are not told. */
  const restrict = async (authId: AccountId, countries: readonly string[] | null) => {
    await api.store.submit({ type: 'update-account', now: START, authId, changes: { countries } });
    api.advance(1_000);
  };

  test('are seen within a second, and refuse with 403 and the name of the country', async () => {
    api = await startApi();
    expect(await statuses()).toEqual([202, 202, 202]);
    await restrict(api.main.authId, ['US', 'FR']);
    expect(await create({ recipient: de })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('Germany (DE)') },
    });
    expect(await statuses()).toEqual([202, 403, 202]);
    expect(await statuses({ as: api.stranger })).toEqual([202, 202, 202]);
    await restrict(api.main.authId, null);
    expect(await statuses()).toEqual([202, 202, 202]);
  });

  test('hold beside those of the server: both must permit', async () => {
    api = await startApi({ limits: { ...LIMITS, countries: ['US', 'DE'] } });
    await restrict(api.main.authId, ['DE', 'FR']);
    expect(await statuses()).toEqual([403, 202, 403]);
  });

  test('bind its subaccounts beside their own, whoever acts for them', async () => {
    api = await startApi();
    const asSub = { as: api.sub };
    await restrict(api.main.authId, ['US', 'DE']);
    expect(await statuses(asSub)).toEqual([202, 202, 403]);
    await restrict(api.sub.authId, ['DE', 'FR']);
    expect(await statuses(asSub)).toEqual([403, 202, 403]);
    expect(await statuses({ of: api.sub.authId })).toEqual([403, 202, 403]);
    expect(await statuses()).toEqual([202, 202, 403]);
  });
});
