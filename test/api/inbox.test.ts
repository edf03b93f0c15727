import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreError } from '#store/store.js';
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

describe('a call that asks to press 1', () => {
  const call = { recipient: '14155551001', channel: 'voice', url: 'https://customer.example/status' };
  const press = (session: string, body: unknown = { key: 1 }, as = api.main) =>
    api.call('POST', `/Inbox/${session}/Press/`, { body, as });

  beforeEach(() => api.change({ application: { confirmByKey: true } }));

  test('shows no code, and 1 verifies its session', async () => {
    const session = await api.create(call);
    await api.take(session);
    expect((await inbox()).body.messages).toMatchObject([{ session_uuid: session, otp: null, text: '' }]);
    const shown = async () => (await api.call('GET', `/Verify/Session/${session}/`)).body;
    expect(await shown()).toMatchObject({
      status: 'in-progress',
      attempt_details: [{ status: 'in-progress', confirm_by_key: true }],
    });
    expect((await press(session, { key: 2 })).body.session_status).toBe('in-progress');
    expect((await press(session)).body).toMatchObject({
      message: 'key 1 is pressed',
      session_uuid: session,
      session_status: 'verified',
    });
    expect(await shown()).toMatchObject({ status: 'verified', attempt_details: [{ status: 'completed' }] });
    expect((await press(session)).body.session_status).toBe('verified');
    const log = await api.call('GET', `/Verify/Session/${session}/Callback/`);
    expect(log.body.callbacks.map((each: { session_status: string }) => each.session_status)).toEqual([
      'in-progress',
      'in-progress',
      'verified',
    ]);
  });

  test('pressed by many at once says to all that the session is verified, and counts it once', async () => {
    const session = await api.create(call);
    await api.take(session);
    const answers = await Promise.all(Array.from({ length: 8 }, () => press(session)));
    expect(answers.map(({ body }) => body.session_status)).toEqual(Array(8).fill('verified'));
    const counted = await api.context.metrics.sessions.get();
    expect(counted.values.find(({ labels }) => labels.event === 'verified')?.value).toBe(1);
  });

  test('is measured as what any carrier reports', async () => {
    const session = await api.create(call);
    await api.take(session);
    await press(session);
    const { attempts, receipts } = api.context.metrics;
    expect((await attempts.get()).values).toContainEqual(
      expect.objectContaining({ labels: { channel: 'voice', status: 'completed' }, value: 1 }),
    );
    expect((await receipts.get()).values).toMatchObject([
      { labels: { carrier: 'inbox', result: 'recorded' }, value: 1 },
    ]);
  });

  test('is not pressed while the database is away', async () => {
    const session = await api.create(call);
    await api.take(session);
    api.store.submit = () => Promise.reject(new StoreError('unavailable', 'away'));
    const refused = await press(session);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  });

  test('verifies nothing after its session has expired', async () => {
    const session = await api.create(call);
    await api.take(session);
    api.advance(600_000);
    expect((await press(session)).body.session_status).toBe('expired');
  });

  test('is pressed by its own account only, where it is in the inbox', async () => {
    const session = await api.create(call);
    expect((await press(session, { key: 1 }, api.stranger)).status).toBe(404);
    expect((await press(session, { key: 1 }, api.sub)).status).toBe(404);
    const message = await api.create({ recipient: '14155551002' });
    const refused = await press(message);
    expect([refused.status, refused.body.error]).toEqual([404, expect.stringContaining('confirm_by_key')]);
  });

  test.each([{}, { key: 10 }, { key: '1' }, { key: null }])('%j presses nothing', async (body) => {
    const session = await api.create(call);
    const refused = await press(session, body);
    expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining('key')]);
  });
});
