import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { awsSnsStub } from '../../support/providers/aws-sns.js';
import { messagebirdStub } from '../../support/providers/messagebird.js';
import { plivoStub } from '../../support/providers/plivo.js';
import { type ProviderStub, serveProvider } from '../../support/providers/server.js';
import { sinchStub } from '../../support/providers/sinch.js';
import { telnyxStub } from '../../support/providers/telnyx.js';
import { twilioStub } from '../../support/providers/twilio.js';
import { vonageStub } from '../../support/providers/vonage.js';
import { eventually } from '../../support/virtual-time.js';
import { carrierOf } from './mount.js';
import { CODE, message, recordingContext } from './support.js';

type Subject = readonly [type: string, settings: Readonly<Record<string, unknown>>];

const stubs: readonly ProviderStub[] = [
  twilioStub,
  plivoStub,
  vonageStub,
  messagebirdStub,
  sinchStub,
  telnyxStub,
  awsSnsStub,
];
const subjects: readonly Subject[] = [
  ...stubs.map(({ type, settings }) => [type, settings] as const),
  ['http', { json: { text: '{text}' }, answer: { message_id: '/id' } }],
];

/** A carrier of the real clock to a server at this address. */
function carrierAt([type, settings]: Subject, url: string, changes: Record<string, unknown> = {}) {
  const address = type === 'http' ? { url: `${url}/send` } : { base_url: url };
  const all = { ...settings, ...address, timeout_ms: 150, ...changes };
  return carrierOf(type, all, recordingContext());
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
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Behaviour = (socket: Socket) => void;

/** Does something to the connection when the first bytes of a request have come. */
function whenWritten(act: Behaviour): Behaviour {
  return (socket) => {
    socket.once('data', () => act(socket));
  };
}

function answering(text: string): Behaviour {
  return whenWritten((socket) => {
    socket.end(text);
  });
}

const silences: readonly (readonly [what: string, behave: Behaviour, why: string | RegExp])[] = [
  ['says nothing', () => {}, 'no answer within 150 ms'],
  [
    'never ends its answer',
    whenWritten((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{')),
    'no answer within 150 ms',
  ],
  ['closes', answering(''), /^connection (closed|reset)/],
  ['resets', whenWritten((socket) => void socket.resetAndDestroy()), /^connection (closed|reset)/],
  ['speaks no HTTP', answering(`SSH-2.0 ${CODE}\r\n`), /^the answer is not HTTP$/],
  ['breaks off', answering('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'), /^connection closed/],
];

describe('connections and window', () => {
  it.each([1, 2, 3, 7, 40])('of %d nodes together are the carrier’s', (count) => {
    const windows = Array.from({ length: count }, (_, index) => {
      const context = { ...recordingContext(), share: { index, count } };
      return carrierOf('http', { url: 'http://127.0.0.1:1/', json: {}, connections: 64, window: 40 }, context)
        .window;
    });
    expect(windows.reduce((sum, window) => sum + window)).toBe(40);
  });

  it('of a node that is left none take no message', async () => {
    const { url, received } = await serveProvider(() => ({ status: 200, body: '' }));
    const context = { ...recordingContext(), share: { index: 1, count: 2 } };
    const carrier = carrierOf('http', { url: `${url}/`, json: {}, connections: 1 }, context);
    expect(await carrier.submit(message())).toMatchObject({ kind: 'unavailable', down: true });
    expect(carrier.status?.()).toMatchObject({ state: 'down' });
    expect(received).toEqual([]);
  });
});

describe.each(subjects)('a message over %s', (...subject) => {
  it.each(silences)('is unanswered when the other side %s after it was written', async (_, behave, why) => {
    const carrier = carrierAt(subject, await rawServer(behave));
    const result = await carrier.submit(message());
    expect(result).toEqual({
      kind: 'unanswered',
      errorCode: 20,
      reason: typeof why === 'string' ? why : expect.stringMatching(why),
      down: true,
    });
    expect(carrier.status?.()).toMatchObject({ state: 'down', inFlight: 0, counts: { unanswered: 1 } });
  });

  it('is not sent when nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await carrierAt(subject, `http://127.0.0.1:${port}`).submit(message())).toEqual({
      kind: 'unavailable',
      errorCode: 20,
      reason: 'connection refused',
      down: true,
    });
  });

  it('is not sent where no TLS is spoken', async () => {
    const url = (await rawServer(answering('HTTP/1.1 200 OK\r\n\r\n'))).replace('http:', 'https:');
    expect(await carrierAt(subject, url).submit(message())).toMatchObject({
      kind: 'unavailable',
      reason: 'no TLS spoken there',
    });
  });

  it.each([
    ['garbage', `<html>${CODE}</html>`],
    ['more than is read', 'x'.repeat(200_000)],
    ['nothing', ''],
    ['JSON of another shape', '[null]'],
    ['nulls', '{"sid": null, "id": null, "data": null, "message_uuid": null}'],
  ])('that is answered with success and %s may be under way', async (_, body) => {
    const { url } = await serveProvider(() => ({ status: 200, body }));
    const result = await carrierAt(subject, url, { timeout_ms: 5_000 }).submit(message());
    expect(result).toEqual(
      subject[0] === 'http'
        ? { kind: 'accepted', messageId: null }
        : {
            kind: 'unanswered',
            errorCode: 20,
            reason: 'HTTP 200, not an answer that the provider documents',
            down: true,
          },
    );
  });

  it.each([
    ['garbage', `<html>${CODE}</html>`],
    ['more than is read', 'x'.repeat(200_000)],
    ['arrays', '{"code": [], "error": [], "errors": {}, "type": []}'],
    ['nulls', '{"code": null, "error": null, "errors": [null], "type": null}'],
  ])('that is answered with an error and %s is left to others', async (_, body) => {
    const { url } = await serveProvider(() => ({ status: 400, body }));
    const result = await carrierAt(subject, url, { timeout_ms: 5_000 }).submit(message());
    expect(result).toEqual({ kind: 'unavailable', errorCode: 1000, reason: 'HTTP 400', down: false });
  });

  it('shares one connection with others, each in its turn', async () => {
    const { url, received } = await serveProvider(() => ({ status: 500, body: '' }));
    const carrier = carrierAt(subject, url, { connections: 1, timeout_ms: 5_000 });
    const results = await Promise.all(Array.from({ length: 5 }, () => carrier.submit(message())));
    expect(results.every(({ kind }) => kind === 'unavailable')).toBe(true);
    expect(received).toHaveLength(5);
  });

  it('is waited for by a carrier that stops, which then takes nothing more', async () => {
    const sockets: Socket[] = [];
    const url = await rawServer((socket) => void sockets.push(socket));
    const carrier = carrierAt(subject, url, { timeout_ms: 5_000 });
    const submit = carrier.submit(message());
    await eventually('the other side has it', () => sockets.length === 1);
    const stopped = carrier.stop();
    sockets[0]?.end('HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n');
    expect(await submit).toMatchObject({ kind: 'unavailable', reason: 'HTTP 503' });
    await stopped;
    expect(await carrier.submit(message())).toMatchObject({
      kind: 'unavailable',
      reason: 'the client is stopped',
    });
  });

  it('leaves what becomes of an unanswered one to the configuration', () => {
    expect(carrierAt(subject, 'http://127.0.0.1:1').unanswered).toBe('resend');
    expect(carrierAt(subject, 'http://127.0.0.1:1', { unanswered: 'wait' }).unanswered).toBe('wait');
  });
});
