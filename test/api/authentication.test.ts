import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenPlace } from '#verify/keyring.js';
import type { AccountId } from '#verify/model.js';
import { type ApiServer, basic, START, startApi } from '../support/api-server.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LIST = '/Verify/Session/';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const as = (authId: string, token: string) => ({ authId: authId as AccountId, token });

test('§1 the auth id and token of the account in the path are let in', async () => {
  expect((await api.call('GET', LIST)).status).toBe(200);
});

test('§1 a main account is let in to its subaccount, and sees on its own path what it starts there', async () => {
  const body = { recipient: '14155551234' };
  const created = await api.call('POST', LIST, { of: api.sub.authId, body });
  expect(created.status).toBe(202);
  const path = `${LIST}${created.body.session_uuid}/`;
  expect((await api.call('GET', path, { as: api.sub })).status).toBe(200);
  expect((await api.call('GET', path)).status).toBe(200);
  expect((await api.call('GET', path, { as: api.stranger })).status).toBe(404);
});

test('§1 a subaccount is not let in to its main account, nor anyone to a stranger', async () => {
  const refused = await Promise.all([
    api.call('GET', LIST, { as: api.sub, of: api.main.authId }),
    api.call('GET', LIST, { of: api.stranger.authId }),
    api.call('GET', LIST, { as: api.stranger, of: api.sub.authId }),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
});

test('§1 whatever is wrong with the credentials, the 401 is the same and never says which', async () => {
  const wrong = [
    await api.call('GET', LIST, { as: null }),
    await api.call('GET', LIST, { as: as(api.main.authId, api.stranger.token) }),
    await api.call('GET', LIST, { as: as(api.main.authId, '') }),
    await api.call('GET', LIST, { as: as(api.main.authId, api.main.token.slice(0, -1)) }),
    await api.call('GET', LIST, { as: as('MANOBODY000000000000', api.main.token) }),
    await api.call('GET', LIST, { as: as('nobody', ''), of: api.main.authId }),
    await api.call('GET', LIST, { of: 'MANOBODY000000000000' as AccountId }),
    ...(await Promise.all(
      [
        'Bearer x',
        'Basic',
        'Basic !!!',
        `Basic ${Buffer.from('no colon').toString('base64')}`,
        `Basic ${'A'.repeat(4000)}`,
      ].map((authorization) => api.call('GET', LIST, { as: null, headers: { authorization } })),
    )),
  ];
  api.change({ account: { enabled: false } });
  wrong.push(await api.call('GET', LIST));
  for (const { status, body, headers } of wrong) {
    expect(status).toBe(401);
    expect(body.error).toBe(wrong[0]!.body.error);
    expect(Object.keys(body).sort()).toEqual(['api_id', 'error']);
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  }
});

test('§1 a disabled main account takes its subaccounts with it', async () => {
  expect((await api.call('GET', LIST, { as: api.sub })).status).toBe(200);
  api.change({ account: { enabled: false } });
  expect((await api.call('GET', LIST, { as: api.sub })).status).toBe(401);
});

test('§1 the token before a rotation is good until its time is over', async () => {
  const { current } = api.context.keyring;
  const newToken = randomBytes(30).toString('base64url');
  const seal = (token: string) =>
    current.seal(tokenPlace(api.main.authId), token, new Uint8Array(randomBytes(12)));
  api.change({
    account: {
      token: seal(newToken),
      previousToken: seal(api.main.token),
      previousTokenUntil: START + 60_000,
    },
  });
  const renewed = as(api.main.authId, newToken);
  expect((await api.call('GET', LIST)).status).toBe(200);
  expect((await api.call('GET', LIST, { as: renewed })).status).toBe(200);
  api.advance(61_000);
  expect((await api.call('GET', LIST)).status).toBe(401);
  expect((await api.call('GET', LIST, { as: renewed })).status).toBe(200);
});

test('§1 credentials are checked before anything of the request is looked at', async () => {
  const answer = await api.call('POST', LIST, { as: null, body: '{' });
  expect(answer.status).toBe(401);
});

test('§1 the scheme is read without regard to case', async () => {
  const authorization = basic(api.main).replace('Basic', 'bAsIc');
  expect(
    (await api.call('GET', LIST, { as: null, of: api.main.authId, headers: { authorization } })).status,
  ).toBe(200);
});

test('§1 every answer carries a fresh api_id, which is also in the log line of its request', async () => {
  const answers = [
    await api.call('POST', LIST, { body: { recipient: '14155551234' } }),
    await api.call('GET', LIST),
    await api.call('GET', LIST, { as: null }),
    await api.call('GET', '/Nothing/'),
    await api.call('GET', `${LIST}%zz`),
  ];
  const ids = answers.map(({ body }) => body.api_id);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(ids.length);
  const lines = api.logged.map((line) => JSON.parse(line));
  for (const { body, status } of answers) {
    expect(lines.filter((line) => line.api_id === body.api_id)).toEqual([
      expect.objectContaining({ status, path: expect.stringContaining('/v1/Account/MA') }),
    ]);
  }
});
