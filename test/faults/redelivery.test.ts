import { expect, test } from 'vitest';
import { startServerProcess, until } from '../support/server-process.js';
import { listen } from './gateway.js';

interface LoggedCallback {
  readonly callback_id: string;
  readonly state: string;
  readonly channel_status: string;
  readonly tries: readonly { readonly manual: boolean; readonly status: number | null }[];
}

test('a redelivery that was answered 202 is sent although the server is killed at once', async () => {
  const bodies: string[] = [];
  let answers = true;
  const customer = await listen((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      bodies.push(body);
      if (answers) response.writeHead(204).end();
    });
  });
  const server = await startServerProcess();
  const { body: created } = await server.create({ recipient: '14155550123', url: `${customer.url}/status` });
  const path = `/Verify/Session/${created.session_uuid}/Callback/`;
  const log = async () =>
    ((await server.call('GET', path)).body as unknown as { callbacks: LoggedCallback[] }).callbacks;
  await until('all are delivered', async () => {
    const callbacks = await log();
    return callbacks.length === 3 && callbacks.every(({ state }) => state === 'delivered');
  });

  answers = false;
  const ids = (await log()).map(({ callback_id }) => callback_id);
  for (const id of ids) expect((await server.call('POST', `${path}${id}/Redeliver/`)).status).toBe(202);
  await server.end('SIGKILL');
  answers = true;
  const before = bodies.length;
  await server.start();
  await until('all are sent again', () => new Set(bodies.slice(before)).size === 3);
  expect([...bodies.slice(before)].sort()).toEqual([...bodies.slice(0, 3)].sort());
  await until('that is recorded', async () => (await log()).every(({ state }) => state === 'delivered'));
  const manual = (await log()).map(({ tries }) => tries.at(-1));
  expect(manual).toMatchObject(Array(3).fill({ manual: true, status: 204 }));
});
