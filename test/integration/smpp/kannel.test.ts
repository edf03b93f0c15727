import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Countersign, startCountersign, type Untyped } from '../../e2e/support.js';
import { isListening } from '../../support/ports.js';
import { until } from '../../support/server-process.js';
import { tap } from '../capture.js';
import { describeWith, EndedEarly, hasEnded, type Running, run, startAtFreePorts } from '../programs.js';

/** Where Kannel's SMSC looks for Kannel's SMS box, without which it ends itself after some seconds. It is not settable. */
const SMS_BOX = 13_001;

/** Stands in for the SMS box, as soon as nobody else does: these tests may run elsewhere on the machine too. */
async function startBox(): Promise<void> {
  await until('the port of the SMS box is free', async () => {
    const box = createServer((socket) => socket.on('error', () => {})).listen(SMS_BOX, '127.0.0.1');
    try {
      await once(box, 'listening');
    } catch {
      return false;
    }
    onTestFinished(() => void box.close());
    return true;
  });
}

/** Kannel's SMSC for tests: it sends us so many messages, each followed by an `enquire_link`, and logs what comes. */
async function startKannel(path: string, messages: number): Promise<Running & { readonly port: number }> {
  await startBox();
  return startAtFreePorts(1, 2, async ([port]) => {
    const running = run(path, ['-v', '0', '-p', String(port), '-m', String(messages)]);
    // In the server's time nothing passes: it would not try a second time to connect.
    await until('Kannel listens', () => {
      if (hasEnded(running.child)) throw new EndedEarly(running.output());
      return isListening(running.child, port!, 'tcp');
    });
    return { ...running, port: port! };
  });
}

function start(port: number): Promise<Countersign> {
  return startCountersign({
    yaml: `
carriers:
  kannel:
    { type: smpp, host: 127.0.0.1, port: ${port}, bind: separate, system_id: foo, password: bar, system_type: VMA, sender: Acme }
routes:
  - { carriers: [kannel] }
`,
  });
}

/** What every message has on the wire: an alphanumeric sender, an international number, GSM-7, a receipt wanted. */
const WIRE = {
  'smpp.source_addr_ton': '0x05',
  'smpp.source_addr': 'Acme',
  'smpp.dest_addr_ton': '0x01',
  'smpp.dest_addr_npi': '0x01',
  'smpp.data_coding': '0x00',
  'smpp.regdel.receipt': '0x01',
};

const MESSAGES = 20;
const recipients = Array.from({ length: MESSAGES }, (_, number) => `1415555${1200 + number}`);

describeWith(['drive_smpp', 'tshark'], "Kannel's SMSC", ({ drive_smpp: path, tshark }) => {
  test('takes sessions of a real SDK, each once, with the right text, encoding and addresses', async () => {
    const kannel = await startKannel(path, MESSAGES);
    const wire = await tap(kannel.port);
    const server = await start(wire.port);
    const sessions = server.sessions();
    const codes = new Map<string, string>();
    for (const recipient of recipients) {
      const { sessionUuid } = await sessions.create({ recipient });
      codes.set(recipient, sessionUuid);
    }
    const texts = () => [...kannel.output().matchAll(/submit_sm: short_message = <(.*)>/g)];
    await server.until('all messages at Kannel', () => texts().length >= MESSAGES);
    for (const [, text] of texts()) expect(text).toMatch(/^Your verification code is \d{6}\.$/);

    for (const uuid of codes.values()) {
      await server.until(`${uuid} sent`, async () => {
        const { attemptDetails } = (await sessions.get(uuid)) as Untyped;
        return attemptDetails[0].status === 'sent';
      });
    }
    const submits = wire.decode({
      tshark,
      protocol: 'smpp',
      filter: 'smpp.command_id == 0x00000004',
      fields: ['smpp.destination_addr', ...Object.keys(WIRE)],
    });
    const sent = submits.flatMap((packet) => (packet.get('smpp.destination_addr') ?? '').split('|'));
    expect(sent.toSorted()).toEqual(recipients);
    for (const packet of submits) {
      // Several PDUs may share a packet: each value of each is the same.
      for (const [field, value] of Object.entries(WIRE)) {
        expect(new Set(packet.get(field)?.split('|')), field).toEqual(new Set([value]));
      }
    }
  });

  test('has every message of its own and every enquire_link answered', async () => {
    const kannel = await startKannel(path, 5);
    const server = await start(kannel.port);
    const count = (type: string) => kannel.output().split(`Handling SMPP PDU of type ${type}\n`).length - 1;
    await server.until('5 deliver_sm_resp', () => count('deliver_sm_resp') >= 5);
    await server.until('5 enquire_link_resp', () => count('enquire_link_resp') >= 5);
    expect(kannel.output()).not.toMatch(/Unhandled SMPP PDU|malformed/i);
  });
});
