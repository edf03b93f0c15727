import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';
import { newId } from '../support/rows.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const validate = (session: string, body: unknown, as = api.main) =>
  api.call('POST', `/Verify/Session/${session}/`, { body, as });

const used = async (session: Awaited<ReturnType<ApiServer['create']>>) =>
  (await api.store.read.session(session))!.session.validations;

test('§3 the right code answers 200 with the message to the letter', async () => {
  const session = await api.create();
  const answer = await validate(session, { otp: (await api.codes(session)).right });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    api_id: expect.any(String),
    message: 'session validated successfully.',
    session_uuid: session,
  });
});

test('§3 a wrong code is 400 invalid OTP, and the right one still works after it', async () => {
  const session = await api.create();
  const { right, wrong } = await api.codes(session);
  const refused = await validate(session, { otp: wrong });
  expect(refused).toMatchObject({ status: 400, body: { error: expect.stringContaining('invalid OTP') } });
  expect((await validate(session, { otp: right })).status).toBe(200);
});

test('§3 a code of another length is wrong, not malformed', async () => {
  const session = await api.create();
  const refused = await validate(session, { otp: `${(await api.codes(session)).right}0` });
  expect(refused.body.error).toContain('invalid OTP');
});

test('§3 a code is good once', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  await validate(session, { otp: right });
  const again = await validate(session, { otp: right });
  expect(again).toMatchObject({ status: 400, body: { error: expect.stringContaining('already verified') } });
});

test('§3 of many concurrent validations with the right code exactly one gets the 200', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  const answers = await Promise.all(Array.from({ length: 20 }, () => validate(session, { otp: right })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.error?.includes('already verified'))).toHaveLength(19);
});

test('§3 an expired session says so, without anything having swept it', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  api.advance(600_000);
  const answer = await validate(session, { otp: right });
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('expired') } });
});

test('§3 after 10 validations even the right code is refused', async () => {
  const session = await api.create();
  const { right, wrong } = await api.codes(session);
  for (let use = 0; use < 10; use++) {
    expect((await validate(session, { otp: wrong })).body.error).toContain('invalid OTP');
  }
  const answer = await validate(session, { otp: right });
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('maximum') } });
});

test('§3 too many failures of a recipient over all sessions refuse validations and creates', async () => {
  await api.close();
  api = await startApi({ limits: { ...LIMITS, failedValidationsPerRecipient: 3 } });
  const first = await api.create();
  const { wrong } = await api.codes(first);
  for (let use = 0; use < 3; use++) await validate(first, { otp: wrong });
  const { right } = await api.codes(first);
  expect((await validate(first, { otp: right })).body.error).toContain('maximum');
  api.advance(600_000);
  const create = await api.call('POST', '/Verify/Session/', { body: { recipient: '14155551234' } });
  expect(create).toMatchObject({ status: 400, body: { error: expect.stringContaining('maximum') } });
  api.advance(24 * 3600_000);
  await api.create();
});

describe('§3 the code is understood', () => {
  test('under the key OTP', async () => {
    const session = await api.create();
    expect((await validate(session, { OTP: (await api.codes(session)).right })).status).toBe(200);
  });

  test('as a JSON number, leading zeros restored to the session’s length', async () => {
    const session = await api.create({ otp: '004711' });
    expect((await validate(session, { otp: 4711 })).status).toBe(200);
  });

  test('as the number 0, when the code is all zeros', async () => {
    const session = await api.create({ otp: '0000' });
    expect((await validate(session, { otp: 0 })).status).toBe(200);
  });

  test('beside fields that .NET, Python and Java add', async () => {
    const session = await api.create();
    const { right } = await api.codes(session);
    expect(
      (await validate(session, { session_uuid: session, id: session, otp: right, more: {} })).status,
    ).toBe(200);
  });

  test('but a string is never padded', async () => {
    const session = await api.create({ otp: '004711' });
    expect((await validate(session, { otp: '4711' })).body.error).toContain('invalid OTP');
  });
});

test.each([
  undefined,
  null,
  '',
  '123',
  '123456789',
  '12345a',
  ' 123456',
  '１２３４５６',
  1.5,
  -1,
  100_000_000,
  true,
  [],
  {},
])('§3 the malformed otp %j is refused by name and does not count', async (otp) => {
  const session = await api.create();
  const answer = await validate(session, { otp });
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('otp') } });
  expect(answer.body.error).not.toContain('invalid OTP');
  expect(await used(session)).toBe(0);
});

test('§3 a session that does not exist, another account’s, or no UUID: 404', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  expect((await validate(newId(), { otp: right })).status).toBe(404);
  expect((await validate('no-uuid', { otp: right })).status).toBe(404);
  expect((await validate(session, { otp: right }, api.stranger)).status).toBe(404);
  expect((await validate(session, { otp: right }, api.sub)).status).toBe(404);
  expect(await used(session)).toBe(0);
});

test('§3 validations are counted by result', async () => {
  const session = await api.create();
  const { right, wrong } = await api.codes(session);
  await validate(session, { otp: wrong });
  await validate(session, { otp: right });
  const text = await api.context.metrics.registry.metrics();
  expect(text).toContain('countersign_validations_total{result="invalid"} 1');
  expect(text).toContain('countersign_validations_total{result="validated"} 1');
  expect(text).toContain('countersign_sessions_total{event="verified"} 1');
});
