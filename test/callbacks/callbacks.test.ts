import { createServer as createTcpServer } from 'node:net';
import { expect, test } from 'vitest';
import type { CallbackAnswer, CallbackTransport } from '#callbacks/transport.js';
import { type Store, StoreError } from '#store/store.js';
import { tokenPlace } from '#verify/keyring.js';
import { newKey } from '../support/rows.js';
import { eventually, settle } from '../support/virtual-time.js';
import { openOffice } from './office.js';
import { plivo } from './plivo-sdk.js';
import { listen, type Received, Receiver } from './receiver.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

function header(request: Received, name: string): string {
  return request.headers[`x-plivo-signature-${name}`] as string;
}

/** A transport that gives the same answer to everything, and counts. */
function answering(answer: CallbackAnswer): CallbackTransport & { sent: number } {
  return {
    sent: 0,
    async send() {
      this.sent++;
      return answer;
    },
    async close() {},
  };
}

test('POST callbacks arrive in order, each signed for the SDK with a nonce of its own', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const url = receiver.url('/status?tenant=7');
  const attempt = await office.call(url, { brandName: 'Zoë & Söhne' });
  await office.deliver(attempt);
  await receiver.receives(3);
  expect(receiver.requests.map(({ parameters }) => parameters.ChannelStatus)).toEqual([
    'queued',
    'sent',
    'delivered',
  ]);
  for (const request of receiver.requests) {
    const { token } = office.fixture;
    const nonce = header(request, 'v3-nonce');
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request.parameters).toMatchObject({ AttemptUUID: attempt, BrandName: 'Zoë & Söhne', AppHash: '' });
    expect(plivo.validateSignature(url, header(request, 'v2-nonce'), header(request, 'v2'), token)).toBe(
      true,
    );
    const v3 = header(request, 'v3');
    expect(plivo.validateV3Signature('POST', url, nonce, token, v3, request.parameters)).toBe(true);
  }
  expect(new Set(receiver.requests.map((request) => header(request, 'v3-nonce'))).size).toBe(3);
  await office.becomes(attempt, { state: 'delivered', httpStatus: 204, reason: null }, 3);
});

test('GET callbacks arrive with all parameters in the query, signed for the SDK', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const attempt = await office.call(receiver.url('/status?tenant=7'), {
    method: 'GET',
    brandName: 'Acme Corp',
  });
  await office.deliver(attempt);
  await receiver.receives(3);
  for (const request of receiver.requests) {
    const { token } = office.fixture;
    const url = receiver.url(request.path);
    expect(request.parameters).toMatchObject({
      tenant: '7',
      AttemptUUID: attempt,
      BrandName: 'Acme Corp',
      AppHash: '',
    });
    expect(request.path).toContain('RequestTime=2026-01-31T08:52:39.363000Z');
    expect(plivo.validateSignature(url, header(request, 'v2-nonce'), header(request, 'v2'), token)).toBe(
      true,
    );
    const v3 = header(request, 'v3');
    expect(plivo.validateV3Signature('GET', url, header(request, 'v3-nonce'), token, v3)).toBe(true);
  }
});

test('a subaccount’s callbacks are signed with its own token, and under -Ma- with the main account’s', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const { token: mainToken } = office.fixture;
  const { token, application } = await office.addSubaccount();
  await office.call(receiver.url(), { application });
  await receiver.receives(1);
  const [request] = receiver.requests as [Received];
  const nonce = header(request, 'v3-nonce');
  const url = receiver.url();
  expect(plivo.validateSignature(url, nonce, header(request, 'v2'), token)).toBe(true);
  expect(plivo.validateSignature(url, nonce, header(request, 'ma-v2'), mainToken)).toBe(true);
  const isV3 = (name: string, by: string) =>
    plivo.validateV3Signature('POST', url, nonce, by, header(request, name), request.parameters);
  expect([isV3('v3', token), isV3('v3', mainToken)]).toEqual([true, false]);
  expect([isV3('ma-v3', mainToken), isV3('ma-v3', token)]).toEqual([true, false]);
});

test('during a rotation callbacks are good under the new token and the old one', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const { keyring, account: authId, token: oldToken } = office.fixture;
  const newToken = 'token-after-the-rotation-of-the-account-1';
  await office.store.submit({
    type: 'update-account',
    now: office.environment.now(),
    authId,
    changes: {
      token: keyring.seal(tokenPlace(authId), newToken, new Uint8Array(12)),
      previousToken: office.store.database.account(authId)!.token,
      previousTokenUntil: office.environment.now() + HOUR,
    },
  });
  await office.call(receiver.url());
  await receiver.receives(1);
  const [request] = receiver.requests as [Received];
  const nonce = header(request, 'v3-nonce');
  for (const token of [oldToken, newToken]) {
    const v3 = header(request, 'v3');
    expect(plivo.validateV3Signature('POST', receiver.url(), nonce, token, v3, request.parameters)).toBe(
      true,
    );
  }
});

test('a callback that fails is retried after 60, 120 and 240 s; then the next of its attempt goes out', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response, { parameters }) =>
    response.writeHead(parameters.ChannelStatus === 'queued' ? 500 : 204).end();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await office.deliver(attempt);
  await office.becomes(attempt, { state: 'ready', tries: 1, httpStatus: 500, reason: 'answered 500' });
  for (const [index, wait] of [60, 120, 240].entries()) {
    await office.environment.advance(wait * SECOND - 1);
    await settle(20);
    expect(receiver.requests).toHaveLength(index + 1);
    await office.environment.advance(1);
    await office.becomes(attempt, { tries: index + 2 });
  }
  await office.becomes(attempt, { state: 'delivered' }, 3);
  expect(office.row(attempt)).toMatchObject({ state: 'failed', tries: 4 });
  expect(receiver.requests.map(({ parameters }) => parameters.ChannelStatus)).toEqual([
    ...Array(4).fill('queued'),
    'sent',
    'delivered',
  ]);
  expect(new Set(receiver.requests.slice(0, 4).map(({ body }) => body)).size).toBe(1);
  expect(new Set(receiver.requests.map((request) => header(request, 'v3-nonce'))).size).toBe(6);
  expect(await office.results()).toEqual({ retried: 3, failed: 1, delivered: 2 });
});

test.each([200, 299])('%i is a success', async (status) => {
  const office = await openOffice({ transport: answering({ kind: 'status', status }) });
  const attempt = await office.call('http://customer.example/');
  await office.becomes(attempt, { state: 'delivered', httpStatus: status });
});

test.each([301, 400, 404, 410, 429, 503])('%i is retried', async (status) => {
  const office = await openOffice({ transport: answering({ kind: 'status', status }) });
  const attempt = await office.call('http://customer.example/');
  const nextAt = office.environment.now() + 60 * SECOND;
  await office.becomes(attempt, { state: 'ready', tries: 1, httpStatus: status, nextAt });
});

test('a host that does not answer in 5 s is retried', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = () => {};
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await receiver.receives(1);
  await office.environment.advance(5 * SECOND);
  await office.becomes(attempt, {
    state: 'ready',
    tries: 1,
    httpStatus: null,
    reason: 'no whole answer within 5 s',
  });
});

test('a private address is refused at once, without a retry, and the attempt’s later callbacks with it', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice({ allow: [] });
  const attempt = await office.call(receiver.url());
  await office.deliver(attempt);
  await office.becomes(attempt, { state: 'failed' }, 3);
  expect(office.row(attempt)).toMatchObject({
    state: 'failed',
    tries: 1,
    reason: 'the host has no public address',
  });
  expect(receiver.connections).toBe(0);
  expect(await office.results()).toEqual({ refused: 3 });
});

test('callbacks of a disabled account, and of its subaccounts, go on', async () => {
  const transport = answering({ kind: 'status', status: 204 });
  const office = await openOffice({ transport });
  const { application } = await office.addSubaccount();
  const disable = {
    type: 'update-account',
    authId: office.fixture.account,
    changes: { enabled: false },
  } as const;
  await office.store.submit({ ...disable, now: office.environment.now() });
  const attempts = [
    await office.call('http://customer.example/'),
    await office.call('http://customer.example/', { application }),
  ];
  for (const attempt of attempts) {
    await office.becomes(attempt, { state: 'delivered', httpStatus: 204 });
  }
  expect(transport.sent).toBe(2);
});

test('a callback that could not be sent for 24 hours fails untried', async () => {
  const transport = answering({ kind: 'status', status: 204 });
  const office = await openOffice({ transport });
  await office.callbacks.close();
  const old = await office.call('http://customer.example/');
  await office.environment.advance(DAY);
  const young = await office.call('http://customer.example/', { recipient: '14155551235' as never });
  await office.environment.advance(1);
  await office.restart();
  await office.becomes(old, { state: 'failed', reason: 'not sent within 24 hours' });
  await office.becomes(young, { state: 'delivered' });
  expect(transport.sent).toBe(1);
});

test('a callback whose account’s key is not loaded waits, and goes out when it is', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const { data } = office.fixture.keyring;
  office.holder.use(newKey());
  const attempt = await office.call(receiver.url());
  await office.environment.advance(35 * SECOND);
  expect(office.row(attempt)).toMatchObject({ state: 'ready', tries: 0 });
  expect(office.logged).toHaveLength(4);
  office.holder.use(data);
  await office.environment.advance(5 * SECOND);
  await office.becomes(attempt, { state: 'delivered' });
  expect(receiver.requests).toHaveLength(1);
});

test('a result that cannot be recorded while the database is away is recorded when it is back', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  receiver.answer = (response) => {
    office.store.failure = 'away';
    response.writeHead(204).end();
  };
  const attempt = await office.call(receiver.url());
  await receiver.receives(1);
  await eventually('the answer to arrive', () => office.environment.pending > 0);
  await settle(20);
  await office.environment.advance(HOUR);
  expect(office.row(attempt).state).toBe('ready');
  office.store.failure = null;
  await office.environment.advance(30 * SECOND);
  expect(office.row(attempt).state).toBe('delivered');
  expect(receiver.requests).toHaveLength(1);
});

test('closing does not wait for a database that is away; the callback is sent again after the restart', async () => {
  const transport = answering({ kind: 'status', status: 204 });
  const office = await openOffice({ transport });
  await office.store.takeOver();
  const attempt = await office.call('http://customer.example/');
  office.store.failure = 'away';
  await settle();
  expect(transport.sent).toBe(1);
  await office.callbacks.close();
  expect(office.row(attempt).state).toBe('ready');
  office.store.failure = null;
  await office.restart();
  await office.becomes(attempt, { state: 'delivered' });
  expect(transport.sent).toBe(2);
});

test('a result that the database refuses for good is logged, and the callback not sent over and over', async () => {
  const transport = answering({ kind: 'status', status: 204 });
  const office = await openOffice({
    transport,
    wrap: (store): Store => {
      const refusing = Object.create(store) as Store;
      refusing.submit = async () => {
        throw new StoreError('failed', 'callback-tried: a defect');
      };
      return Object.assign(refusing, { epoch: store.epoch, read: store.read, holds: () => true });
    },
  });
  await office.call('http://customer.example/');
  await office.environment.advance(HOUR);
  await office.callbacks.refill();
  await office.environment.advance(HOUR);
  expect(transport.sent).toBe(1);
  const errors = office.logged.filter((line) => line.includes('"level":"error"'));
  expect(errors).toHaveLength(1);
});

test('what another node owns by now is not scheduled here', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  let attempt: Awaited<ReturnType<typeof office.call>> | null = null;
  receiver.answer = (response) => {
    const row = office.row(attempt!);
    office.store.database.put('callback', { ...row, owner: 99 });
    response.writeHead(500).end();
  };
  attempt = await office.call(receiver.url());
  await receiver.receives(1);
  await eventually('the try to end', () => office.callbacks.depth.inFlight === 0);
  expect(office.row(attempt)).toMatchObject({ owner: 99, tries: 0 });
  await office.environment.advance(HOUR);
  await settle(20);
  expect(receiver.requests).toHaveLength(1);
});

test('retries that wait in rows are found again after a restart', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(503).end();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await office.becomes(attempt, { tries: 1 });
  await office.restart();
  receiver.answer = (response) => response.writeHead(200).end();
  await office.environment.advance(59 * SECOND);
  await settle(20);
  expect(receiver.requests).toHaveLength(1);
  await office.environment.advance(SECOND);
  await office.becomes(attempt, { state: 'delivered', tries: 2 });
});

test('ten thousand callbacks to a host that never answers hold up no other host and fill no memory', async () => {
  let tried = 0;
  const dead = await listen(createTcpServer((socket) => socket.on('data', () => tried++)));
  const live = await new Receiver().start();
  const office = await openOffice();
  let number = 0;
  const recipient = () => String(14_155_550_000 + number++) as never;
  for (let n = 0; n < 10_000; n++) {
    await office.call(`http://127.0.0.1:${dead.port}/`, { recipient: recipient() });
  }
  expect(office.callbacks.depth.inFlight).toBe(4);
  expect(office.callbacks.depth.queued).toBeLessThanOrEqual(512);
  for (let n = 0; n < 100; n++) await office.call(live.url(), { recipient: recipient() });
  // No virtual time passes: nothing of this waits for a timeout of the dead host.
  await eventually('all live callbacks are delivered', () => office.rowsIn('delivered') === 100);
  await office.environment.advance(5 * SECOND);
  await eventually('the first tries end', () => office.callbacks.depth.inFlight === 4);
  await office.environment.advance(5 * SECOND);
  await eventually('the breaker opens', () => office.callbacks.depth.inFlight === 0);
  expect(office.callbacks.depth.queued).toBe(0);
  expect(tried).toBeLessThanOrEqual(8);
});

test('a host that recovers gets everything that waited for it', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(503).end();
  const office = await openOffice();
  for (let n = 0; n < 60; n++)
    await office.call(receiver.url(), { recipient: String(14_155_550_000 + n) as never });
  await eventually('the breaker opens', () => {
    return receiver.requests.length >= 5 && office.callbacks.depth.inFlight === 0;
  });
  expect(receiver.requests.length).toBeLessThan(10);
  await office.environment.advance(SECOND - 1);
  await settle(20);
  const before = receiver.requests.length;
  receiver.answer = (response) => response.writeHead(204).end();
  await office.environment.advance(1);
  await eventually('the others to go out', () => office.rowsIn('delivered') === 60 - before);
  await office.environment.advance(60 * SECOND);
  await eventually('all to be delivered', () => office.rowsIn('delivered') === 60);
});

test('neither tokens, nor recipients, nor what is sent appear in the log', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(500).end('secret answer');
  const office = await openOffice();
  const attempt = await office.call(receiver.url('/status?secret=query'), { brandName: 'Sentinel' });
  for (const [tries, wait] of [60, 120, 240, 0].entries()) {
    await office.becomes(attempt, { tries: tries + 1 });
    await office.environment.advance(wait * SECOND);
  }
  const log = office.logged.join('');
  expect(office.logged).toHaveLength(4);
  expect(JSON.parse(office.logged[3]!)).toMatchObject({
    level: 'warn',
    attempt,
    sequence: 1,
    host: `127.0.0.1:${receiver.port}`,
    reason: 'answered 500',
    tries: 4,
  });
  for (const secret of [office.fixture.token, '14155551234', 'Sentinel', 'secret', 'SessionUUID']) {
    expect(log).not.toContain(secret);
  }
});
