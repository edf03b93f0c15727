import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallbackTried } from '#verify/commands.js';
import type { SessionId } from '#verify/model.js';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

const URL_OF_CUSTOMER = 'https://customer.example/status?key=abc';
const NOBODY = '00000000-0000-7000-8000-000000000000';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const pathOf = (session: string) => `/Verify/Session/${session}/Callback/`;
const log = async (session: string, options: Parameters<ApiServer['call']>[2] = {}) =>
  api.call('GET', pathOf(session), options);
const redeliver = (session: string, id: string, options: Parameters<ApiServer['call']>[2] = {}) =>
  api.call('POST', `${pathOf(session)}${id}/Redeliver/`, options);
const idOf = async (session: string, index = 0): Promise<string> =>
  (await log(session)).body.callbacks[index].callback_id;

/** Records how a try of a callback of the session's first attempt ended, as the callbacks do. */
async function called(session: SessionId, sequence: number, changes: Partial<CallbackTried> = {}) {
  const attempt = (await api.store.read.session(session))!.attempts[0]!.uuid;
  const { triesBefore } = api.store.database.callback(attempt, sequence)!;
  const outcome = await api.store.submit({
    type: 'callback-tried',
    now: api.context.environment.now(),
    owner: api.store.epoch,
    attempt,
    sequence,
    ok: true,
    retriable: true,
    httpStatus: 204,
    reason: null,
    latency: 12,
    triesBefore,
    ...changes,
  });
  expect(outcome.kind).toBe('recorded');
}

describe('§6 the log of callbacks', () => {
  test('of several attempts is in the order of the events', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    api.advance(1_000);
    await api.create({ url: URL_OF_CUSTOMER, channel: 'voice' });
    await api.deliver(session);
    api.advance(1_000);
    const first = (await api.store.read.session(session))!.attempts[0]!.uuid;
    await api.store.submit({
      type: 'hop-accepted',
      now: api.context.environment.now(),
      owner: api.store.epoch,
      attempt: first,
      number: 1,
      carrier: 'inbox',
      messageId: null,
    });
    const { body } = await log(session);
    expect(
      body.callbacks.map((each: Record<string, string>) => `${each.channel} ${each.channel_status}`),
    ).toEqual(['sms queued', 'voice ringing', 'voice in-progress', 'voice completed', 'sms sent']);
  });

  test('shows the latest 20 tries of a callback, and how many there were', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    for (let round = 0; round < 25; round++) {
      if (round > 0) expect((await redeliver(session, await idOf(session))).status).toBe(202);
      await called(session, 1, { latency: round });
    }
    const [callback] = (await log(session)).body.callbacks;
    expect(callback.tries_made).toBe(25);
    expect(callback.tries.map((each: { latency_ms: number }) => each.latency_ms)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 5),
    );
  });

  test('is there for the main account of a subaccount, and 404 for everyone else', async () => {
    const create = { as: api.sub, body: { recipient: '14155551234', url: URL_OF_CUSTOMER } };
    const session = (await api.call('POST', '/Verify/Session/', create)).body.session_uuid;
    for (const options of [{ as: api.sub }, { as: api.main }, { as: api.main, of: api.sub.authId }]) {
      expect((await log(session, options)).body.callbacks).toHaveLength(1);
    }
    const own = await api.create({ url: URL_OF_CUSTOMER });
    for (const [uuid, as] of [
      [session, api.stranger],
      [own, api.sub],
      [NOBODY, api.main],
      ['none', api.main],
    ] as const) {
      const answer = await log(uuid, { as });
      expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining('session_uuid') } });
    }
    expect((await log(own, { as: null })).status).toBe(401);
  });

  test('is gone with its session', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    const id = await idOf(session);
    await called(session, 1);
    api.advance(90 * 86_400_000 + 1);
    expect((await log(session)).status).toBe(404);
    expect((await redeliver(session, id)).status).toBe(404);
  });
});

describe('§6 a redelivery', () => {
  test('takes a path without its last slash, an id in upper case, and any JSON body', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    await called(session, 1);
    const id = (await idOf(session)).toUpperCase();
    const path = `${pathOf(session.toUpperCase())}${id}/Redeliver`;
    expect((await api.call('POST', path, { body: { any: 1 } })).status).toBe(202);
  });

  test('asked for many times at once is accepted once', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    await called(session, 1);
    const id = await idOf(session);
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeliver(session, id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(409)]);
  });

  test('is 404 for what is no callback of the session, or not the caller’s', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    const other = await api.create({ url: URL_OF_CUSTOMER, recipient: '14155559876' });
    await called(session, 1);
    await called(other, 1);
    const id = await idOf(session);
    const missing = [`${NOBODY}.1`, `${id}0`, id.replace(/\.1$/, '.2'), id.replace('.', '-'), 'x', '%20'];
    for (const each of missing) {
      expect(await redeliver(session, each)).toMatchObject({
        status: 404,
        body: { error: expect.stringContaining('callback_id') },
      });
    }
    expect((await redeliver(other, id)).status).toBe(404);
    expect((await redeliver(NOBODY, id)).status).toBe(404);
    expect((await redeliver(session, id, { as: api.stranger })).status).toBe(404);
    expect((await redeliver(session, id, { as: api.sub })).status).toBe(404);
    expect((await redeliver(session, id, { as: null })).status).toBe(401);
    expect((await redeliver(session, id)).status).toBe(202);
  });

  test('of a subaccount’s callback is its own and its main account’s to ask for', async () => {
    const create = { as: api.sub, body: { recipient: '14155551234', url: URL_OF_CUSTOMER } };
    const session = (await api.call('POST', '/Verify/Session/', create)).body.session_uuid;
    const id = (await log(session, { as: api.sub })).body.callbacks[0].callback_id;
    for (const as of [api.sub, api.main]) {
      await called(session, 1);
      expect((await redeliver(session, id, { as })).status).toBe(202);
    }
  });

  test('has a path of its own: that of a callback alone is 404', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    const answer = await api.call('GET', `${pathOf(session)}${await idOf(session)}/`);
    expect(answer.status).toBe(404);
  });

  test('is 503 while the database is away, and nothing was done', async () => {
    const session = await api.create({ url: URL_OF_CUSTOMER });
    await called(session, 1);
    const id = await idOf(session);
    api.store.failure = 'away';
    expect((await redeliver(session, id)).status).toBe(503);
    api.store.failure = null;
    expect((await log(session)).body.callbacks[0]).toMatchObject({ state: 'delivered', tries_made: 1 });
  });

  test('is limited for each account: 429 with the seconds to wait', async () => {
    await api.close();
    api = await startApi({ limits: { ...LIMITS, redeliveriesPerAccount: { count: 2, per: 60_000 } } });
    const session = await api.create({ url: URL_OF_CUSTOMER });
    const id = await idOf(session);
    for (const expected of [202, 202, 429]) {
      if (expected === 202) await called(session, 1);
      const answer = await redeliver(session, id);
      expect(answer.status).toBe(expected);
      if (expected === 429) expect(answer.headers.get('retry-after')).toBe('30');
    }
    expect((await redeliver(session, id, { as: api.stranger })).status).toBe(404);
    api.advance(30_000);
    await called(session, 1);
    expect((await redeliver(session, id)).status).toBe(202);
  });
});
