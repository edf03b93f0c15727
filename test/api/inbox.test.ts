import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const inbox = (query = '', as = api.main) => api.call('GET', `/Inbox/${query}`, { as });

async function sent(body: Record<string, unknown>) {
  const session = await api.create(body);
  await api.deliver(session);
  api.advance(1000);
  return session;
}

test('the inbox shows what was sent, with text and code, newest first', async () => {
  const first = await sent({ recipient: '14155551001', brand_name: 'Acme' });
  const second = await sent({ recipient: '14155551002', channel: 'voice' });
  const { status, body } = await inbox();
  expect(status).toBe(200);
  expect(body.messages.map((message: { session_uuid: string }) => message.session_uuid)).toEqual([
    second,
    first,
  ]);
  const { right } = await api.codes(first);
  expect(body.messages[1]).toEqual({
    attempt_uuid: expect.stringMatching(/^.{36}$/),
    session_uuid: first,
    channel: 'sms',
    recipient: '14155551001',
    text: `Your Acme verification code is ${right}.`,
    otp: right,
    time: '2026-01-31T08:52:39.363000Z',
  });
  expect(body.messages[0].channel).toBe('voice');
});

test('the code that the inbox shows is the one that validates', async () => {
  const session = await sent({});
  const { otp } = (await inbox()).body.messages[0];
  expect((await api.call('POST', `/Verify/Session/${session}/`, { body: { otp } })).status).toBe(200);
});

test('what no carrier took yet is not shown', async () => {
  await api.create();
  expect((await inbox()).body.messages).toEqual([]);
});

test('recipient and limit choose', async () => {
  await sent({ recipient: '14155551001' });
  await sent({ recipient: '14155551002' });
  await sent({ recipient: '14155551003' });
  const recipients = async (query: string) =>
    (await inbox(query)).body.messages.map((message: { recipient: string }) => message.recipient);
  expect(await recipients('?recipient=%2B1%20415%20555%201002')).toEqual(['14155551002']);
  expect(await recipients('?limit=2')).toEqual(['14155551003', '14155551002']);
  for (const limit of ['0', '101', 'x']) expect((await inbox(`?limit=${limit}`)).status).toBe(400);
});

test('messages of more than 24 hours ago and of other accounts are not shown', async () => {
  await sent({});
  expect((await inbox('', api.stranger)).body.messages).toEqual([]);
  expect((await inbox('', api.sub)).body.messages).toEqual([]);
  api.advance(24 * 3600_000);
  expect((await inbox()).body.messages).toEqual([]);
});

test('a message whose key is gone does not hide the others', async () => {
  const gone = await sent({ recipient: '14155551001' });
  const kept = await sent({ recipient: '14155551002' });
  const row = api.store.database.tables.session.get(gone)!;
  api.store.database.put('session', {
    ...row,
    code: { ...row.code, keyId: '00000000' as typeof row.code.keyId },
  });
  expect((await inbox()).body.messages).toMatchObject([{ session_uuid: kept }]);
});

test('several inboxes are shown as one', async () => {
  await api.close();
  api = await startApi({ inbox: ['other', 'inbox'] });
  await sent({});
  expect((await inbox()).body.messages).toHaveLength(1);
});

test('without an inbox the answer says so', async () => {
  await api.close();
  api = await startApi({ inbox: [] });
  expect(await inbox()).toMatchObject({ status: 404, body: { error: expect.stringContaining('inbox') } });
});

test('the inbox wants the same credentials as everything else', async () => {
  expect((await api.call('GET', '/Inbox/', { as: null })).status).toBe(401);
});
