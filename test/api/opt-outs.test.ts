import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountId, Recipient } from '#verify/model.js';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const PATH = '/Verify/OptOut/';
const RECIPIENT = '14155551234';

const add = (recipient: unknown = RECIPIENT, options: object = {}) =>
  api.call('POST', PATH, { body: { recipient }, ...options });
const get = (recipient = RECIPIENT, options: object = {}) =>
  api.call('GET', `${PATH}${encodeURIComponent(recipient)}/`, options);
const remove = (recipient = RECIPIENT, options: object = {}) =>
  api.call('DELETE', `${PATH}${encodeURIComponent(recipient)}/`, options);
const listed = async (query = '') =>
  (await api.call('GET', `${PATH}${query}`)).body.opt_outs.map(
    (each: { recipient: string }) => each.recipient,
  );

describe('an opt-out', () => {
  test('made again keeps its time and source', async () => {
    await api.store.submit({
      type: 'opt-out',
      optOut: {
        account: api.main.authId,
        recipient: RECIPIENT as Recipient,
        source: 'message',
        carrier: 'gateway',
        createdAt: 1_700_000_000_000,
      },
    });
    const again = await add();
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({
      source: 'message',
      carrier: 'gateway',
      created_at: expect.stringMatching(/^2023-11-14T/),
    });
  });

  test.each([
    [{}, 'recipient is required'],
    [{ recipient: null }, 'recipient is required'],
    [{ recipient: '12' }, 'recipient is not a valid phone number in international format'],
    [{ recipient: [1] }, 'recipient must be a phone number in international format'],
    [{ recipent: RECIPIENT }, '"recipent" is not a field of this request, did you mean recipient?'],
  ])('of %j is refused', async (body, error) => {
    const answer = await api.call('POST', PATH, { body });
    expect([answer.status, answer.body.error]).toEqual([400, error]);
  });

  test('cannot be seen or lifted by the subaccounts, for which it holds too', async () => {
    await add();
    const as = { as: api.sub, of: api.sub.authId };
    for (const answer of [await get(RECIPIENT, as), await remove(RECIPIENT, as), await add(RECIPIENT, as)]) {
      expect([answer.status, answer.body.error]).toEqual([404, expect.stringContaining('main account')]);
    }
    expect((await get()).status).toBe(200);
  });

  test("is nobody else's", async () => {
    await add();
    const as = { as: api.stranger, of: api.stranger.authId as AccountId };
    expect((await get(RECIPIENT, as)).status).toBe(404);
    expect((await remove(RECIPIENT, as)).status).toBe(404);
    expect((await get(RECIPIENT, { as: null })).status).toBe(401);
  });

  test.each(['14155559999', 'nobody', '%2F', '1'.repeat(40)])(
    'of %s, who did not opt out, is not there',
    async (who) => {
      expect((await get(who)).status).toBe(404);
      expect((await remove(who)).status).toBe(404);
    },
  );
});

describe('the list', () => {
  test('has pages, newest first', async () => {
    const all = [];
    for (let n = 0; n < 5; n++) {
      api.advance(1_000);
      all.unshift((await add(`1415555010${n}`)).body.recipient);
    }
    expect(await listed()).toEqual(all);
    const page = await api.call('GET', `${PATH}?limit=2&offset=2`);
    expect(page.body.opt_outs.map((each: { recipient: string }) => each.recipient)).toEqual(all.slice(2, 4));
    expect(page.body.meta).toEqual({
      limit: 2,
      offset: 2,
      next: `/v1/Account/${api.main.authId}${PATH}?limit=2&offset=4`,
      previous: `/v1/Account/${api.main.authId}${PATH}?limit=2&offset=0`,
    });
    expect((await api.call('GET', `${PATH}?limit=21`)).status).toBe(400);
  });
});
