import { expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { basic } from '../support/api-server.js';
import { AUTH_ID, RECIPIENT, startCountersign, TOKEN } from './support.js';

test('a create of the SDK for a recipient who opted out is accepted, fails with 200 and sends nothing', async () => {
  const customer = await new Receiver().start();
  const server = await startCountersign();
  await server.administration('optout.add', { recipient: `+${RECIPIENT}` });
  const path = `/v1/Account/${AUTH_ID}/Verify/OptOut/`;
  expect((await server.get('/Verify/OptOut/')).opt_outs).toMatchObject([
    { recipient: RECIPIENT, source: 'operator' },
  ]);

  const { sessionUuid } = await server.sessions().create({ recipient: `+${RECIPIENT}`, url: customer.url() });
  await server.until('both callbacks', () => customer.requests.length === 2);
  expect(
    customer.requests.map(({ parameters }) => [parameters.ChannelStatus, parameters.ChannelErrorCode]),
  ).toEqual([
    ['queued', ''],
    ['failed', '200'],
  ]);
  expect(await server.inbox(0)).toEqual([]);
  expect((await server.administration('carriers.list', {}))[0]!.submits.accepted).toBe(0);

  const headers = { Authorization: basic({ authId: AUTH_ID, token: TOKEN } as never) };
  const removed = await fetch(`${server.url}${path}${RECIPIENT}/`, { method: 'DELETE', headers });
  expect(removed.status).toBe(204);
  await server.sessions().create({ recipient: `+${RECIPIENT}` });
  const [message] = await server.inbox(1);
  expect(message).toMatchObject({ session_uuid: sessionUuid, recipient: RECIPIENT });
  expect((await server.administration('carriers.list', {}))[0]!.submits.accepted).toBe(1);
});

test('the list outlives a restart', async () => {
  const server = await startCountersign();
  await server.administration('optout.add', { recipient: RECIPIENT });
  await server.restart();
  expect((await server.get(`/Verify/OptOut/${RECIPIENT}/`)).source).toBe('operator');
});
