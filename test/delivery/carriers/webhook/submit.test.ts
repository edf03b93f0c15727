import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Carrier, SubmitResult } from '#delivery/carrier.js';
import { webhook } from '#delivery/carriers/webhook/index.js';
import { eventually, VirtualEnvironment } from '../../../support/virtual-time.js';
import { CODE, gateway, message, recordingContext, SECRET, TEXT } from '../support.js';

function carrierAt(
  url: string,
  settings: { timeout_ms?: number; connections?: number; unanswered?: 'resend' | 'wait' } = {},
  context = recordingContext(),
): Carrier {
  const carrier = webhook.create({ url, secret: SECRET, ...settings }, context);
  onTestFinished(() => carrier.stop());
  return carrier;
}

/** Submits one message to a gateway that answers so. */
async function submitTo(
  status: number,
  body = '',
  headers: Record<string, string> = {},
  changes: Parameters<typeof message>[0] = {},
): Promise<SubmitResult> {
  const { url } = await gateway((_, response) => response.writeHead(status, headers).end(body));
  return carrierAt(url).submit(message(changes));
}

/** A server that does with each connection what it is told. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('what the gateway gets', () => {
  it('has the sender and the parameters of the route, unless the caller asked for another sender', async () => {
    const { url, received } = await gateway((_, response) => response.writeHead(202).end());
    const route = { sender: 'ACME', parameters: { entity_id: '1201' } };
    await carrierAt(url).submit(message(route));
    await carrierAt(url).submit(message({ ...route, src: '14155550100' }));
    expect(received.map(({ body }) => JSON.parse(body))).toMatchObject([
      { src: 'ACME', parameters: { entity_id: '1201' } },
      { src: '14155550100', parameters: { entity_id: '1201' } },
    ]);
  });

  it('is one POST with everything that it needs to deliver', async () => {
    const { url, received } = await gateway((_, response) => response.writeHead(202).end());
    await carrierAt(url).submit(message({ channel: 'voice', dtmf: 1, src: '14155550100', locale: 'pt-BR' }));
    const [request] = received;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/messages?tenant=7',
      headers: {
        authorization: `Bearer ${SECRET}`,
        'content-type': 'application/json',
        'idempotency-key': message().hopId,
      },
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      hop_id: message().hopId,
      attempt_uuid: message().attempt,
      session_uuid: message().session,
      channel: 'voice',
      recipient: '14155550123',
      text: TEXT,
      code: CODE,
      locale: 'pt-BR',
      brand_name: 'Acme',
      dtmf: 1,
      src: '14155550100',
      expires_at: '2026-01-31T09:02:39.363000Z',
    });
  });

  it('repeats the idempotency key when the same hop is tried again', async () => {
    const { url, received } = await gateway((_, response, count) =>
      response.writeHead(count === 1 ? 500 : 200).end(),
    );
    const carrier = carrierAt(url);
    expect((await carrier.submit(message())).kind).toBe('unavailable');
    expect((await carrier.submit(message())).kind).toBe('accepted');
    const keys = received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([message().hopId, message().hopId]);
  });

  it('comes over no more connections than configured', async () => {
    let open = 0;
    let most = 0;
    const { url, received } = await gateway((_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.writeHead(200).end();
      });
    });
    const carrier = carrierAt(url, { connections: 3 });
    const results = await Promise.all(Array.from({ length: 40 }, () => carrier.submit(message())));
    expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(received).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('does not run out of time while it waits for a connection', async () => {
    const environment = new VirtualEnvironment();
    const waiting: (() => void)[] = [];
    const { url } = await gateway((_, response) => void waiting.push(() => response.writeHead(200).end()));
    const settings = { connections: 1, timeout_ms: 1_000 };
    const carrier = carrierAt(url, settings, recordingContext(['recorded'], environment));
    const results = Promise.all([carrier.submit(message()), carrier.submit(message())]);
    for (let count = 0; count < 2; count++) {
      await eventually('the gateway has a message', () => waiting.length === 1);
      await environment.advance(900);
      waiting.shift()?.();
    }
    expect((await results).map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
  });
});

describe('an answer that takes the message', () => {
  it.each([200, 201, 202])('%d accepts', async (status) => {
    expect(await submitTo(status, '{"message_id": "abc-1"}')).toEqual({
      kind: 'accepted',
      messageId: 'abc-1',
    });
  });

  it.each([
    ['a number', '{"message_id": 42}', '42'],
    ['128 characters', `{"message_id": "${'x'.repeat(128)}"}`, 'x'.repeat(128)],
    ['129 characters', `{"message_id": "${'x'.repeat(129)}"}`, null],
    ['empty', '{"message_id": ""}', null],
    ['a NUL', '{"message_id": "a\\u0000b"}', null],
    ['half a surrogate pair', '{"message_id": "\\ud800"}', null],
    ['too large a number', '{"message_id": 12345678901234567890}', null],
    ['an object', '{"message_id": {"a": 1}}', null],
    ['absent', '{}', null],
    ['in no JSON', 'queued', null],
    ['in an array', '[1]', null],
    ['in JSON null', 'null', null],
    ['in no body', '', null],
    ['past the bound of the body', `{"pad": "${'x'.repeat(70_000)}", "message_id": "m"}`, null],
  ])('accepts with a message id that is %s', async (_, body, messageId) => {
    expect(await submitTo(200, body)).toEqual({ kind: 'accepted', messageId });
  });
});

describe('an answer that refuses the message', () => {
  it.each([
    ['sms', '{"error_code": 50, "reason": "landline number"}', 50, 'HTTP 422: landline number'],
    ['sms', '{"error_code": 50}', 50, 'HTTP 422'],
    ['voice', '{"error_code": 2010}', 2010, 'HTTP 422'],
    ['sms', '{"error_code": 2010}', 1000, 'HTTP 422'],
    ['voice', '{"error_code": 50}', 5010, 'HTTP 422'],
    ['sms', '{"error_code": "50"}', 1000, 'HTTP 422'],
    ['sms', '{"error_code": 51}', 1000, 'HTTP 422'],
    ['sms', 'no', 1000, 'HTTP 422'],
    ['voice', '', 5010, 'HTTP 422'],
    ['sms', 'x'.repeat(70_000), 1000, 'HTTP 422'],
  ] as const)('%s %.50s is error %d', async (channel, body, errorCode, reason) => {
    expect(await submitTo(422, body, {}, { channel })).toEqual({ kind: 'refused', errorCode, reason });
  });

  it.each([400, 402, 409, 410, 413, 451])('%d refuses for good', async (status) => {
    expect((await submitTo(status)).kind).toBe('refused');
  });

  it.each([
    CODE,
    `cannot send ${TEXT}`,
    'Your Acme verification code is',
    '14155550123 is barred',
    'first line\nsecond line',
    'x'.repeat(49),
    '',
  ])('keeps none of a reason that may hold content: %.40j', async (reason) => {
    const result = await submitTo(400, JSON.stringify({ error_code: 30, reason }));
    expect(result).toEqual({ kind: 'refused', errorCode: 30, reason: 'HTTP 400' });
  });
});

describe('an answer that says not now', () => {
  it.each([
    [401, true],
    [403, true],
    [404, true],
    [408, false],
    [425, false],
    [429, true],
    [500, true],
    [502, true],
    [503, true],
  ])('%d is tried again; the carrier is in trouble: %s', async (status, down) => {
    expect(await submitTo(status, '{"error_code": 50}')).toEqual({
      kind: 'unavailable',
      errorCode: 20,
      reason: `HTTP ${status}`,
      down,
    });
  });

  it('has the network error of its channel', async () => {
    expect(await submitTo(503, '', {}, { channel: 'voice' })).toMatchObject({ errorCode: 5000 });
  });

  it('a redirect is not followed', async () => {
    const { url, received } = await gateway((_, response) =>
      response.writeHead(307, { location: '/elsewhere' }).end(),
    );
    expect(await carrierAt(url).submit(message())).toMatchObject({
      kind: 'unavailable',
      reason: 'HTTP 307, redirects are not followed',
      down: true,
    });
    expect(received).toHaveLength(1);
  });

  it.each([
    ['0', 0],
    ['7', 7_000],
    ['60', 60_000],
    ['86400', 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['Wed, 21 Oct 2099 07:28:00 GMT', 60_000],
  ])('with Retry-After %j waits %d ms', async (value, retryAfter) => {
    expect(await submitTo(429, '', { 'retry-after': value })).toMatchObject({ retryAfter });
  });

  it.each(['soon', '-1 year of rest', '1e400000'])('ignores Retry-After %j', async (value) => {
    expect(await submitTo(503, '', { 'retry-after': value })).not.toHaveProperty('retryAfter');
  });
});

describe('a gateway that gives no answer', () => {
  it('is given up after the timeout when it says nothing', async () => {
    const { url } = await gateway(() => {});
    expect(await carrierAt(url, { timeout_ms: 100 }).submit(message())).toEqual({
      kind: 'unanswered',
      errorCode: 20,
      reason: 'no answer within 100 ms',
      down: true,
    });
  });

  it('is given up after the timeout when it never ends its answer', async () => {
    const { url } = await gateway((_, response) => void response.writeHead(200).write('{"message_id":'));
    expect(await carrierAt(url, { timeout_ms: 100 }).submit(message())).toMatchObject({
      kind: 'unanswered',
      reason: 'no answer within 100 ms',
    });
  });

  it('does not hold up messages after it answers again', async () => {
    const { url } = await gateway((_, response, count) => {
      if (count > 2) response.writeHead(200).end();
    });
    const carrier = carrierAt(url, { timeout_ms: 100, connections: 1 });
    const kinds = [];
    for (let count = 0; count < 4; count++) kinds.push((await carrier.submit(message())).kind);
    expect(kinds).toEqual(['unanswered', 'unanswered', 'accepted', 'accepted']);
  });

  it.each([
    ['closes', (socket: Socket) => socket.once('data', () => socket.end()), /^connection closed/],
    [
      'resets',
      (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()),
      /^connection (closed|reset)/,
    ],
    [
      'speaks no HTTP',
      (socket: Socket) => socket.once('data', () => socket.end(`SSH-2.0 ${CODE}\r\n`)),
      /^the answer is not HTTP$/,
    ],
    [
      'breaks off within the body',
      (socket: Socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{')),
      /^connection closed/,
    ],
  ] as const)('is down when it %s', async (_, behave, reason) => {
    const result = await carrierAt(await rawServer(behave)).submit(message());
    expect(result).toMatchObject({ kind: 'unanswered', down: true, errorCode: 20 });
    expect(result).toHaveProperty('reason', expect.stringMatching(reason));
  });

  it('is sent the message again, or waited for, as is configured', async () => {
    const { url } = await gateway(() => {});
    expect(carrierAt(url).unanswered).toBe('resend');
    expect(carrierAt(url, { unanswered: 'wait' }).unanswered).toBe('wait');
  });

  it('is down when nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await carrierAt(`http://127.0.0.1:${port}/`).submit(message())).toEqual({
      kind: 'unavailable',
      errorCode: 20,
      reason: 'connection refused',
      down: true,
    });
  });

  it('is down when it speaks no TLS', async () => {
    const { url } = await gateway((_, response) => response.end());
    expect(await carrierAt(url.replace('http:', 'https:')).submit(message())).toMatchObject({
      kind: 'unavailable',
      reason: 'no TLS spoken there',
      down: true,
    });
  });
});

describe('a carrier that stops', () => {
  it('waits for the answer of what is in flight', async () => {
    let answer = (): void => {};
    const { url, received } = await gateway((_, response) => {
      answer = () => response.writeHead(200).end();
    });
    const carrier = carrierAt(url);
    const submit = carrier.submit(message());
    await eventually('the gateway has the message', () => received.length === 1);
    const stopped = carrier.stop();
    answer();
    expect((await submit).kind).toBe('accepted');
    await stopped;
  });

  it('takes nothing more', async () => {
    const { url, received } = await gateway((_, response) => response.end());
    const carrier = carrierAt(url);
    await carrier.stop();
    expect(await carrier.submit(message())).toMatchObject({ kind: 'unavailable' });
    expect(received).toEqual([]);
  });
});

describe('reasons', () => {
  it('never hold the secret, the code, the text or the recipient', async () => {
    const echo = JSON.stringify({ reason: `${SECRET} ${TEXT} 14155550123`, message_id: 'm' });
    const behaviours = [400, 401, 422, 429, 500, 302].map((status) => submitTo(status, echo));
    const results = JSON.stringify(await Promise.all(behaviours));
    for (const secret of [SECRET, CODE, 'Acme', '14155550123']) expect(results).not.toContain(secret);
  });
});
