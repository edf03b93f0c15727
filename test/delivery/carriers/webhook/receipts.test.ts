import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApi } from '#api/app.js';
import type { CarrierContext } from '#delivery/carrier.js';
import { webhook } from '#delivery/carriers/webhook/index.js';
import { systemEnvironment } from '#environment.js';
import { Directory } from '#store/directory.js';
import { KeyringHolder } from '#store/keys.js';
import { openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { Channel } from '#verify/model.js';
import { createRates } from '#verify/rate-card.js';
import { LIMITS } from '../../../support/api-server.js';
import { eventually } from '../../../support/virtual-time.js';
import { message, openWorld, recordingContext, SECRET } from '../support.js';

const API_ID = /^[0-9a-f-]{36}$/;
const HOP = message().hopId;

/** The product's server, with the carrier's routes where the composition root mounts them. */
async function serve(context: CarrierContext = recordingContext(), channels?: Channel[]) {
  const environment = systemEnvironment;
  const store = openMemoryStore({ environment });
  const keyring = new KeyringHolder();
  const lines: string[] = [];
  const app = buildApi({
    store,
    keyring,
    environment,
    directory: new Directory(store.read, () => keyring.current, environment),
    limits: LIMITS,
    rates: createRates(null),
    retention: 90 * 86_400_000,
    trustProxy: false,
    log: createLog('debug', { write: (line) => void lines.push(line) }),
    metrics: createMetrics(),
    plan: () => null,
    inbox: [],
    confirm: async () => 'unknown',
    ready: () => ({ ok: true }),
    draining: () => false,
  });
  const carrier = webhook.create({ url: 'http://127.0.0.1:1/', secret: SECRET, channels }, context);
  app.register(carrier.routes!, { prefix: `/carriers/${context.name}` });
  const base = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await app.close();
    await carrier.stop();
  });
  const send = async (body: unknown, init: RequestInit & { path?: string } = {}) => {
    const response = await fetch(`${base}/carriers/${context.name}/receipts${init.path ?? ''}`, {
      method: 'POST',
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      ...init,
      headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json', ...init.headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text), text };
  };
  return { send, lines };
}

/** The same in front of a store. */
async function serveWorld() {
  const world = await openWorld();
  const report = world.reporter.forCarrier('gateway');
  const { send } = await serve({ ...recordingContext(), environment: world.environment, report });
  return { world, send };
}

describe('a receipt over HTTP', () => {
  it('is recorded in the store by hop id, with and without trailing slash', async () => {
    for (const path of ['', '/']) {
      const { world, send } = await serveWorld();
      const { attempt, hopId } = await world.start();
      const answer = await send({ hop_id: hopId, status: 'delivered' }, { path });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ api_id: expect.stringMatching(API_ID), message: 'receipt recorded' });
      expect(world.status(attempt)).toBe('delivered');
    }
  });

  it('is recorded by the message id that the gateway gave, a number included', async () => {
    const { world, send } = await serveWorld();
    const { attempt } = await world.start();
    await world.take(attempt, '42');
    expect((await send({ message_id: 42, status: 'undelivered', error_code: 80 })).status).toBe(200);
    expect(world.store.database.attempt(attempt)).toMatchObject({ status: 'undelivered', errorCode: 80 });
  });

  it('that comes before the submit was recorded is held, and answered when it joined', async () => {
    const { world, send } = await serveWorld();
    const { attempt } = await world.start();
    const answer = send({ message_id: 'early', status: 'delivered' });
    await eventually('the receipt waits', () => world.reporter.waiting === 1);
    await world.take(attempt, 'early');
    world.reporter.accepted('gateway', 'early');
    expect((await answer).status).toBe(200);
    expect(world.status(attempt)).toBe('delivered');
  });

  it.each([
    ['sms', 'sent'],
    ['sms', 'delivered'],
    ['sms', 'undelivered'],
    ['sms', 'failed'],
    ['voice', 'ringing'],
    ['voice', 'in-progress'],
    ['voice', 'completed'],
    ['voice', 'busy'],
    ['voice', 'no-answer'],
    ['voice', 'failed'],
  ] as const)('of %s may say %s', async (channel, status) => {
    const context = recordingContext();
    const { send } = await serve(context, [channel]);
    expect((await send({ hop_id: HOP, message_id: null, status, error_code: null })).status).toBe(200);
    expect(context.reports).toEqual([{ by: { kind: 'hop', hopId: HOP }, status, errorCode: null }]);
  });

  it.each([0, 1, 86_400])('of a call may say that it lasted %d seconds', async (duration) => {
    const context = recordingContext();
    const { send } = await serve(context);
    expect((await send({ hop_id: HOP, status: 'completed', duration })).status).toBe(200);
    expect((await send({ message_id: 'a', status: 'completed', duration })).status).toBe(200);
    expect(context.reports).toMatchObject([{ duration }, { duration }]);
  });

  it('may leave the duration of a call null', async () => {
    const context = recordingContext();
    const { send } = await serve(context);
    expect((await send({ hop_id: HOP, status: 'completed', duration: null })).status).toBe(200);
    expect(context.reports).toEqual([
      { by: { kind: 'hop', hopId: HOP }, status: 'completed', errorCode: null },
    ]);
  });

  it.each([
    ['unknown', 404, 'no message of this carrier has this hop_id'],
    ['invalid', 400, "status: the message's channel has no such status or error_code"],
    ['unavailable', 503, 'the receipt cannot be recorded now; send it again'],
  ] as const)('that is %s is answered %d in the shape of the contract', async (result, status, error) => {
    const { send } = await serve(recordingContext([result]));
    const answer = await send({ hop_id: HOP, status: 'delivered' });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ api_id: expect.stringMatching(API_ID), error });
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  it('that cannot be recorded for a defect of ours is answered 500 without its details', async () => {
    const report = async () => {
      throw new Error('details');
    };
    const { send, lines } = await serve({ ...recordingContext(), report });
    const answer = await send({ hop_id: HOP, status: 'delivered' });
    expect(answer.status).toBe(500);
    expect(answer.body.api_id).toMatch(API_ID);
    expect(answer.text).not.toContain('details');
    expect(lines.join('')).toContain('details');
  });
});

describe('an inbound message', () => {
  const stop = { from: '14155550123', to: '22000', text: 'STOP' };
  const init = { path: '/../inbound' };

  it('is handed over', async () => {
    const context = recordingContext();
    const { send } = await serve(context);
    const answer = await send({ ...stop, extra: 1 }, init);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ api_id: expect.stringMatching(API_ID), message: 'message recorded' });
    expect(context.inbox).toEqual([stop]);
  });

  it('that cannot be recorded now is to be sent again', async () => {
    const { send } = await serve({ ...recordingContext(), inbound: async () => 'unavailable' });
    const answer = await send(stop, init);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('that makes no sense, or is not authorised, is refused', async () => {
    const context = recordingContext();
    const { send } = await serve(context);
    for (const body of [{ ...stop, text: 1 }, { ...stop, from: null }, [], 'null']) {
      expect((await send(body, init)).status).toBe(400);
    }
    expect((await send(stop, { ...init, headers: { authorization: 'Bearer x' } })).status).toBe(401);
    expect(context.inbox).toEqual([]);
  });
});

describe('a receipt that is not authorised', () => {
  it.each([
    ['no header', ''],
    ['another secret', 'Bearer another-bearer-secret-42'],
    ['a part of the secret', `Bearer ${SECRET.slice(0, -1)}`],
    ['more than the secret', `Bearer ${SECRET}x`],
    ['another scheme', `Basic ${SECRET}`],
    ['only the secret', SECRET],
    ['an empty secret', 'Bearer '],
  ])('is refused for %s, before its body is looked at', async (_, authorization) => {
    const context = recordingContext();
    const { send } = await serve(context);
    const answer = await send('no JSON', { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.body).toEqual({ api_id: expect.stringMatching(API_ID), error: expect.any(String) });
    expect(answer.text).not.toContain(SECRET);
    expect(context.reports).toEqual([]);
  });

  it('is authorised whatever the case of the scheme', async () => {
    const { send } = await serve();
    const headers = { authorization: `bearer ${SECRET}` };
    expect((await send({ hop_id: HOP, status: 'sent' }, { headers })).status).toBe(200);
  });
});

describe('a receipt that makes no sense', () => {
  it.each([
    ['no JSON', '{"status": '],
    ['an empty body', ''],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['a string', '""'],
    ['an array', []],
    ['null', 'null'],
    ['no status', { hop_id: HOP }],
    ['status queued', { hop_id: HOP, status: 'queued' }],
    ['a status in capitals', { hop_id: HOP, status: 'DELIVERED' }],
    ['a number for status', { hop_id: HOP, status: 1 }],
    ['an object for status', { hop_id: HOP, status: { toString: 'sent' } }],
    ['a name of every object for status', { hop_id: HOP, status: '__proto__' }],
    ['no id', { status: 'sent' }],
    ['a hop id that is none', { hop_id: 'x', status: 'sent' }],
    ['a number for hop id', { hop_id: 1, status: 'sent' }],
    ['an empty message id', { message_id: '', status: 'sent' }],
    ['too long a message id', { message_id: 'x'.repeat(129), status: 'sent' }],
    ['a NUL in the message id', { message_id: 'a\0b', status: 'sent' }],
    ['a fraction for message id', { message_id: 1.5, status: 'sent' }],
    ['an inexact message id', '{"message_id": 12345678901234567890, "status": "sent"}'],
    ['an error code of no channel', { hop_id: HOP, status: 'failed', error_code: 7 }],
    ["the other channel's error code", { hop_id: HOP, status: 'undelivered', error_code: 3010 }],
    ['a string for error code', { hop_id: HOP, status: 'failed', error_code: '80' }],
    ['a string for duration', { hop_id: HOP, status: 'completed', duration: '13' }],
    ['a fraction for duration', { hop_id: HOP, status: 'completed', duration: 1.5 }],
    ['a negative duration', { hop_id: HOP, status: 'completed', duration: -1 }],
    ['a duration of more than a day', { hop_id: HOP, status: 'completed', duration: 86_401 }],
    ['the duration of an SMS', { hop_id: HOP, status: 'delivered', duration: 13 }],
  ])('for %s is answered 400', async (_, body) => {
    const context = recordingContext();
    const { send } = await serve(context);
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ api_id: expect.stringMatching(API_ID), error: expect.any(String) });
    expect(context.reports).toEqual([]);
  });

  it('for a channel that the carrier does not serve is answered 400', async () => {
    const { send } = await serve(recordingContext(), ['sms']);
    const answer = await send({ hop_id: HOP, status: 'ringing' });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe('status: expected for sms sent, delivered, undelivered or failed');
  });

  it('never has its body quoted', async () => {
    const { send } = await serve();
    expect((await send('73519264 is no JSON')).text).not.toContain('73519264');
  });

  it('as another content type is answered 400', async () => {
    const { send } = await serve();
    const headers = { 'content-type': 'text/plain' };
    expect((await send({ hop_id: HOP, status: 'sent' }, { headers })).status).toBe(400);
  });

  it('longer than 64 KiB is answered 413', async () => {
    const { send } = await serve();
    const answer = await send({ hop_id: HOP, status: 'sent', pad: 'x'.repeat(64 * 1024) });
    expect(answer.status).toBe(413);
    expect(answer.body.api_id).toMatch(API_ID);
  });

  it('by another method is answered 405', async () => {
    const { send } = await serve();
    const answer = await send(undefined, { method: 'DELETE' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(answer.body.api_id).toMatch(API_ID);
  });
});

it('whatever JSON is sent, the answer is JSON below 500', async () => {
  const { send } = await serve();
  const keys = fc.constantFrom(
    'hop_id',
    'message_id',
    'status',
    'error_code',
    'duration',
    '__proto__',
    'constructor',
  );
  const values = fc.oneof(
    fc.constantFrom(HOP, 'sent', 'failed', 'ringing', 80, 3010, '\0', '\ud800'),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const bodies = fc.oneof(fc.jsonValue(), fc.dictionary(keys, values), fc.string());
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const answer = await send(typeof body === 'string' ? body : JSON.stringify(body));
      expect(answer.status).toBeLessThan(500);
      expect(answer.body.api_id).toMatch(API_ID);
      expect('error' in answer.body).toBe(answer.status !== 200);
    }),
    { numRuns: 300 },
  );
});
