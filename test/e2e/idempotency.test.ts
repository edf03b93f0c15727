import { expect, test } from 'vitest';
import { basic } from '../support/api-server.js';
import { AUTH_ID, startCountersign, TOKEN, type Untyped } from './support.js';

test('a create is repeated after a restart, and forgotten after a day', async () => {
  const server = await startCountersign();
  const create = async (body: object) => {
    const answer = await fetch(`${server.url}/v1/Account/${AUTH_ID}/Verify/Session/`, {
      method: 'POST',
      headers: {
        authorization: basic({ authId: AUTH_ID, token: TOKEN } as never),
        'content-type': 'application/json',
        'idempotency-key': 'order-4711',
      },
      body: JSON.stringify({ recipient: '14155551234', ...body }),
    });
    return { status: answer.status, body: (await answer.json()) as Untyped };
  };
  const first = await create({});
  expect(first.status).toBe(202);
  await server.restart();
  expect((await create({})).body.session_uuid).toBe(first.body.session_uuid);
  expect((await create({ locale: 'de' })).status).toBe(409);
  expect(await server.get(`/Verify/Session/${first.body.session_uuid}/`)).toMatchObject({ count: 1 });
  await server.passUntilSwept(24 * 3600_000);
  expect((await create({ locale: 'de' })).status).toBe(202);
});
