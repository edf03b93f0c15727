import { expect, test } from 'vitest';
import { depthOf, inParallel, startServerProcess, until } from '../support/server-process.js';
import { carrierOf, type Message, startGateway, take } from './gateway.js';

const WAITING = 10_000;
const LIVE = 500;

/** More than a server with a lane's window in memory ever needs, and far less than ten thousand attempts more. */
const MEMORY_LIMIT = 400 * 1024 * 1024;

test('ten thousand attempts wait for a dead carrier while another delivers, and go out when it is back', {
  timeout: 400_000,
}, async () => {
  let isDead = true;
  const unanswered = new Set<Message>();
  const dead = await startGateway((message, response) => {
    // A gateway that hangs: it takes the request and never answers.
    if (isDead) unanswered.add(message);
    else take(message, response);
  });
  const alive = await startGateway();
  const server = await startServerProcess({
    config: `
carriers:
${carrierOf('dead', dead.url, ', timeout_ms: 3000')}${carrierOf('alive', alive.url)}
routes:
  - {prefix: "1", carriers: [dead]}
  - {prefix: "44", carriers: [alive]}
`,
  });
  const create = async (recipient: string) => {
    const { status } = await server.create({ recipient });
    expect(status).toBe(202);
  };
  const numbers = (prefix: string, count: number, digits: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(digits, '0')}`);

  await inParallel(numbers('1415555', WAITING, 4), 64, create);
  const memory: number[] = [];
  const watch = async () => {
    memory.push(await server.metric('process_resident_memory_bytes'));
    return server.metric(depthOf('deliveries_in_memory'));
  };
  expect(await server.metric(depthOf('deliveries'))).toBe(WAITING);
  // The lane's window in memory and the carrier's window in flight.
  expect(await watch()).toBeLessThanOrEqual(512 + 256);

  await inParallel(numbers('44791100', LIVE, 4), 16, create);
  await until('the live carrier has all of its own', () => alive.attempts.size === LIVE);
  await until('and that is recorded', async () => (await server.metric(depthOf('deliveries'))) === WAITING);
  expect(await watch()).toBeLessThanOrEqual(512 + 256);
  expect(unanswered.size).toBeGreaterThan(0);
  expect([...alive.attempts.values()].every(({ recipient }) => recipient.startsWith('44'))).toBe(true);

  isDead = false;
  const before = dead.messages.length;
  await until(
    'the carrier that came back has all that waited',
    async () => {
      await watch();
      return (await server.metric(depthOf('deliveries'))) === 0;
    },
    120,
  );
  const taken = new Set(dead.messages.slice(before).map((message) => message.attempt_uuid));
  expect(taken.size).toBe(WAITING);
  expect(dead.faults).toEqual([]);
  expect(Math.max(...memory)).toBeGreaterThan(0);
  expect(Math.max(...memory)).toBeLessThan(MEMORY_LIMIT);
});
