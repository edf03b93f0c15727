import plivo from 'plivo';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';

/** What the SDK's own types leave out. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
type Untyped = any;

let api: ApiServer;
let sessions: Untyped;
beforeEach(async () => {
  api = await startApi();
  sessions = clientOf(api.main.authId, api.main.token).verify_session;
});
afterEach(() => api.close());

/** The SDK pointed here as contract §8 shows. */
function clientOf(authId: string, token: string): Untyped {
  return new plivo.Client(authId, token, { url: `${api.url}/v1/Account/${authId}` } as Untyped);
}

test('create, resend, validate wrong, right and a second time, with the SDK of npm', async () => {
  const created = await sessions.create({ recipient: '+14155551234', brand_name: 'Acme' });
  expect(created).toMatchObject({ message: 'Session initiated', apiId: expect.stringMatching(/^.{36}$/) });
  const resent = await sessions.create({ recipient: '+14155551234', channel: 'voice' });
  expect(resent.sessionUuid).toBe(created.sessionUuid);

  const id = created.sessionUuid;
  const { right, wrong } = await api.codes(id);
  await expect(sessions.validate({ id, otp: wrong })).rejects.toThrow('invalid OTP');
  expect(await sessions.validate({ id, otp: right })).toMatchObject({
    message: 'session validated successfully.',
  });
  await expect(sessions.validate({ id, otp: right })).rejects.toThrow('already verified');
});

test('validate with a number that lost its leading zeros', async () => {
  const id = await api.create({ otp: '004711' });
  expect(await sessions.validate({ id, otp: 4711 })).toMatchObject({
    message: 'session validated successfully.',
  });
});

test('retrieve', async () => {
  const { sessionUuid } = await sessions.create({ recipient: '14155551234' });
  await api.deliver(sessionUuid);
  expect(await sessions.get(sessionUuid)).toMatchObject({
    sessionUuid,
    appUuid: api.application.uuid,
    alias: 'default',
    recipient: '14155551234',
    channel: 'sms',
    locale: 'en',
    status: 'in-progress',
    count: 1,
    destination_country_iso2: 'US',
    attemptDetails: [{ channel: 'sms', status: 'delivered', codeLength: 6 }],
    charges: { totalCharge: '0', validationCharge: '0', attemptCharges: [{ charge: '0' }] },
    createdAt: '2026-01-31T08:52:39.363000Z',
  });
});

test('list with filters and paging', async () => {
  for (const recipient of ['14155551001', '14155551002', '14155551003']) {
    await sessions.create({ recipient });
    api.advance(1000);
  }
  const recipients = async (params?: object) =>
    (await sessions.list(params)).sessions.map((session: Untyped) => session.recipient);

  expect(await recipients()).toEqual(['14155551003', '14155551002', '14155551001']);
  expect(await recipients({ limit: 2 })).toEqual(['14155551003', '14155551002']);
  expect(await recipients({ limit: 2, offset: 2 })).toEqual(['14155551001']);
  expect(await recipients({ recipient: '14155551002' })).toEqual(['14155551002']);
  expect(await recipients({ app_uuid: api.application.uuid, status: 'verified' })).toEqual([]);
  expect(await recipients({ session_time__gt: '2026-01-31 08:52:40' })).toEqual([
    '14155551003',
    '14155551002',
  ]);
  expect(await recipients({ sessionTimeGreaterThan: '2026-01-31 08:52:41' })).toEqual(['14155551003']);
  const { meta } = await sessions.list({ limit: 1, offset: 1 });
  expect(meta).toMatchObject({ limit: 1, offset: 1 });
  expect(meta.next).toContain('offset=2');
  expect(meta.previous).toContain('offset=0');
});

test('bad credentials, a missing session and a bad field are the SDK’s errors', async () => {
  const stranger = clientOf(api.main.authId, 'x'.repeat(40)).verify_session;
  await expect(stranger.create({ recipient: '14155551234' })).rejects.toMatchObject({
    status: 401,
  });
  await expect(sessions.get('019c1341-1943-73cf-821f-d912d649c62a')).rejects.toMatchObject({
    status: 404,
  });
  await expect(sessions.create({ recipient: '123' })).rejects.toThrow('recipient');
});
