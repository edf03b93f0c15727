import { expect, onTestFinished, test } from 'vitest';
import { depthOf, inParallel, startServerProcess, until } from '../support/server-process.js';
import { Smsc, type Submitted } from '../support/smsc.js';

const WINDOW = 50;

/** An SMSC that takes everything and sends the receipt right after its answer. */
async function startSmsc(prefix: string): Promise<Smsc> {
  const smsc = new Smsc();
  smsc.onSubmit = ({ number, session }) => {
    const id = `${prefix}${number}`;
    setImmediate(() => {
      if (smsc.sessions.has(session)) void smsc.receipt(id);
    });
    return { messageId: id };
  };
  await smsc.start();
  onTestFinished(() => smsc.stop());
  return smsc;
}

const recipientOf = ({ pdu }: Submitted) => String(pdu.destination_addr);

test('an SMSC that dies under load loses nothing, and at most its window is sent twice: the other of its route delivers', {
  timeout: 400_000,
}, async () => {
  const dying = await startSmsc('d');
  const steady = await startSmsc('s');
  const carrierOf = (name: string, { port }: Smsc) =>
    `  ${name}: { type: smpp, host: 127.0.0.1, port: ${port}, system_id: cs, password: pw, sender: Acme, window: ${WINDOW} }\n`;
  const server = await startServerProcess({
    config: `carriers:\n${carrierOf('dying', dying)}${carrierOf('steady', steady)}routes:\n  - carriers: [dying, steady]\n`,
  });
  await until('both are bound', async () => dying.sessions.size === 1 && steady.sessions.size === 1);

  const recipients = Array.from({ length: 800 }, (_, n) => `1415555${String(n).padStart(4, '0')}`);
  let created = 0;
  await inParallel(recipients, 32, async (recipient) => {
    if (++created === 300) void dying.stop();
    expect((await server.create({ recipient })).status).toBe(202);
  });
  await until('nothing waits', async () => (await server.metric(depthOf('deliveries'))) === 0);

  const first = dying.submits.map(recipientOf);
  const second = steady.submits.map(recipientOf);
  expect(first.length).toBeGreaterThan(0);
  expect(new Set([...first, ...second])).toEqual(new Set(recipients));
  expect(new Set(first).size).toBe(first.length);
  expect(new Set(second).size).toBe(second.length);
  // Only what the dead one was being asked when it died may be there twice.
  const inFlight = new Set(first.slice(-WINDOW));
  const twice = first.filter((recipient) => new Set(second).has(recipient));
  expect(twice.filter((recipient) => !inFlight.has(recipient))).toEqual([]);

  // Whatever the steady one took has its receipt, however the first one ended.
  const delivered = async () => server.metric('countersign_attempts_total{channel="sms",status="delivered"}');
  await until('every receipt', async () => (await delivered()) >= second.length);
});
