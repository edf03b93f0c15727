import { expect, test } from 'vitest';
import { depthOf, inParallel, startServerProcess, until } from '../support/server-process.js';
import { listen, orderOf, startCustomer } from './gateway.js';

const WAITING = 10_000;
const LIVE = 300;
const MEMORY_LIMIT = 400 * 1024 * 1024;

test('ten thousand attempts whose callback host never answers hold up neither deliveries nor other callbacks', {
  timeout: 400_000,
}, async () => {
  let asked = 0;
  const dead = await listen(() => {
    asked++;
  });
  const customer = await startCustomer();
  const server = await startServerProcess();
  const creates = (prefix: string, count: number, digits: number, url: string) =>
    inParallel(Array(count).keys(), 64, async (index) => {
      const recipient = `${prefix}${String(index).padStart(digits, '0')}`;
      const { status } = await server.create({ recipient, url });
      expect(status).toBe(202);
    });

  await creates('1415555', WAITING, 4, `${dead.url}/never`);
  await until('all are delivered', async () => (await server.metric(depthOf('deliveries'))) === 0);
  expect(await server.metric('countersign_attempts_total{channel="sms",status="delivered"}')).toBe(WAITING);
  expect(asked).toBeGreaterThan(0);
  expect(await server.metric(depthOf('callbacks'))).toBe(WAITING);
  // The host's window in memory, and what is in flight to it.
  expect(await server.metric(depthOf('callbacks_in_memory'))).toBeLessThanOrEqual(512 + 16);

  await creates('44791100', LIVE, 4, `${customer.url}/status`);
  await until('the living host has all of its own', () => customer.calls.length >= 3 * LIVE);
  const { byAttempt, faults } = orderOf(customer.calls);
  expect(faults).toEqual([]);
  expect([...byAttempt.values()]).toEqual(Array(LIVE).fill(['queued', 'sent', 'delivered']));
  await until('that is recorded', async () => (await server.metric(depthOf('callbacks'))) === WAITING);
  expect(await server.metric(depthOf('callbacks_in_memory'))).toBeLessThanOrEqual(512 + 16);
  expect(await server.metric('process_resident_memory_bytes')).toBeLessThan(MEMORY_LIMIT);

  const list = await server.call('GET', '/Verify/Session/?limit=20');
  expect([list.status, list.body.sessions.length]).toEqual([200, 20]);
});
