import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned } from '../../../support/certificates.js';
import { answerSubmit, Smsc } from '../../../support/smsc.js';
import { settle } from '../../../support/virtual-time.js';
import { fieldsOf, openRig, PASSWORD, type Rig } from './support.js';

const stateOf = ({ carrier }: Rig) => carrier.status!().state;

/** Passes time in steps until it holds; sockets get their turn between the steps. */
async function pass(rig: Rig, what: string, holds: () => boolean, step = 1_000, most = 120): Promise<void> {
  for (let count = 0; count < most && !holds(); count++) {
    await rig.time.advance(step);
    await settle(20);
  }
  expect(holds(), what).toBe(true);
}

/** Makes an SMSC answer binds so. */
function bindsWith(status: () => number | null): (smsc: Smsc) => void {
  return (smsc) => {
    smsc.onBind = status;
  };
}

/** The last session's bytes, past the library. */
function write(rig: Rig, bytes: Buffer): void {
  rig.smsc.receivers.at(-1)!.socket.write(bytes);
}

describe('a bind', () => {
  it('says who it is and what it wants', async () => {
    const rig = await openRig({
      system_type: 'SMPP',
      interface_version: 5,
      address_range: '^1234',
      address_range_ton: 1,
      address_range_npi: 2,
    });
    expect(rig.smsc.binds).toMatchObject([
      {
        command: 'bind_transceiver',
        system_id: 'tester',
        password: PASSWORD,
        system_type: 'SMPP',
        interface_version: 0x50,
        addr_ton: 1,
        addr_npi: 2,
        address_range: '^1234',
      },
    ]);
  });

  it.each([
    [{ binds: 3 }, ['transceiver', 'transceiver', 'transceiver']],
    [{ bind: 'separate', binds: 2 }, ['receiver', 'receiver', 'transmitter', 'transmitter']],
    [{ bind: 'transmitter' }, ['transmitter']],
  ] as const)('with %j there are %j', async (settings, kinds) => {
    const rig = await openRig(settings);
    expect(rig.smsc.binds.map(({ command }) => command.slice(5)).sort()).toEqual(kinds);
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it('shares the window out over parallel binds', async () => {
    const rig = await openRig({ binds: 3, window: 7 });
    const held = new Map<unknown, number>();
    rig.smsc.onSubmit = ({ session }) => {
      held.set(session, (held.get(session) ?? 0) + 1);
      return null;
    };
    for (let count = 0; count < 10; count++) void rig.submit();
    await rig.until('the window is full', () => rig.smsc.submits.length === 7);
    await settle(50);
    expect([...held.values()].sort()).toEqual([2, 2, 3]);
    expect(rig.carrier.status!()).toMatchObject({ inFlight: 7, window: 7 });
  });

  it.each([
    [0, 2, { binds: 2, window: 30 }],
    [1, 2, { binds: 1, window: 20 }],
  ])('node %d of %d takes its share of it', async (index, count, expected) => {
    const rig = await openRig({ binds: 3, window: 50, rate: 30 }, { share: { index, count } });
    expect(rig.smsc.binds).toHaveLength(expected.binds);
    expect(rig.carrier.status!().window).toBe(index === 0 ? 17 + 16 : 17);
    expect(rig.carrier.status!().rate).toBe(10 * expected.binds);
  });

  it('a node beyond the last bind has none, and says so', async () => {
    const rig = await openRig({}, { share: { index: 1, count: 2 }, bound: false });
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', down: true });
    expect(rig.smsc.connections).toBe(0);
  });

  it('that is refused is tried again, and told in words', async () => {
    let status = 0x0d;
    const rig = await openRig({}, { bound: false, prepare: bindsWith(() => status) });
    await rig.until('it is refused', () => stateOf(rig) === 'down');
    expect(rig.carrier.status!().detail).toMatch(/ESME_RBINDFAIL: the SMSC refused the bind: check/);
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', down: true, reason: 'not bound' });
    status = 0;
    await pass(rig, 'it is bound', () => stateOf(rig) === 'up');
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it('with a wrong password is tried rarely, so that no account is locked', async () => {
    const rig = await openRig({ password: 'wrong' }, { bound: false });
    await rig.until('it is refused', () => stateOf(rig) === 'down');
    await pass(rig, 'five minutes pass', () => rig.time.monotonic() >= 300_000, 5_000);
    expect(rig.smsc.binds.length).toBeLessThanOrEqual(300 / 22);
    expect(rig.smsc.binds.length).toBeGreaterThan(5);
  });

  it('that is not answered is given up, and a message meanwhile is not sent', async () => {
    const rig = await openRig({}, { bound: false, prepare: bindsWith(() => null) });
    await rig.until('the bind is there', () => rig.smsc.binds.length === 1);
    const submit = rig.submit();
    await rig.time.advance(5_000);
    expect(await submit).toMatchObject({ kind: 'unavailable', down: true, reason: 'not bound' });
    await rig.time.advance(5_000);
    await settle(20);
    expect(stateOf(rig)).toBe('down');
  });

  it('a message that comes while the carrier connects waits for it', async () => {
    const rig = await openRig({}, { bound: false });
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });
});

describe('over TLS', () => {
  const { key, cert } = selfSigned();

  it('it binds when the authority is known', async () => {
    const rig = await openRig({ tls: { ca: cert, servername: 'localhost' } }, { smsc: { key, cert } });
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it('it binds unchecked when that is wanted', async () => {
    const rig = await openRig({ tls: { reject_unauthorized: false } }, { smsc: { key, cert } });
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it.each([
    [{}, /TLS certificate is self-signed/],
    [{ ca: cert, servername: 'other.example' }, /TLS certificate is for another host/],
    [{ ca: 'no PEM' }, /tls: ca, cert or key cannot be read|self-signed/],
  ])('it sends no password when the certificate is wrong: %#', async (tls, why) => {
    const rig = await openRig({ tls }, { smsc: { key, cert }, bound: false });
    await rig.until('it is down', () => stateOf(rig) === 'down');
    expect(rig.carrier.status!().detail).toMatch(why);
    expect(rig.smsc.binds).toHaveLength(0);
  });
});

describe('a message without an answer', () => {
  it('is unanswered after its time, and the carrier goes on', async () => {
    const rig = await openRig({ response_timeout_ms: 3_000 });
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit();
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    await rig.time.advance(3_000);
    expect(await submit).toEqual({
      kind: 'unanswered',
      errorCode: 20,
      reason: 'no answer within 3000 ms',
      down: true,
    });
    // Nothing came since: the peer is asked whether it lives.
    await rig.until('it is asked', () => rig.smsc.enquiries === 1);
    rig.smsc.onSubmit = () => ({ messageId: 'x' });
    expect(await rig.submit()).toEqual({ kind: 'accepted', messageId: 'x' });
    expect(rig.smsc.connections).toBe(1);
  });

  it('is unanswered at once when the connection drops, each one of the window', async () => {
    const rig = await openRig({ window: 20 });
    rig.smsc.onSubmit = ({ number }) => (number <= 5 ? { messageId: `m${number}` } : null);
    const submits = Array.from({ length: 30 }, () => rig.submit());
    await rig.until('the window is full', () => rig.smsc.submits.length === 25);
    rig.smsc.drop();
    const kinds = (await Promise.all(submits)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'unanswered')).toHaveLength(20);
    // Those that were never written are safe to send elsewhere.
    expect(kinds.filter((kind) => kind === 'unavailable')).toHaveLength(5);
  });

  it('whose answer comes late is known by its id then: the receipt finds its hop', async () => {
    const rig = await openRig({ response_timeout_ms: 3_000 });
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit({ hopId: 'the-hop' });
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    await rig.time.advance(3_000);
    expect(await submit).toMatchObject({ kind: 'unanswered' });
    answerSubmit(rig.smsc.submits[0]!, { messageId: 'late-1' });
    await rig.smsc.receipt('late-1');
    const by = { kind: 'hop', hopId: 'the-hop' };
    expect(rig.reports).toEqual([
      { by, messageId: 'late-1', status: 'sent', errorCode: null },
      { by, status: 'delivered', errorCode: null },
    ]);
  });

  it('whose receipt and answer both come late is known by its id all the same', async () => {
    const rig = await openRig({ response_timeout_ms: 3_000 });
    rig.smsc.onSubmit = () => null;
    const submits = ['one', 'two'].map((hopId) => rig.submit({ hopId }));
    await rig.until('they are there', () => rig.smsc.submits.length === 2);
    // The core looks for the hop of the id meanwhile, as long as an answer may take.
    rig.onReport = async ({ by }) => {
      if (by.kind === 'hop') return 'recorded';
      await rig.time.advance(3_000);
      answerSubmit(rig.smsc.submits[1]!, { messageId: 'late-2' });
      await rig.until('the answer is there', () => rig.carrier.status!().counts.late_answers === 1);
      return 'unknown';
    };
    await rig.smsc.receipt('late-2', 'DELIVRD', '000', { source_addr: '14155550123' });
    await Promise.all(submits);
    expect(rig.reports.filter(({ status }) => status === 'delivered').map(({ by }) => by)).toEqual([
      { kind: 'message', messageId: 'late-2' },
      { kind: 'hop', hopId: 'two' },
    ]);
  });

  it('is taken for no other message of its recipient when its id is known', async () => {
    const rig = await openRig({ response_timeout_ms: 3_000 });
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit({ hopId: 'the-hop' });
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    await rig.time.advance(3_000);
    await submit;
    answerSubmit(rig.smsc.submits[0]!, { messageId: 'late-1' });
    await rig.until('it is reported', () => rig.reports.length === 1);
    rig.answers = ['unknown'];
    await rig.smsc.receipt('who', 'DELIVRD', '000', { source_addr: '14155550123' });
    expect(rig.reports.slice(1).map(({ by }) => by)).toEqual([{ kind: 'message', messageId: 'who' }]);
  });

  it('of several parts is known by the id of the last, if that is answered', async () => {
    const rig = await openRig({ response_timeout_ms: 3_000 });
    rig.smsc.onSubmit = ({ number }) => (number === 1 ? null : { messageId: `m${number}` });
    const submit = rig.submit({ hopId: 'the-hop', text: 'x'.repeat(200) });
    await rig.until('both parts are there', () => rig.smsc.submits.length === 2);
    await settle(20);
    await rig.time.advance(3_000);
    expect(await submit).toMatchObject({ kind: 'unanswered' });
    await rig.smsc.receipt('m2', 'DELIVRD', '000', { source_addr: '999' });
    expect(rig.reports.map(({ by }) => by)).toEqual([{ kind: 'hop', hopId: 'the-hop' }]);
  });

  it('is found by its recipient when a receipt has an id that nobody knows', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit({ hopId: 'the-hop' });
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    rig.smsc.drop();
    expect(await submit).toMatchObject({ kind: 'unanswered' });
    await pass(rig, 'it is bound again', () => stateOf(rig) === 'up');
    rig.answers = ['unknown', 'recorded', 'unknown'];
    await rig.smsc.receipt('who', 'DELIVRD', '000', { source_addr: '+14155550123' });
    await rig.smsc.receipt('who', 'DELIVRD', '000', { source_addr: '14155550124' });
    expect(rig.reports.map(({ by }) => by)).toEqual([
      { kind: 'message', messageId: 'who' },
      { kind: 'hop', hopId: 'the-hop' },
      { kind: 'message', messageId: 'who' },
    ]);
  });

  it('tells the core what is configured for it', async () => {
    expect((await openRig()).carrier.unanswered).toBe('resend');
    expect((await openRig({ unanswered: 'wait' })).carrier.unanswered).toBe('wait');
  });
});

describe('a connection that breaks', () => {
  it('comes back after growing waits', async () => {
    const rig = await openRig();
    rig.smsc.onBind = () => 0x08;
    const gaps: number[] = [];
    rig.smsc.drop();
    await rig.until('it is down', () => stateOf(rig) === 'down');
    for (let count = 1; count <= 7; count++) {
      const from = rig.time.monotonic();
      const binds = rig.smsc.binds.length;
      await pass(rig, 'it is tried again', () => rig.smsc.binds.length > binds, 100, 400);
      await rig.until('and refused', () => stateOf(rig) === 'down');
      gaps.push(rig.time.monotonic() - from);
    }
    gaps.forEach((gap, index) => {
      const expected = Math.min(1_000 * 2 ** index, 30_000);
      expect(gap).toBeGreaterThanOrEqual(expected * 0.74);
      expect(gap).toBeLessThanOrEqual(expected * 1.26 + 100);
    });
    rig.smsc.onBind = () => 0;
    await pass(rig, 'it is up', () => stateOf(rig) === 'up');
  });

  it('leaves the other binds at work', async () => {
    const rig = await openRig({ binds: 2 });
    rig.smsc.receivers[0]!.socket.destroy();
    await rig.until('one is down', () => rig.carrier.status!().detail?.startsWith('1 of 2') === true);
    for (let count = 0; count < 5; count++) expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it.each([
    ['a length that is too short', Buffer.from('0000000c00000015000000000000000a', 'hex')],
    ['a length that is too long', Buffer.from('7fffffff00000015000000000000000a', 'hex')],
    ['no SMPP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    // Shorter than what it says to hold.
    ['a deliver_sm cut short', Buffer.from('0000001400000005000000000000006300414243', 'hex')],
    ['an answer to another request', Buffer.from('00000010800000150000000000000002', 'hex')],
  ])('closes on %s: what waits is unanswered, and it binds anew', async (_, bytes) => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit();
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    write(rig, bytes);
    expect(await submit).toMatchObject({ kind: 'unanswered', down: true });
    await rig.until('it is down', () => stateOf(rig) === 'down');
    expect(rig.carrier.status!().detail).toContain('a PDU that cannot be read');
    await pass(rig, 'it is bound again', () => stateOf(rig) === 'up');
    rig.smsc.onSubmit = () => ({ messageId: 'x' });
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it('tells the SMSC that a PDU is wrong for good, so that it does not bring it again', async () => {
    const rig = await openRig();
    write(rig, Buffer.from('0000001400000005000000000000006300414243', 'hex'));
    await rig.until('it is answered', () => rig.smsc.responses.length === 1);
    expect(rig.smsc.responses[0]).toMatchObject({ command: 'deliver_sm_resp', command_status: 0x65 });
  });

  it('a PDU in single bytes is read all the same', async () => {
    const rig = await openRig();
    const bytes = Buffer.from('0000001000000015000000000000006300000010000000150000000000000064', 'hex');
    for (const byte of bytes) {
      write(rig, Buffer.of(byte));
      await settle(2);
    }
    expect(stateOf(rig)).toBe('up');
    expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
  });

  it('a command that nobody knows is answered with generic_nack', async () => {
    const rig = await openRig();
    write(rig, Buffer.from('00000010000007770000000000000063', 'hex'));
    await rig.until('it is answered', () => rig.smsc.responses.length === 1);
    expect(rig.smsc.responses[0]).toMatchObject({
      command: 'generic_nack',
      command_status: 3,
      sequence_number: 0x63,
    });
    expect(stateOf(rig)).toBe('up');
  });

  it('an SMSC that forgot the bind gets a new one', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => ({ status: 0x04 });
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', reason: 'ESME_RINVBNDSTS', down: true });
    await pass(rig, 'it is bound again', () => rig.smsc.binds.length === 2 && stateOf(rig) === 'up');
  });

  it('an SMSC that unbinds is answered, and bound again later', async () => {
    const rig = await openRig();
    const answered = new Promise((resolve) => rig.smsc.receivers[0]!.unbind({}, resolve));
    await answered;
    await rig.until('it is down', () => stateOf(rig) === 'down');
    await pass(rig, 'it is bound again', () => stateOf(rig) === 'up');
  });
});

describe('a silent peer', () => {
  it('is asked after the time of enquire_link, and again after the next', async () => {
    const rig = await openRig({ enquire_link_ms: 10_000 });
    await rig.time.advance(9_999);
    expect(rig.smsc.enquiries).toBe(0);
    await rig.time.advance(1);
    await rig.until('it is asked', () => rig.smsc.enquiries === 1);
    await settle(20);
    await rig.time.advance(10_000);
    await rig.until('it is asked again', () => rig.smsc.enquiries === 2);
    expect(rig.smsc.connections).toBe(1);
  });

  it('that does not answer is dead: the connection is given up and made anew', async () => {
    const rig = await openRig({ enquire_link_ms: 10_000, response_timeout_ms: 2_000 });
    rig.smsc.isAlive = false;
    await rig.time.advance(10_000);
    await rig.until('it is asked', () => rig.smsc.enquiries === 1);
    await rig.time.advance(2_000);
    expect(rig.carrier.status!()).toMatchObject({
      state: 'down',
      detail: expect.stringContaining('does not answer enquire_link'),
    });
    rig.smsc.isAlive = true;
    await pass(rig, 'it is bound again', () => stateOf(rig) === 'up');
    expect(rig.smsc.connections).toBe(2);
  });

  it('half-open, takes no more than a window of messages before it is found dead', async () => {
    const sockets: Socket[] = [];
    // Answers the bind, and then reads nothing more.
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', (bytes) => {
        const header = Buffer.from('000000158000000900000000', 'hex');
        const response = Buffer.concat([header, bytes.subarray(12, 16), Buffer.from('smsc\0')]);
        socket.write(response);
        socket.pause();
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const rig = await openRig({
      port: (server.address() as AddressInfo).port,
      window: 5,
      response_timeout_ms: 2_000,
    });
    const submits = Array.from({ length: 8 }, () => rig.submit());
    await settle(20);
    await rig.time.advance(2_000);
    const kinds = (await Promise.all(submits.slice(0, 5))).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['unanswered']));
    await rig.time.advance(2_000);
    await settle(20);
    expect(stateOf(rig)).not.toBe('up');
    await rig.time.advance(2_000);
    expect((await Promise.all(submits.slice(5))).every(({ kind }) => kind !== 'accepted')).toBe(true);
  });

  it('may ask too', async () => {
    const rig = await openRig();
    const answer = await new Promise((resolve) => rig.smsc.receivers[0]!.enquire_link({}, resolve));
    expect(answer).toMatchObject({ command: 'enquire_link_resp', command_status: 0 });
  });

  it('without messages for the time that is configured is bound anew', async () => {
    const rig = await openRig({ inactivity_ms: 60_000 });
    await rig.time.advance(30_000);
    await settle(20);
    await rig.submit();
    await rig.time.advance(59_999);
    await settle(20);
    expect(rig.smsc.unbinds).toHaveLength(0);
    await rig.time.advance(1);
    await rig.until('it is bound anew', () => rig.smsc.binds.length === 2 && stateOf(rig) === 'up');
    expect(rig.smsc.unbinds).toHaveLength(1);
  });
});

describe('a carrier that stops', () => {
  it('waits for the answers of its window, then unbinds every bind', async () => {
    const rig = await openRig({ binds: 2 });
    rig.smsc.onSubmit = () => null;
    const submits = [rig.submit(), rig.submit(), rig.submit()];
    await rig.until('they are there', () => rig.smsc.submits.length === 3);
    const stopped = rig.carrier.stop();
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', reason: 'the carrier stops' });
    expect(rig.smsc.unbinds).toHaveLength(0);
    for (const submitted of rig.smsc.submits) answerSubmit(submitted, { messageId: `m${submitted.number}` });
    expect((await Promise.all(submits)).map(({ kind }) => kind)).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ]);
    await stopped;
    expect(rig.smsc.unbinds).toHaveLength(2);
    expect(rig.smsc.submits).toHaveLength(3);
  });

  it('answers the receipts that are being recorded before it unbinds, and puts off new ones', async () => {
    const rig = await openRig();
    let commit: () => void = () => {};
    rig.onReport = () =>
      new Promise((resolve) => {
        commit = () => resolve('recorded');
      });
    const answer = rig.smsc.receipt('m1');
    await rig.until('it is reported', () => rig.reports.length === 1);
    const stopped = rig.carrier.stop();
    expect((await rig.smsc.receipt('m2')).command_status).toBe(0x64);
    expect(rig.smsc.unbinds).toHaveLength(0);
    commit();
    expect((await answer).command_status).toBe(0);
    await stopped;
    expect(rig.smsc.unbinds).toHaveLength(1);
  });

  it('does not wait for ever for an SMSC that says nothing', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => null;
    const submit = rig.submit();
    await rig.until('it is there', () => rig.smsc.submits.length === 1);
    const stopped = rig.carrier.stop();
    await rig.time.advance(1_500);
    await stopped;
    expect(await submit).toMatchObject({ kind: 'unanswered' });
    await rig.until('the connection is gone', () => rig.smsc.sessions.size === 0);
  });

  it('ends while it tries to connect, and leaves no timer behind', async () => {
    const smsc = await new Smsc().start();
    const { port } = smsc;
    await smsc.stop();
    const rig = await openRig({ port }, { bound: false });
    await rig.until('it is down', () => stateOf(rig) === 'down');
    await rig.carrier.stop();
    expect(rig.time.pending).toBe(0);
    expect(fieldsOf(rig)).toEqual([]);
  });
});
