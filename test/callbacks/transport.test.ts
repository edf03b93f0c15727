import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Resolve } from '#callbacks/lookup.js';
import type { CallbackRequest } from '#callbacks/request.js';
import { type CallbackTransport, createHttpTransport } from '#callbacks/transport.js';
import { selfSigned } from '../support/certificates.js';
import { eventually, settle, VirtualEnvironment } from '../support/virtual-time.js';
import { listen, Receiver } from './receiver.js';

const environment = new VirtualEnvironment();
const transports: CallbackTransport[] = [];

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

function transport(allow: string[] = [], resolve?: Resolve): CallbackTransport {
  const made = createHttpTransport({ environment, settings: { perHost: 2, total: 8 }, allow, resolve });
  transports.push(made);
  return made;
}

const LOOPBACK = ['127.0.0.0/8', '::1'];

function post(url: string, body = 'ChannelStatus=sent'): CallbackRequest {
  return { method: 'POST', url, body, headers: { 'X-Nonce': '1' } };
}

function always(...addresses: string[]): Resolve {
  return async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

test('a POST arrives with headers and body, and its status comes back', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(202).end('thank you');
  const answer = await transport(LOOPBACK).send(post(receiver.url('/status?tenant=7')));
  expect(answer).toEqual({ kind: 'status', status: 202 });
  expect(receiver.requests[0]).toMatchObject({
    method: 'POST',
    path: '/status?tenant=7',
    body: 'ChannelStatus=sent',
  });
  expect(receiver.requests[0]!.headers['x-nonce']).toBe('1');
});

test('a GET arrives with its query to the letter', async () => {
  const receiver = await new Receiver().start();
  const path = '/a%2Fb?RequestTime=2026-01-31T08:52:39.363000Z&BrandName=Acme%20Corp&AppHash=';
  const answer = await transport(LOOPBACK).send({
    method: 'GET',
    url: receiver.url(path),
    headers: {},
    body: null,
  });
  expect(answer).toEqual({ kind: 'status', status: 204 });
  expect(receiver.requests[0]).toMatchObject({ method: 'GET', path, body: '' });
});

test('connections are used again, and no more are open than one host may have', async () => {
  const receiver = await new Receiver().start();
  const sender = transport(LOOPBACK);
  await Promise.all(Array.from({ length: 10 }, () => sender.send(post(receiver.url()))));
  expect(receiver.requests).toHaveLength(10);
  expect(receiver.connections).toBeLessThanOrEqual(2);
});

test('a redirect is an answer, not an order', async () => {
  const target = await new Receiver().start();
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(307, { Location: target.url() }).end();
  expect(await transport(LOOPBACK).send(post(receiver.url()))).toEqual({ kind: 'status', status: 307 });
  await settle(20);
  expect(target.connections).toBe(0);
});

test('no proxy of the environment is used', async () => {
  const proxy = await new Receiver().start();
  const receiver = await new Receiver().start();
  const before = process.env.http_proxy;
  process.env.http_proxy = proxy.url('/');
  try {
    expect(await transport(LOOPBACK).send(post(receiver.url()))).toEqual({ kind: 'status', status: 204 });
  } finally {
    if (before === undefined) delete process.env.http_proxy;
    else process.env.http_proxy = before;
  }
  expect(proxy.connections).toBe(0);
});

test.each<[string, Receiver['answer']]>([
  ['answers nothing', () => {}],
  ['never ends its answer', (response) => response.writeHead(200).write('a beginning')],
])('a host that %s is waited for 5 s', async (_, answer) => {
  const receiver = await new Receiver().start();
  receiver.answer = answer;
  let ended = false;
  const sent = transport(LOOPBACK).send(post(receiver.url()));
  void sent.then(() => {
    ended = true;
  });
  await receiver.receives(1);
  await environment.advance(4_999);
  await settle(20);
  expect(ended).toBe(false);
  await environment.advance(1);
  expect(await sent).toEqual({ kind: 'none', reason: 'no whole answer within 5 s' });
});

test('a host name that nobody resolves is waited for 5 s too', async () => {
  const sent = transport([], () => new Promise(() => {})).send(post('http://slow.example/'));
  await settle(5);
  await environment.advance(5_000);
  expect(await sent).toMatchObject({ kind: 'none' });
});

test('an answer without end is cut off, and its status counts', async () => {
  const receiver = await new Receiver().start();
  let cut = false;
  receiver.answer = (response) => {
    const more = () => {
      if (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) setImmediate(more);
    };
    response
      .writeHead(200)
      .on('drain', more)
      .on('close', () => {
        cut = true;
      });
    more();
  };
  expect(await transport(LOOPBACK).send(post(receiver.url()))).toEqual({ kind: 'status', status: 200 });
  await eventually('the connection is cut', () => cut);
});

test('a host that cannot be reached, or does not speak HTTP, has given no answer', async () => {
  const closing = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
  const babbling = await listen(
    createTcpServer((socket) => socket.once('data', () => socket.end('220 mail\r\n'))),
  );
  const plain = await new Receiver().start();
  const gone = await listen(createTcpServer());
  const gonePort = gone.port;
  await gone.close();
  const sender = transport(LOOPBACK);
  const reasons: Record<string, string> = {
    [`http://127.0.0.1:${gonePort}/`]: 'connection refused',
    [`http://127.0.0.1:${closing.port}/`]: 'connection closed without an answer',
    [`http://127.0.0.1:${babbling.port}/`]: 'the answer is not HTTP',
    [`https://127.0.0.1:${plain.port}/`]: 'no TLS there',
  };
  for (const [url, reason] of Object.entries(reasons)) {
    expect(await sender.send(post(url))).toEqual({ kind: 'none', reason });
  }
});

test('a certificate that nobody vouches for is not accepted, and nothing is sent', async () => {
  const receiver = await new Receiver().start('127.0.0.1', (listener) =>
    createHttpsServer(selfSigned(), listener),
  );
  const answer = await transport(LOOPBACK).send(post(`https://localhost:${receiver.port}/`));
  expect(answer).toEqual({ kind: 'none', reason: 'certificate is self-signed' });
  expect(receiver.requests).toEqual([]);
});

test.each([
  '127.0.0.1',
  'localhost',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.1',
  '１２７.0.0.1',
  '127.0.0.1.',
  '169.254.169.254',
])('%s is refused before anything connects', async (host) => {
  const receiver = await new Receiver().start('::').catch(() => new Receiver().start());
  const answer = await transport().send(post(`http://${host}:${receiver.port}/latest/meta-data`));
  expect(answer).toEqual({ kind: 'refused', reason: 'the host has no public address' });
  expect(receiver.connections).toBe(0);
});

test('a name that resolves to private addresses only is refused, whatever it is called', async () => {
  const receiver = await new Receiver().start();
  const sender = transport([], always('127.0.0.1', '10.0.0.1', '::ffff:127.0.0.1', 'fe80::1'));
  const answer = await sender.send(post(`http://customer.example:${receiver.port}/`));
  expect(answer.kind).toBe('refused');
  expect(receiver.connections).toBe(0);
});

test('of a name’s addresses only those that are permitted are tried', async () => {
  const receiver = await new Receiver().start();
  const sender = transport(['127.0.0.1'], always('127.0.0.2', '127.0.0.1'));
  const hidden = await listen(createTcpServer(), '127.0.0.2');
  const answer = await sender.send(post(`http://customer.example:${receiver.port}/`));
  expect(answer).toEqual({ kind: 'status', status: 204 });
  expect(receiver.requests[0]!.headers.host).toBe(`customer.example:${receiver.port}`);
  expect(hidden.connections).toBe(0);
});

test('a name whose address changes between two calls is checked at each connection', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(204, { Connection: 'close' }).end();
  const answers = ['127.0.0.1', '127.0.0.2'];
  const sender = transport(['127.0.0.1'], async () => [{ address: answers.shift()!, family: 4 }]);
  const url = `http://customer.example:${receiver.port}/`;
  expect(await sender.send(post(url))).toEqual({ kind: 'status', status: 204 });
  expect(await sender.send(post(url))).toMatchObject({ kind: 'refused' });
  expect(receiver.connections).toBe(1);
});

test('a name that the operator allows may be private; its address under another name may not', async () => {
  const receiver = await new Receiver().start();
  const sender = transport(['hooks.internal'], always('127.0.0.1'));
  expect(await sender.send(post(`http://hooks.internal:${receiver.port}/`))).toEqual({
    kind: 'status',
    status: 204,
  });
  for (const host of ['127.0.0.1', 'hooks.example']) {
    expect(await sender.send(post(`http://${host}:${receiver.port}/`))).toMatchObject({ kind: 'refused' });
  }
});

test('closing ends what is in flight', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = () => {};
  const sender = transport(LOOPBACK);
  const sent = sender.send(post(receiver.url()));
  await receiver.receives(1);
  await sender.close();
  expect(await sent).toMatchObject({ kind: 'none' });
});
