import { afterEach, expect, test } from 'vitest';
import type { AccountId } from '#verify/model.js';
import { type ApiServer, type Credentials, LIMITS, START, startApi } from '../support/api-server.js';

let api: ApiServer;
afterEach(() => api.close());
const create = (body: object) => api.call('POST', '/Verify/Session/', { body });

test('§2 what belongs to no country is 403 where only some are permitted, also if its kind is allowed', async () => {
  api = await startApi({ limits: { ...LIMITS, countries: ['US', 'FR'] } });
  api.change({ application: { numberTypes: ['satellite'] } });
  expect(await create({ recipient: '881612345678' })).toMatchObject({
    status: 403,
    body: { error: expect.stringContaining('belongs to no country') },
  });
});

test('§2 a change of the countries of an account by another process is seen within a second', async () => {
  api = await startApi();
  /** The statuses of creates for the United States, Germany and France. */
  const statuses = async (as: Credentials) => {
    const found: number[] = [];
    for (const recipient of ['14155551234', '4915112345678', '33612345678']) {
      found.push((await api.call('POST', '/Verify/Session/', { body: { recipient }, as })).status);
    }
    return found;
  };
  /** This process's caches are not told. */
  const restrict = async (authId: AccountId, countries: readonly string[] | null) => {
    await api.store.submit({ type: 'update-account', now: START, authId, changes: { countries } });
    api.advance(1_000);
  };
  const expectStatuses = async (main: number[], sub: number[]) => {
    expect([await statuses(api.main), await statuses(api.sub)]).toEqual([main, sub]);
    expect(await statuses(api.stranger)).toEqual([202, 202, 202]);
  };
  await expectStatuses([202, 202, 202], [202, 202, 202]);
  await restrict(api.main.authId, ['US', 'FR']);
  await expectStatuses([202, 403, 202], [202, 403, 202]);
  await restrict(api.sub.authId, ['DE', 'FR']);
  await expectStatuses([202, 403, 202], [403, 403, 202]);
  await restrict(api.main.authId, null);
  await expectStatuses([202, 202, 202], [403, 202, 202]);
});
