import { expect, test } from 'vitest';
import { depthOf, inParallel, startServerProcess, until } from '../support/server-process.js';
import { carrierOf, type Gateway, type Message, sendReceipt, startGateway, take } from './gateway.js';

/** Attempts that a gateway said it took. */
const taken = (gateway: Gateway, refused: ReadonlySet<Message>) =>
  new Set(gateway.messages.filter((each) => !refused.has(each)).map((each) => each.attempt_uuid));

test('a carrier that dies under load loses nothing: the other of its route delivers, and it comes back', {
  timeout: 400_000,
}, async () => {
  let isDead = false;
  const unanswered = new Set<Message>();
  const dying = await startGateway((message, response) => {
    // It hangs with what it has in flight, and with whatever comes after.
    if (isDead) unanswered.add(message);
    else take(message, response);
  });
  const steady = await startGateway();
  const server = await startServerProcess({
    config: `
carriers:
${carrierOf('dying', dying.url, ', timeout_ms: 6000, window: 32')}${carrierOf('steady', steady.url)}
routes:
  - carriers: [{dying: 9, steady: 1}]
`,
  });
  const recipients = Array.from({ length: 10_000 }, (_, n) => `1415555${String(n).padStart(4, '0')}`);
  const create = async (recipient: string) => {
    const { status } = await server.create({ recipient });
    expect(status).toBe(202);
  };
  await inParallel(recipients.slice(0, 200), 32, create);
  isDead = true;
  await inParallel(recipients.slice(200, 600), 32, create);
  await until('all that waited for it went to the other', async () => {
    return (await server.metric(depthOf('deliveries'))) === 0;
  });
  const first = taken(dying, unanswered);
  const second = taken(steady, new Set());
  expect(new Set([...first, ...second]).size).toBe(600);
  // Those that it answered were sent by nobody else.
  expect([...first].filter((attempt) => second.has(attempt))).toEqual([]);
  expect(first.size).toBeGreaterThan(100);
  expect(unanswered.size).toBeGreaterThan(0);

  isDead = false;
  const before = dying.messages.length;
  let next = 600;
  await until('it is tried again, and takes its share', async () => {
    await create(recipients[next++]!);
    return dying.messages.length > before + 20;
  });
  await until('and nothing waits', async () => (await server.metric(depthOf('deliveries'))) === 0);
  expect(dying.faults).toEqual([]);
  expect(steady.faults).toEqual([]);

  // What got no answer may still have been sent: its receipt counts, although another carrier has the attempt too.
  const [message] = unanswered;
  expect(await sendReceipt(server.url, 'dying', message!.hop_id, 'delivered')).toBe(true);
});
