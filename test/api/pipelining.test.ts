import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Store } from '#store/store.js';
import { type ApiServer, basic, sendRaw, startApi } from '../support/api-server.js';

let api: ApiServer;
afterEach(() => api.close());

const GARBAGE = 'this is no HTTP\r\n\r\n';

function request(method: string, body = ''): string {
  return [
    `${method} /v1/Account/${api.main.authId}/Verify/Session/ HTTP/1.1`,
    'Host: x',
    `Authorization: ${basic(api.main)}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
const createOf = (recipient: string) => request('POST', JSON.stringify({ recipient }));
const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 ([0-9]{3})/g)].map((match) => Number(match[1]));

/** An API whose commits wait until so many creates have come; what followed them has been read by then. */
async function withCommitsTogether(count: number) {
  api = await startApi();
  const { store } = api;
  const submit = store.submit.bind(store);
  let waiting = 0;
  let release = () => {};
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  store.submit = (async (command: never) => {
    if (++waiting === count) setImmediate(release);
    await all;
    return submit(command);
  }) as Store['submit'];
}

test('§7 garbage after a create in flight is refused after the create is answered, never in its place', async () => {
  await withCommitsTogether(1);
  const text = await sendRaw(api.port, createOf('14155551234') + GARBAGE);
  expect(statusesIn(text)).toEqual([202, 400]);
  expect(text.indexOf('session_uuid')).toBeLessThan(text.indexOf(' 400 '));
});

test('§7 garbage after several creates in flight is refused after the last of them', async () => {
  await withCommitsTogether(3);
  const creates = ['14155551234', '14155551235', '14155551236'].map(createOf).join('');
  expect(statusesIn(await sendRaw(api.port, creates + GARBAGE))).toEqual([202, 202, 202, 400]);
});

test('§7 a body that cannot be read is refused in its turn, and once', async () => {
  await withCommitsTogether(1);
  const head = request('POST').replace('Content-Length: 0', 'Transfer-Encoding: chunked');
  expect(statusesIn(await sendRaw(api.port, `${createOf('14155551234')}${head}xyz\r\n`))).toEqual([202, 400]);
  expect(statusesIn(await sendRaw(api.port, `${head}xyz\r\n`))).toEqual([400]);
});

test('§7 a client that goes on sending garbage is refused once', async () => {
  await withCommitsTogether(1);
  const text = await new Promise<string>((resolve) => {
    let received = '';
    const socket = connect(api.port, '127.0.0.1', () => {
      socket.write(createOf('14155551234') + GARBAGE);
      socket.write(GARBAGE.repeat(100));
    });
    socket.setEncoding('utf8').on('data', (data) => {
      received += data;
      if (received.includes(' 400 ')) resolve(received);
    });
  });
  expect(statusesIn(text)).toEqual([202, 400]);
});
