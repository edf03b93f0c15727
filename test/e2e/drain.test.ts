import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { basic } from '../support/api-server.js';
import type { PlacedCall } from '../support/providers/calls.js';
import { type Push, type Received, serveProvider } from '../support/providers/server.js';
import { twilioCalls } from '../support/providers/twilio-calls.js';
import { AUTH_ID, type Countersign, RECIPIENT, startCountersign, TOKEN } from './support.js';

const PUBLIC_URL = 'https://verify.example.com';
const AUTHORIZATION = basic({ authId: AUTH_ID, token: TOKEN } as never);

let server: Countersign;
let customer: Receiver;
let received: Received[];

beforeEach(async () => {
  customer = await new Receiver().start();
});

/** Calls go over Twilio; whoever waits for the end of the drain time waits in vain, unless it is 0. */
async function start(drainSeconds = 3600): Promise<void> {
  const twilio = await serveProvider((request) => twilioCalls.answer(request));
  received = twilio.received;
  const phone = { type: 'twilio', ...twilioCalls.settings, base_url: twilio.url };
  server = await startCountersign({
    yaml: JSON.stringify({ drain_seconds: drainSeconds, carriers: { phone } }),
    env: { COUNTERSIGN_PUBLIC_URL: PUBLIC_URL },
  });
}

async function placeCall(): Promise<{ id: string; call: PlacedCall }> {
  const wanted = { recipient: `+${RECIPIENT}`, channel: 'voice', url: customer.url() };
  const { sessionUuid: id } = await server.sessions().create(wanted);
  await server.until('a call', () => received.length > 0);
  return { id, call: twilioCalls.placed(received[0]!)! };
}

/** Each on a connection of its own, as one who has not been here before. */
async function push({ url, headers, ...init }: Push): Promise<Response> {
  const at = url.replace(PUBLIC_URL, server.url);
  return fetch(at, { ...init, headers: { ...headers, connection: 'close' } });
}

/** A GET over the connections of an agent. */
function getOver(agent: Agent, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const url = `${server.url}/v1/Account/${AUTH_ID}${path}`;
    const request = get(url, { agent, headers: { authorization: AUTHORIZATION } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode!, body }), reject);
    });
    request.on('error', reject);
  });
}

test('a call that is answered while the server drains speaks its code, and its end is recorded', async () => {
  await start();
  const { id, call } = await placeCall();
  const drained = server.drain();
  expect((await push(twilioCalls.tell(call, 'ringing'))).status).toBe(200);
  const document = await push(twilioCalls.fetch(call, call.answerUrl));
  expect(document.status).toBe(200);
  expect(JSON.stringify(twilioCalls.read(await document.text()))).toContain('Your code is');
  await server.until('callbacks of the call', () => customer.requests.length >= 2);
  expect((await push(twilioCalls.tell(call, { status: 'completed', seconds: 31 }))).status).toBe(200);
  await drained;
  await expect(push(twilioCalls.tell(call, 'ringing'))).rejects.toThrow();
  await server.restart();
  expect((await server.sessions().get(id)).attemptDetails).toMatchObject([{ status: 'completed' }]);
  expect(received).toHaveLength(1);
});

test('while it drains a create is refused with 503, over connections old and new, and nothing is sent', async () => {
  await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await getOver(agent, '/Verify/Session/')).status).toBe(200);
  const { call } = await placeCall();
  const drained = server.drain();
  const create = () =>
    fetch(`${server.url}/v1/Account/${AUTH_ID}/Verify/Session/`, {
      method: 'POST',
      headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' },
      body: JSON.stringify({ recipient: '14155551299', channel: 'voice' }),
    });
  for (const answer of [await create(), await create()]) {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toEqual({ api_id: expect.any(String), error: expect.any(String) });
  }
  const kept = await getOver(agent, '/Verify/Session/');
  expect(kept).toMatchObject({ status: 503, body: expect.stringContaining('shutting down') });
  const ready = await fetch(`${server.url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('draining')]);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await push(twilioCalls.tell(call, { status: 'no-answer' }));
  await drained;
  expect(received).toHaveLength(1);
});

test('connections of the API that are kept alive do not hold the drain up', async () => {
  await start();
  const agent = new Agent({ keepAlive: true });
  const answers = await Promise.all([1, 2, 3].map(() => getOver(agent, '/Verify/Session/')));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  await server.drain();
  await expect(getOver(agent, '/Verify/Session/')).rejects.toThrow();
});

test('a call that is not answered when the drain time is over is ended, and nobody listens any more', async () => {
  await start(0);
  const { call } = await placeCall();
  await server.drain();
  expect(twilioCalls.ended(received.at(-1)!)).toBe(call.callId);
  await expect(push(twilioCalls.fetch(call, call.answerUrl))).rejects.toThrow();
});
