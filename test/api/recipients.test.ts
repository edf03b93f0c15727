import { afterEach, expect, test } from 'vitest';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

let api: ApiServer;
afterEach(() => api.close());
const create = (body: object) => api.call('POST', '/Verify/Session/', { body });

test.each([
  ['19005551234', 'premium-rate'],
  ['979123456789', 'premium-rate'],
  ['4918012345678', 'shared-cost'],
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

test('§2 a country that is not permitted is 403 with its name, and so is no country at all', async () => {
  api = await startApi({ limits: { ...LIMITS, countries: ['US', 'FR'] } });
  const refused = await create({ recipient: '4915112345678' });
  expect(refused).toMatchObject({ status: 403, body: { error: expect.stringContaining('Germany (DE)') } });
  expect((await create({ recipient: '14155551234' })).status).toBe(202);
  expect((await create({ recipient: '33612345678' })).status).toBe(202);
});
