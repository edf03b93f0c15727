import { beforeEach, describe, expect, test } from 'vitest';
import { plivo } from '../callbacks/plivo-sdk.js';
import { type Received, Receiver } from '../callbacks/receiver.js';
import { basic } from '../support/api-server.js';
import { AUTH_ID, type Countersign, RECIPIENT, startCountersign, TOKEN, type Untyped } from './support.js';

let server: Countersign;
let sessions: Untyped;
let customer: Receiver;

beforeEach(async () => {
  customer = await new Receiver().start();
  server = await startCountersign();
  sessions = server.sessions();
});

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  const { sessionUuid } = await sessions.create({
    recipient: `+${RECIPIENT}`,
    url: customer.url(),
    ...fields,
  });
  return sessionUuid;
}

async function arrive(count: number): Promise<readonly Received[]> {
  await server.until(`${count} callbacks`, () => customer.requests.length >= count);
  return customer.requests;
}

/** As a customer's handler checks a request: the URL that it sees itself, the headers, the parsed body. */
function isSigned({ method, path, headers, parameters }: Received, token = TOKEN): boolean {
  const uri = `http://${headers.host}${path}`;
  const body = method === 'POST' ? parameters : {};
  return ['', 'ma-'].every((whose) =>
    plivo.validateV3Signature(
      method as 'POST' | 'GET',
      uri,
      String(headers['x-plivo-signature-v3-nonce']),
      token,
      String(headers[`x-plivo-signature-${whose}v3`]),
      body,
    ),
  );
}

function isSignedV2({ path, headers }: Received, token = TOKEN): boolean {
  return ['', 'ma-'].every((whose) =>
    plivo.validateSignature(
      `http://${headers.host}${path}`,
      String(headers['x-plivo-signature-v2-nonce']),
      String(headers[`x-plivo-signature-${whose}v2`]),
      token,
    ),
  );
}

const statuses = () => customer.requests.map(({ parameters }) => parameters.ChannelStatus);

/** How many callbacks were answered with other than 2xx, and wait for their next try. */
const retried = () => server.metric('countersign_callbacks_total{result="retried"}');

describe.each(['POST', 'GET'] as const)('callbacks by %s', (method) => {
  const paths = ['/status', '/', '/hooks/verify?tenant=7&case=a%20b', '/with%20space/%C3%A9?empty='];

  test.each([
    { channel: 'sms', expected: ['queued', 'sent', 'delivered'] },
    { channel: 'voice', expected: ['ringing', 'in-progress', 'completed'] },
  ])('about $channel, to URLs of every kind, pass the checks of the SDK', async ({ channel, expected }) => {
    const fields = { method, channel, brand_name: 'Acme 2.0', app_hash: 'A1b2C3d4E5f' };
    for (const [index, path] of paths.entries()) {
      await create({ ...fields, recipient: `+1415555100${index}`, url: customer.url(path) });
    }
    const received = await arrive(3 * paths.length);
    for (const [index, path] of paths.entries()) {
      const ofPath = received.filter(({ parameters }) => parameters.Recipient === `1415555100${index}`);
      expect(ofPath.map(({ parameters }) => parameters.ChannelStatus)).toEqual(expected);
      for (const request of ofPath) {
        expect(request.method).toBe(method);
        expect(request.path.startsWith(path)).toBe(true);
        expect(isSigned(request)).toBe(true);
        expect(isSignedV2(request)).toBe(true);
        expect(isSigned(request, TOKEN.replace('end', 'End'))).toBe(false);
        expect(isSigned({ ...request, path: `${request.path}0` })).toBe(false);
      }
    }
    const nonces = received.map(({ headers }) => headers['x-plivo-signature-v3-nonce']);
    expect(new Set(nonces).size).toBe(received.length);
  });

  test('with a brand name in any letters still pass the check of the SDK', async () => {
    const brand = 'Zoë & Söhne + Co';
    await create({ method, brand_name: brand });
    const received = await arrive(3);
    for (const request of received) {
      expect(isSigned(request)).toBe(true);
      expect(request.parameters.BrandName).toBe(method === 'POST' ? brand : undefined);
    }
  });
});

test('a second attempt calls back in a sequence of its own', async () => {
  await create();
  await arrive(3);
  await create({ channel: 'voice' });
  const received = await arrive(6);
  const [first, second] = [received.slice(0, 3), received.slice(3)];
  expect(first.map(({ parameters }) => parameters.AttemptSequence)).toEqual(['1', '1', '1']);
  expect(second.map(({ parameters }) => parameters.AttemptSequence)).toEqual(['2', '2', '2']);
  expect(second[0]!.parameters.AttemptUUID).not.toBe(first[0]!.parameters.AttemptUUID);
});

test('a callback answered with an error is repeated after 60, 120 and 240 seconds, and holds back the later ones', async () => {
  customer.answer = (response) => response.writeHead(503).end();
  await create();
  const waits = [60_000, 120_000, 240_000];
  for (const [index, wait] of waits.entries()) {
    await arrive(index + 1);
    await server.until('the answer is recorded', async () => (await retried()) === index + 1);
    await server.time.advance(wait - 1);
    expect(customer.requests).toHaveLength(index + 1);
    if (index === waits.length - 1) customer.answer = (response) => response.writeHead(204).end();
    await server.time.advance(1);
  }
  const received = await arrive(6);
  expect(statuses()).toEqual(['queued', 'queued', 'queued', 'queued', 'sent', 'delivered']);
  const tries = received.slice(0, 4);
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
  expect(new Set(tries.map(({ headers }) => headers['x-plivo-signature-v3-nonce'])).size).toBe(4);
  expect(received.every((request) => isSigned(request))).toBe(true);
});

test('a retry that is due survives a restart of the server', async () => {
  customer.answer = (response) => response.writeHead(500).end();
  const id = await create();
  await arrive(1);
  await server.until('the answer is recorded', async () => (await retried()) === 1);
  customer.answer = (response) => response.writeHead(204).end();
  await server.restart();
  await server.time.advance(60_000);
  const received = await arrive(4);
  expect(statuses()).toEqual(['queued', 'queued', 'sent', 'delivered']);
  expect(received.every(({ parameters }) => parameters.SessionUUID === id)).toBe(true);
  expect(received[1]!.body).toBe(received[0]!.body);
});

test('during a rotation callbacks pass the check with the old token and with the new one', async () => {
  const rotated = await server.administration('account.rotate-token', { auth_id: AUTH_ID, keep_old: 3_600 });
  await create();
  for (const request of await arrive(3)) {
    expect(isSigned(request, TOKEN)).toBe(true);
    expect(isSigned(request, rotated.auth_token)).toBe(true);
    expect(isSignedV2(request, rotated.auth_token)).toBe(true);
  }
  // Both tokens let in; the old one until its time is over.
  expect(await server.sessions(rotated.auth_token).list()).toMatchObject({ meta: { limit: 20 } });
  await server.time.advance(3_600_000);
  await expect(sessions.list()).rejects.toMatchObject({ status: 401 });
  await server.sessions(rotated.auth_token).create({ recipient: '+14155559876', url: customer.url() });
  const after = () => customer.requests.filter(({ parameters }) => parameters.Recipient === '14155559876');
  await server.until('3 callbacks of the new session', () => after().length === 3);
  for (const request of after()) {
    expect(isSigned(request, TOKEN)).toBe(false);
    expect(isSigned(request, rotated.auth_token)).toBe(true);
  }
});

test('a private address that the operator does not permit is never called', async () => {
  const strict = await startCountersign({ env: { COUNTERSIGN_CALLBACK_ALLOW: '' } });
  await strict.sessions().create({ recipient: `+${RECIPIENT}`, url: customer.url() });
  const refused = 'countersign_callbacks_total{result="refused"}';
  await strict.until('three callbacks refused', async () => (await strict.metric(refused)) === 3);
  expect(customer.connections).toBe(0);
});

/** The log of a session's callbacks. */
async function logOf(session: string): Promise<Untyped[]> {
  return (await server.get(`/Verify/Session/${session}/Callback/`)).callbacks;
}

async function redeliver(session: string, id: string): Promise<number> {
  const path = `/v1/Account/${AUTH_ID}/Verify/Session/${session}/Callback/${id}/Redeliver/`;
  const headers = { authorization: basic({ authId: AUTH_ID, token: TOKEN } as never) };
  return (await fetch(`${server.url}${path}`, { method: 'POST', headers })).status;
}

test.each(['POST', 'GET'] as const)(
  'a %s callback that failed for good is in the log, and goes out when it is asked for, signed',
  async (method) => {
    customer.answer = (response, { parameters }) =>
      response.writeHead(parameters.ChannelStatus === 'queued' ? 500 : 204).end();
    const id = await create({ method });
    for (const [index, wait] of [60_000, 120_000, 240_000].entries()) {
      await server.until('the answer is recorded', async () => (await retried()) === index + 1);
      const [pending] = await logOf(id);
      expect(await redeliver(id, pending.callback_id)).toBe(409);
      await server.time.advance(wait);
    }
    await server.until('all are settled', async () =>
      (await logOf(id)).every(({ state }) => state === 'failed' || state === 'delivered'),
    );
    const [queued, sent, delivered] = await logOf(id);
    expect([queued, sent, delivered].map(({ state }) => state)).toEqual(['failed', 'delivered', 'delivered']);
    expect(queued.tries).toMatchObject([
      { time: '2026-01-31T08:52:39.363000Z', status: 500, next_retry_at: '2026-01-31T08:53:39.363000Z' },
      { time: '2026-01-31T08:53:39.363000Z', status: 500, next_retry_at: '2026-01-31T08:55:39.363000Z' },
      { time: '2026-01-31T08:55:39.363000Z', status: 500, next_retry_at: '2026-01-31T08:59:39.363000Z' },
      { time: '2026-01-31T08:59:39.363000Z', status: 500, next_retry_at: null },
    ]);

    customer.answer = (response) => response.writeHead(204).end();
    expect(await redeliver(id, queued.callback_id)).toBe(202);
    const received = await arrive(7);
    const again = received.at(-1)!;
    expect(again.parameters).toEqual(received[0]!.parameters);
    expect(again.headers['x-plivo-signature-v3-nonce']).not.toBe(
      received[0]!.headers['x-plivo-signature-v3-nonce'],
    );
    expect(isSigned(again) && isSignedV2(again)).toBe(true);
    await server.until('it is recorded', async () => (await logOf(id))[0].state === 'delivered');
    expect((await logOf(id))[0].tries.at(-1)).toMatchObject({
      status: 204,
      manual: true,
      next_retry_at: null,
    });
  },
);

test('a redelivery whose retry waits survives a restart of the server', async () => {
  const id = await create();
  await arrive(3);
  await server.until('all are recorded', async () =>
    (await logOf(id)).every(({ state }) => state === 'delivered'),
  );
  customer.answer = (response) => response.writeHead(500).end();
  const last = (await logOf(id))[2];
  expect(await redeliver(id, last.callback_id)).toBe(202);
  await server.until('the failure is recorded', async () => (await logOf(id))[2].tries_made === 2);
  customer.answer = (response) => response.writeHead(204).end();
  await server.restart();
  await server.time.advance(60_000);
  const received = await arrive(5);
  expect(received.slice(3).map(({ body }) => body)).toEqual([received[2]!.body, received[2]!.body]);
  await server.until('it is recorded', async () => (await logOf(id))[2].state === 'delivered');
});
