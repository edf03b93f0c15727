import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenPlace } from '#verify/keyring.js';
import type { AccountId } from '#verify/model.js';
import { type ApiServer, basic, START, startApi } from '../support/api-server.js';

const LIST = '/Verify/Session/';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const as = (authId: string, token: string) => ({ authId: authId as AccountId, token });

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
