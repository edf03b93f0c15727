import { beforeEach, expect, test } from 'vitest';
import { type Received, Receiver } from '../callbacks/receiver.js';
import { basic } from '../support/api-server.js';
import { AUTH_ID, type Countersign, RECIPIENT, startCountersign, TOKEN, type Untyped } from './support.js';

const SECRET = 'a-bearer-secret-of-the-gateway';
const BACKUP_SECRET = 'a-bearer-secret-of-the-other-one';

let server: Countersign;
let sessions: Untyped;
let gateway: Receiver;
let backup: Receiver;
let customer: Receiver;

beforeEach(async () => {
  [gateway, backup, customer] = (await Promise.all(
    [new Receiver(), new Receiver(), new Receiver()].map((receiver) => receiver.start()),
  )) as [Receiver, Receiver, Receiver];
});

/** With both gateways, in this order, or the first alone. */
async function start(names: 'both' | 'one' = 'one', channels = '[sms, voice]'): Promise<void> {
  const both = names === 'both';
  server = await startCountersign({
    yaml: `
carriers:
  gateway:
    type: webhook
    url: ${gateway.url('/send?tenant=7')}
    secret: \${GATEWAY_SECRET}
    channels: ${channels}
${both ? `  backup: { type: webhook, url: '${backup.url('/send')}', secret: ${BACKUP_SECRET} }` : ''}
${both ? 'routes: [{ prefix: 1, carriers: [gateway, backup] }]' : ''}
`,
    env: { GATEWAY_SECRET: SECRET },
  });
  sessions = server.sessions();
}

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  const { sessionUuid } = await sessions.create({
    recipient: `+${RECIPIENT}`,
    url: customer.url(),
    ...fields,
  });
  return sessionUuid;
}

async function messages(count: number, of = gateway): Promise<Untyped[]> {
  await server.until(`${count} messages at the gateway`, () => of.requests.length >= count);
  return of.requests.map(({ body }) => JSON.parse(body));
}

async function report(receipt: object, name = 'gateway', secret = SECRET): Promise<number> {
  const response = await fetch(`${server.url}/carriers/${name}/receipts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(receipt),
  });
  return response.status;
}

const take = (messageId?: string) => (response: Untyped) =>
  response
    .writeHead(202, { 'content-type': 'application/json' })
    .end(JSON.stringify({ message_id: messageId }));

async function callbacks(count: number): Promise<Received[]> {
  await server.until(`${count} callbacks`, () => customer.requests.length >= count);
  return customer.requests;
}

const calledBack = () =>
  customer.requests.map(({ parameters }) =>
    [parameters.ChannelStatus, parameters.ChannelErrorCode].filter(Boolean).join(' '),
  );

async function attemptOf(id: string, index = 0): Promise<Untyped> {
  return (await sessions.get(id)).attemptDetails[index];
}

test('the gateway gets the message once, with bearer secret, idempotency key and all that it needs', async () => {
  await start();
  const response = await fetch(`${server.url}/v1/Account/${AUTH_ID}/Verify/Session`, {
    method: 'POST',
    headers: {
      authorization: basic({ authId: AUTH_ID, token: TOKEN } as never),
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      recipient: RECIPIENT,
      channel: 'voice',
      brand_name: 'Acme',
      locale: 'en_US',
      dtmf: 0,
      src: '14155550100',
      code_length: 5,
    }),
  });
  const { session_uuid: session } = (await response.json()) as Untyped;
  const [message] = await messages(1);
  const { headers, path, method } = gateway.requests[0]!;
  expect(`${method} ${path}`).toBe('POST /send?tenant=7');
  expect(headers.authorization).toBe(`Bearer ${SECRET}`);
  expect(headers['content-type']).toBe('application/json');
  expect(headers['idempotency-key']).toBe(message.hop_id);
  expect(message).toEqual({
    hop_id: `${message.attempt_uuid}.1`,
    attempt_uuid: (await attemptOf(session)).attemptUuid,
    session_uuid: session,
    channel: 'voice',
    recipient: RECIPIENT,
    text: expect.stringContaining(message.code),
    code: expect.stringMatching(/^[0-9]{5}$/),
    locale: (await sessions.get(session)).locale,
    brand_name: 'Acme',
    dtmf: 0,
    src: '14155550100',
    expires_at: '2026-01-31T09:02:39.363000Z',
  });
  expect(await sessions.validate({ id: session, otp: message.code })).toMatchObject({
    message: 'session validated successfully.',
  });
  expect(gateway.requests).toHaveLength(1);
});

test('receipts by message id and by hop id become statuses and callbacks, in order', async () => {
  await start();
  gateway.answer = (response) => take(`gw-${gateway.requests.length}`)(response);
  const id = await create();
  const [message] = await messages(1);
  await callbacks(2);
  expect(await attemptOf(id)).toMatchObject({ status: 'sent' });
  expect(await report({ message_id: 'gw-1', status: 'delivered' })).toBe(200);
  expect(await attemptOf(id)).toMatchObject({ status: 'delivered' });
  // Late, repeated and contradicting receipts are recorded and change nothing.
  expect(await report({ hop_id: message.hop_id, status: 'sent' })).toBe(200);
  expect(await report({ hop_id: message.hop_id, status: 'delivered' })).toBe(200);
  expect(await report({ hop_id: message.hop_id, status: 'undelivered', error_code: 80 })).toBe(200);
  await create({ channel: 'voice' });
  await messages(2);
  expect(await report({ message_id: 'gw-2', status: 'completed' })).toBe(200);
  await callbacks(6);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered', 'ringing', 'in-progress', 'completed']);
});

test('a receipt that comes before the answer to its message joins it', async () => {
  await start();
  let receipt: Promise<number> | null = null;
  gateway.answer = (response) => {
    receipt = report({ message_id: 'early', status: 'delivered' });
    const held = server.until('the receipt waits', async () => {
      return (await server.metric('countersign_queue_depth{queue="receipts_waiting"}')) === 1;
    });
    void held.then(() => take('early')(response));
  };
  await create();
  await callbacks(3);
  expect(await receipt).toBe(200);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
});

test('an undelivered message has its error code in callback and status', async () => {
  await start();
  const id = await create();
  const [message] = await messages(1);
  expect(await report({ hop_id: message.hop_id, status: 'undelivered', error_code: 80 })).toBe(200);
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'undelivered 80']);
  expect(await attemptOf(id)).toMatchObject({ status: 'undelivered' });
});

test('a call that was not answered calls back what it went through', async () => {
  await start();
  const id = await create({ channel: 'voice' });
  const [message] = await messages(1);
  expect(await report({ hop_id: message.hop_id, status: 'ringing' })).toBe(200);
  expect(await report({ hop_id: message.hop_id, status: 'no-answer', error_code: 3000 })).toBe(200);
  await callbacks(2);
  expect(calledBack()).toEqual(['ringing', 'no-answer 3000']);
  expect(await attemptOf(id)).toMatchObject({ channel: 'voice', status: 'no-answer' });
});

test('a receipt after the verification calls back with the session verified', async () => {
  await start();
  const id = await create();
  const [message] = await messages(1);
  await callbacks(2);
  await sessions.validate({ id, otp: message.code });
  expect(await report({ hop_id: message.hop_id, status: 'delivered' })).toBe(200);
  const [, , delivered] = await callbacks(3);
  expect(delivered!.parameters).toMatchObject({ SessionStatus: 'verified', ChannelStatus: 'delivered' });
});

test('receipts with the secret of another carrier, or about its messages, are refused', async () => {
  await start('both');
  const id = await create();
  const [{ hop_id }] = (await messages(1)) as [Untyped];
  await callbacks(2);
  expect(await report({ hop_id, status: 'delivered' }, 'gateway', BACKUP_SECRET)).toBe(401);
  expect(await report({ hop_id, status: 'delivered' }, 'backup', BACKUP_SECRET)).toBe(404);
  expect(await report({ hop_id, status: 'delivered' }, 'nobody')).toBe(404);
  expect(await attemptOf(id)).toMatchObject({ status: 'sent' });
});

test('a gateway that answers 500 gives way to the next of the route', async () => {
  await start('both');
  gateway.answer = (response) => response.writeHead(500).end();
  backup.answer = take('b-1');
  const id = await create();
  const [second] = await messages(1, backup);
  const [first] = await messages(1);
  expect(second.hop_id).toBe(`${second.attempt_uuid}.2`);
  expect(first.hop_id).toBe(`${second.attempt_uuid}.1`);
  expect(second.code).toBe(first.code);
  expect(backup.requests[0]!.headers.authorization).toBe(`Bearer ${BACKUP_SECRET}`);
  await callbacks(2);
  expect(await report({ message_id: 'b-1', status: 'delivered' }, 'backup', BACKUP_SECRET)).toBe(200);
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
  expect(await attemptOf(id)).toMatchObject({ status: 'delivered' });
});

test('a gateway that says nothing gives way to the next when its time is over', async () => {
  await start('both');
  gateway.answer = () => {};
  await create();
  await messages(1);
  await server.time.advance(4_999);
  expect(backup.requests).toHaveLength(0);
  await server.time.advance(1);
  expect(await messages(1, backup)).toHaveLength(1);
});

test('a gateway that failed five times in a row is passed over, and asked again later', async () => {
  await start('both');
  gateway.answer = (response) => response.writeHead(503).end();
  for (let count = 1; count <= 5; count++) {
    await create({ recipient: `+1415555100${count}` });
    await messages(count, backup);
  }
  expect(gateway.requests).toHaveLength(5);
  await create({ recipient: '+14155551006' });
  const [first, last] = (await messages(6, backup)).slice(4);
  expect(gateway.requests).toHaveLength(5);
  expect(first.hop_id).toMatch(/\.2$/);
  expect(last.hop_id).toMatch(/\.1$/);
});

test('when every gateway is down the attempt waits and is tried from the first again', async () => {
  await start('both');
  gateway.answer = backup.answer = (response) => response.writeHead(503).end();
  const id = await create();
  await messages(1, backup);
  const unavailable = 'countersign_hops_total{carrier="backup",status="unavailable"}';
  await server.until('the failure is recorded', async () => (await server.metric(unavailable)) === 1);
  gateway.answer = take();
  expect(await attemptOf(id)).toMatchObject({ status: 'queued' });
  // A second, and an eighth of it more or less.
  await server.time.advance(874);
  expect(gateway.requests).toHaveLength(1);
  await server.time.advance(251);
  await messages(2);
  await callbacks(2);
  expect(calledBack()).toEqual(['queued', 'sent']);
});

test('a repeat at the only gateway has the same idempotency key, also after a restart', async () => {
  await start();
  gateway.answer = (response) => response.writeHead(503).end();
  await create();
  await messages(1);
  await server.restart();
  sessions = server.sessions();
  gateway.answer = take();
  await server.time.advance(1_500);
  const [first, second] = await messages(2);
  expect(second).toEqual(first);
  const keys = gateway.requests.map(({ headers }) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(1);
  await callbacks(2);
  expect(calledBack()).toEqual(['queued', 'sent']);
});

test('a message that the gateway is taking while the server stops is not sent again by the next', async () => {
  await start();
  let answer = () => {};
  gateway.answer = (response) => {
    answer = () => take('gw-1')(response);
  };
  await create();
  await messages(1);
  const restarted = server.restart();
  answer();
  await restarted;
  await callbacks(2);
  expect(await report({ message_id: 'gw-1', status: 'delivered' })).toBe(200);
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
  expect(gateway.requests).toHaveLength(1);
});

test('a message that the gateway refuses fails with its code, and no other gateway is asked', async () => {
  await start('both');
  gateway.answer = (response) =>
    response
      .writeHead(422, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error_code: 50, reason: 'no such number' }));
  const id = await create();
  await callbacks(2);
  expect(calledBack()).toEqual(['queued', 'failed 50']);
  expect(await attemptOf(id)).toMatchObject({ status: 'failed' });
  expect(backup.requests).toHaveLength(0);
  // The session lives on: another attempt may succeed.
  gateway.answer = take();
  expect(await create()).toBe(id);
  const [, message] = await messages(2);
  expect(await sessions.validate({ id, otp: message.code })).toMatchObject({
    message: 'session validated successfully.',
  });
});

test('a recipient that no route serves fails with the code for no route', async () => {
  await start('both');
  const id = await create({ recipient: '+4915112345678' });
  await callbacks(2);
  expect(calledBack()).toEqual(['queued', 'failed 90']);
  expect(await attemptOf(id)).toMatchObject({ status: 'failed' });
  expect(gateway.requests).toHaveLength(0);
});

test('the inbox keeps the channels that no other carrier serves', async () => {
  await start('one', '[voice]');
  const id = await create();
  await create({ channel: 'voice' });
  const [call] = await messages(1);
  const inbox = await server.inbox(1);
  expect(inbox.map(({ channel, session_uuid }) => [channel, session_uuid])).toEqual([['sms', id]]);
  expect(call).toMatchObject({ channel: 'voice', session_uuid: id, code: inbox[0]!.otp });
});

test('when every channel has another carrier there is no inbox', async () => {
  await start();
  expect(await server.get('/Inbox/')).toEqual({
    api_id: expect.any(String),
    error: expect.stringContaining('no inbox'),
  });
});

test('an attempt that no gateway took before its session expired fails, and the expiry says so', async () => {
  await start();
  gateway.answer = (response) => response.writeHead(503).end();
  const id = await create();
  await messages(1);
  await server.passUntilSwept(600_000);
  const [, last] = await callbacks(2);
  expect(last!.parameters).toMatchObject({
    SessionStatus: 'expired',
    ChannelStatus: 'failed',
    ChannelErrorCode: '20',
  });
  expect(await sessions.get(id)).toMatchObject({ status: 'expired', attemptDetails: [{ status: 'failed' }] });
});

test('a call that asks to press 1 brings no code, and the gateway’s word that it was pressed verifies the session', async () => {
  await start();
  await server.administration('app.create', { account: AUTH_ID, confirm_by_key: true, is_default: true });
  const id = await create({ channel: 'voice', dtmf: 5 });
  const [{ hop_id, ...message }] = await messages(1);
  expect(message).toMatchObject({ confirm_by_key: true, code: null, text: '', dtmf: null });
  expect(await report({ hop_id, status: 'in-progress', confirmed: true })).toBe(400);
  expect(await report({ hop_id, status: 'completed', confirmed: 'yes' })).toBe(400);
  expect((await sessions.get(id)).status).toBe('in-progress');
  expect(await report({ hop_id, status: 'completed', confirmed: true, duration: 12 })).toBe(200);
  expect((await sessions.get(id)).status).toBe('verified');
  const received = await callbacks(3);
  expect(received.map(({ parameters }) => [parameters.ChannelStatus, parameters.SessionStatus])).toEqual([
    ['ringing', 'in-progress'],
    ['in-progress', 'in-progress'],
    ['completed', 'verified'],
  ]);
});

test('a message whose receipt never comes is noticed across a restart', async () => {
  await start();
  gateway.answer = (response) => take(`gw-${gateway.requests.length}`)(response);
  const uuids = await Promise.all(['+14155551234', '+14155551235'].map((recipient) => create({ recipient })));
  const counted = () => server.metric('countersign_receipts_missing_total{carrier="gateway"}');
  await messages(2);
  await server.until('both to be sent', async () => {
    // One by one: lists are limited by the minute, which does not pass here.
    const views = await Promise.all(uuids.map((uuid) => server.get(`/Verify/Session/${uuid}/`)));
    return views.every(({ attempt_details: [attempt] }) => attempt.status === 'sent');
  });
  await server.time.advance(100_000);
  await server.restart();
  expect(await counted()).toBe(0);
  const [first] = await messages(2);
  expect(await report({ hop_id: first.hop_id, status: 'delivered' })).toBe(200);
  await server.time.advance(199_000);
  expect(await counted()).toBe(0);
  await server.time.advance(1_000);
  expect(await counted()).toBe(1);
});
