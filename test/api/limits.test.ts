import { afterEach, describe, expect, test } from 'vitest';
import type { Limits } from '#verify/limits.js';
import type { AccountId, Application } from '#verify/model.js';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

const PATH = '/Verify/Session/';
const HOUR = 3_600_000;

let api: ApiServer;
afterEach(() => api.close());

async function withLimits(limits: Partial<Limits>, trustProxy: ApiServer['context']['trustProxy'] = false) {
  api = await startApi({ limits: { ...LIMITS, ...limits }, trustProxy });
}
const creates = (changes: Partial<Limits['creates']>) => ({ creates: { ...LIMITS.creates, ...changes } });
const failures = (changes: Partial<Limits['failedAuthentications']>) => ({
  failedAuthentications: { ...LIMITS.failedAuthentications, ...changes },
});

let recipients = 0;
/** A create for a recipient that no other had. */
const create = (body: object = {}, options: Parameters<ApiServer['call']>[2] = {}) =>
  api.call('POST', PATH, { ...options, body: { recipient: `1415${5_600_000 + recipients++}`, ...body } });
const statuses = async (count: number, call: () => Promise<{ status: number }>) => {
  const all: number[] = [];
  for (let index = 0; index < count; index++) all.push((await call()).status);
  return all;
};

describe('limits on creates', () => {
  test('of an account: 429 with the seconds to wait and the limit’s name, and other accounts go on', async () => {
    await withLimits(creates({ perAccount: { count: 2, per: HOUR } }));
    expect(await statuses(2, create)).toEqual([202, 202]);
    const refused = await create();
    expect(refused).toMatchObject({
      status: 429,
      body: { error: expect.stringMatching(/creates per account/) },
    });
    expect(refused.headers.get('retry-after')).toBe('1800');
    expect((await create({}, { as: api.stranger })).status).toBe(202);
    expect((await api.call('GET', PATH)).status).toBe(200);
    api.advance(HOUR / 2);
    expect(await statuses(2, create)).toEqual([202, 429]);
  });

  test('of an application, and the account’s others go on', async () => {
    await withLimits(creates({ perApplication: { count: 1, per: 1_000 } }));
    const other: Application = await api.addApplication(api.main.authId);
    expect(await statuses(2, create)).toEqual([202, 429]);
    expect((await create({ app_uuid: other.uuid })).status).toBe(202);
    const refused = await create();
    expect(refused.body.error).toContain('creates per application');
    expect(refused.headers.get('retry-after')).toBe('1');
  });

  test('of a recipient are 120 in an hour by default, for each account', async () => {
    await withLimits({});
    const recipient = '14155551234';
    const sessions = async () => {
      api.change({ application: { maxAttempts: 1_000 } });
      return create({ recipient });
    };
    expect(await statuses(120, sessions)).toEqual(Array.from({ length: 120 }, () => 202));
    const refused = await sessions();
    expect(refused).toMatchObject({
      status: 429,
      body: { error: expect.stringMatching(/creates per recipient/) },
    });
    expect(await statuses(1, create)).toEqual([202]);
    expect((await create({ recipient }, { as: api.stranger })).status).toBe(202);
  });

  test('of a requester, told by a trusted proxy, where an IPv6 network of 64 bits is one', async () => {
    await withLimits(creates({ perAddress: { count: 1, per: HOUR } }), ['127.0.0.0/8']);
    const from = (address: string) => create({}, { headers: { 'x-forwarded-for': address } });
    expect((await from('192.0.2.1')).status).toBe(202);
    expect(await from('192.0.2.1')).toMatchObject({
      status: 429,
      body: { error: expect.stringMatching(/address/) },
    });
    expect((await from('192.0.2.2')).status).toBe(202);
    expect((await from('2001:db8:0:1::1')).status).toBe(202);
    expect((await from('2001:db8:0:1:ffff::2')).status).toBe(429);
    expect((await from('2001:db8:0:2::1')).status).toBe(202);
  });

  test('of a requester is the same one however its address is written, with a zone of whatever name', async () => {
    await withLimits(creates({ perAddress: { count: 1, per: HOUR } }), ['127.0.0.0/8']);
    const from = (address: string) => create({}, { headers: { 'x-forwarded-for': address } });
    expect((await from('fe80::1%br-1a2b')).status).toBe(202);
    expect((await from('fe80::2%eth0.100')).status).toBe(429);
    expect((await from('192.0.2.1')).status).toBe(202);
    expect((await from('::FFFF:192.0.2.1')).status).toBe(429);
    expect((await from('::ffff:c000:201')).status).toBe(429);
    expect((await from('::ffff:c000:202')).status).toBe(202);
  });

  test('a proxy that is not trusted cannot name another requester', async () => {
    await withLimits(creates({ perAddress: { count: 1, per: HOUR } }));
    const from = (address: string) => create({}, { headers: { 'x-forwarded-for': address } });
    expect((await from('192.0.2.1')).status).toBe(202);
    expect((await from('192.0.2.2')).status).toBe(429);
  });

  test('a create that one limit refuses is not counted by the others, nor is one that is invalid', async () => {
    const rate = { count: 2, per: HOUR };
    await withLimits(creates({ perAccount: rate, perRecipient: { count: 1, per: HOUR } }));
    const same = () => create({ recipient: '14155551234' });
    const invalid = () => create({ recipient: '123' });
    expect(await statuses(3, same)).toEqual([202, 429, 429]);
    expect(await statuses(3, invalid)).toEqual([400, 400, 400]);
    expect(await statuses(2, create)).toEqual([202, 429]);
  });

  test('one that the database could not take is not counted', async () => {
    await withLimits(creates({ perAccount: { count: 1, per: HOUR } }));
    api.store.failure = 'away';
    expect((await create()).status).toBe(503);
    api.store.failure = null;
    expect((await create()).status).toBe(202);
  });

  test('are counted for the operator', async () => {
    await withLimits(creates({ perAccount: { count: 1, per: HOUR } }));
    await statuses(3, create);
    const { values } = await api.context.metrics.limited.get();
    expect(values).toEqual([expect.objectContaining({ labels: { limit: 'creates_per_account' }, value: 2 })]);
  });
});

describe('the guard on authentication', () => {
  const wrong = (authId: string) => ({ authId: authId as AccountId, token: 'x'.repeat(40) });
  const list = (as: ReturnType<typeof wrong>, address: string) =>
    api.call('GET', PATH, { as, headers: { 'x-forwarded-for': address } });
  const guess = (authId: string, address: string) => list(wrong(authId), address);

  test('refuses an address that failed too often, even with the right credentials, until time has passed', async () => {
    await withLimits(failures({ perAddress: { count: 3, per: 60_000 } }), true);
    const { authId } = api.main;
    expect(await statuses(5, () => guess(authId, '192.0.2.1'))).toEqual([401, 401, 401, 429, 429]);
    const refused = await list(api.main, '192.0.2.1');
    expect(refused).toMatchObject({
      status: 429,
      body: { error: expect.stringContaining('authentications') },
    });
    expect(refused.headers.get('retry-after')).toBe('20');
    expect((await list(api.main, '192.0.2.2')).status).toBe(200);
    api.advance(20_000);
    expect((await list(api.main, '192.0.2.1')).status).toBe(200);
  });

  test('refuses guesses at one auth id from many addresses; its owner elsewhere goes on', async () => {
    await withLimits(failures({ perAuthId: { count: 3, per: HOUR } }), true);
    const { authId } = api.main;
    let host = 1;
    expect(await statuses(4, () => guess(authId, `192.0.2.${host++}`))).toEqual([401, 401, 401, 401]);
    for (const address of ['192.0.2.1', '192.0.2.4']) {
      expect((await guess(authId, address)).status).toBe(429);
      expect((await list(api.main, address)).status).toBe(429);
      expect((await list(api.stranger, address)).status).toBe(200);
    }
    expect((await list(api.main, '192.0.2.99')).status).toBe(200);
  });

  test('answers the same for an auth id that does not exist', async () => {
    await withLimits(
      failures({ perAuthId: { count: 2, per: HOUR }, perAddress: { count: 5, per: HOUR } }),
      true,
    );
    const answers = async (authId: string, address: string) => {
      const all = [];
      for (let index = 0; index < 4; index++) {
        const { status, body, headers } = await guess(authId, address);
        all.push([status, body.error, headers.get('retry-after')]);
      }
      return all;
    };
    const known = await answers(api.main.authId, '192.0.2.1');
    expect(known.map(([status]) => status)).toEqual([401, 401, 429, 429]);
    expect(await answers('MANOBODY000000000000', '192.0.2.2')).toEqual(known);
  });

  test('counts the right credentials on another account’s path, and nothing without credentials', async () => {
    await withLimits(failures({ perAddress: { count: 2, per: HOUR } }));
    expect(await statuses(5, () => api.call('GET', PATH, { as: null }))).toEqual([401, 401, 401, 401, 401]);
    const strange = () => api.call('GET', PATH, { of: api.stranger.authId });
    expect(await statuses(3, strange)).toEqual([401, 401, 429]);
  });

  test('never holds back right credentials alone', async () => {
    await withLimits(failures({ perAddress: { count: 1, per: HOUR }, perAuthId: { count: 1, per: HOUR } }));
    const call = () => api.call('GET', `${PATH}019c1341-1943-73cf-821f-d912d649c62a/`);
    expect(await statuses(5, call)).toEqual([404, 404, 404, 404, 404]);
  });
});
