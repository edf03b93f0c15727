import { afterEach, beforeEach, expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { Smsc } from '../support/smsc.js';
import { type Countersign, RECIPIENT, startCountersign, type Untyped } from './support.js';

const PASSWORD = 'an-smsc-password';

let first: Smsc;
let second: Smsc;
let customer: Receiver;
let server: Countersign;

beforeEach(async () => {
  customer = await new Receiver().start();
  first = await new Smsc({ password: PASSWORD }).start();
  second = await new Smsc({ password: PASSWORD }).start();
});

afterEach(async () => {
  await first.stop();
  await second.stop();
});

async function start(settings = ''): Promise<void> {
  const carrier = (name: string, { port }: Smsc) =>
    `  ${name}: {type: smpp, host: 127.0.0.1, port: ${port}, system_id: cs, password: "\${SMSC_PASSWORD}", sender: Acme${settings}}\n`;
  server = await startCountersign({
    yaml: `carriers:\n${carrier('first', first)}${carrier('second', second)}`,
    env: { SMSC_PASSWORD: PASSWORD },
  });
  await server.until('both are bound', () => first.sessions.size === 1 && second.sessions.size === 1);
}

const create = async (fields: object = {}): Promise<string> =>
  (await server.sessions().create({ recipient: `+${RECIPIENT}`, url: customer.url(), ...fields }))
    .sessionUuid;

const calledBack = () =>
  customer.requests.map(({ parameters }) =>
    [parameters.ChannelStatus, parameters.ChannelErrorCode].filter(Boolean).join(' '),
  );

async function callbacks(count: number): Promise<void> {
  await server.until(`${count} callbacks`, () => customer.requests.length >= count);
}

const codeIn = (text: string) => /[0-9]{4,8}/.exec(text)![0];

test('a session arrives at the SMSC, its receipts become ordered callbacks, its code is right', async () => {
  await start();
  const id = await create();
  await callbacks(2);
  expect(first.submits[0]!.pdu).toMatchObject({
    source_addr: 'Acme',
    destination_addr: RECIPIENT,
    registered_delivery: 1,
    validity_period: expect.any(Date),
  });
  expect((await first.receipt('m1', 'ENROUTE')).command_status).toBe(0);
  expect((await first.receipt('m1')).command_status).toBe(0);
  expect((await first.receipt('m1')).command_status).toBe(0);
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
  expect(await server.sessions().validate({ id, otp: codeIn(first.texts[0]!) })).toMatchObject({
    message: 'session validated successfully.',
  });
  expect(first.submits).toHaveLength(1);
});

test('a receipt that comes before the answer to its submit_sm is recorded', async () => {
  await start();
  let receipt: Promise<Untyped> | null = null;
  first.onSubmit = async () => {
    receipt = first.receipt('early');
    const waiting = 'countersign_queue_depth{queue="receipts_waiting"}';
    await server.until('the receipt waits', async () => (await server.metric(waiting)) === 1);
    return { messageId: 'early' };
  };
  await create();
  await callbacks(3);
  expect((await receipt!).command_status).toBe(0);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
});

test('a receipt after a restart, on another bind, finds its hop', async () => {
  await start();
  const id = await create();
  await callbacks(2);
  await server.restart();
  expect(first.unbinds).toHaveLength(1);
  await server.until('it is bound again', () => first.sessions.size === 1);
  await first.receipt('m1', 'UNDELIV', '001');
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'undelivered 70']);
  expect((await server.sessions().get(id)).attemptDetails[0]).toMatchObject({ status: 'undelivered' });
});

test('an SMSC that is gone gives way to the next, one that refuses the number does not', async () => {
  await start();
  await first.stop();
  await create();
  await callbacks(2);
  expect(second.submits).toHaveLength(1);
  expect(calledBack()).toEqual(['queued', 'sent']);
  second.onSubmit = () => ({ status: 0x0b });
  await create({ recipient: '+14155550999' });
  await callbacks(4);
  expect(calledBack().slice(2)).toEqual(['queued', 'failed 50']);
});

test('an SMSC that takes no more for now gives way to the next', async () => {
  await start();
  first.onSubmit = () => ({ status: 0x58 });
  await create();
  await callbacks(2);
  expect([first.submits.length, second.submits.length]).toEqual([1, 1]);
  expect(calledBack()).toEqual(['queued', 'sent']);
});

test('a carrier that waits after a drop is asked for no second message when the receipt comes', async () => {
  await start(', unanswered: wait');
  first.onSubmit = () => null;
  await create();
  await server.until('the message is there', () => first.submits.length === 1);
  first.drop();
  await server.until('it is bound again', async () => {
    await server.time.advance(500);
    return first.sessions.size === 1;
  });
  expect(calledBack()).toEqual(['queued']);
  const receipt = first.receipt('who', 'DELIVRD', '000', { source_addr: RECIPIENT });
  const waiting = 'countersign_queue_depth{queue="receipts_waiting"}';
  await server.until('the receipt waits', async () => (await server.metric(waiting)) === 1);
  // An answer may still come in its time.
  await server.time.advance(11_000);
  expect((await receipt).command_status).toBe(0);
  await callbacks(3);
  await server.time.advance(60_000);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
  expect([first.submits.length, second.submits.length]).toEqual([1, 0]);
});

test('a carrier that waits after no answer in time is content with a late one, also after a restart', async () => {
  await start(', unanswered: wait');
  let answer: (answer: { messageId: string }) => void = () => {};
  first.onSubmit = () => new Promise((resolve) => (answer = resolve));
  await create();
  await server.until('the message is there', () => first.submits.length === 1);
  await server.time.advance(10_000);
  const unanswered = 'countersign_hops_total{carrier="first",status="unanswered"}';
  await server.until('its time is over', async () => (await server.metric(unanswered)) === 1);
  answer({ messageId: 'late' });
  await callbacks(2);
  await server.restart();
  await server.time.advance(60_000);
  await server.until('it is bound again', () => first.sessions.size === 1);
  await first.receipt('late');
  await callbacks(3);
  expect(calledBack()).toEqual(['queued', 'sent', 'delivered']);
  expect([first.submits.length, second.submits.length]).toEqual([1, 0]);
});

test('a carrier that waits after a drop gives way to the next when no receipt comes', async () => {
  await start(', unanswered: wait');
  first.onSubmit = () => null;
  await create();
  await server.until('the message is there', () => first.submits.length === 1);
  first.drop();
  await server.until('it is not bound', () => first.sessions.size === 0);
  await server.time.advance(29_000);
  expect(second.submits).toHaveLength(0);
  await server.time.advance(2_000);
  await callbacks(2);
  expect(calledBack()).toEqual(['queued', 'sent']);
  expect([first.submits.length, second.submits.length]).toEqual([1, 1]);
});

test('STOP over a bind stops SMS to that number, resends included, and START begins again; calls go on', async () => {
  await start();
  const says = (text: string) =>
    first.deliver({ source_addr: RECIPIENT, destination_addr: '12025550100', short_message: text });
  await create();
  await callbacks(2);
  expect((await says('Stop.')).command_status).toBe(0);
  expect((await server.get('/Verify/OptOut/')).opt_outs).toMatchObject([
    { recipient: RECIPIENT, source: 'message', carrier: 'first' },
  ]);
  await create();
  await callbacks(4);
  expect(calledBack().slice(2)).toEqual(['queued', 'failed 200']);
  await create({ channel: 'voice' });
  expect(await server.inbox(1)).toMatchObject([{ channel: 'voice' }]);
  expect((await says('START')).command_status).toBe(0);
  await create();
  await server.until('a second message', () => first.submits.length === 2);
  expect(second.submits).toHaveLength(0);
});

test('a message without a receipt in the time of its route stays sent, and is counted', async () => {
  await start();
  const id = await create();
  await callbacks(2);
  const missing = 'countersign_receipts_missing_total{carrier="first"}';
  await server.time.advance(299_000);
  expect(await server.metric(missing)).toBe(0);
  await server.time.advance(2_000);
  await server.until('it is counted', async () => (await server.metric(missing)) === 1);
  expect((await server.sessions().get(id)).attemptDetails[0]).toMatchObject({ status: 'sent' });
});
