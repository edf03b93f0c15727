import type { LibraryPdu } from 'smpp';
import { describe, expect, it } from 'vitest';
import type { ReportResult } from '#delivery/carrier.js';
import { GSM_ERRORS, MESSAGE_STATES } from '#delivery/carriers/smpp/receipt-status.js';
import { isErrorOf } from '#verify/channel-errors.js';
import { settle } from '../../../support/virtual-time.js';
import { openWorld } from '../support.js';
import { openRig, type Rig } from './support.js';

const OK = 0;
const TRY_AGAIN = 0x64;

/** A promise that is kept when a test says so. */
function held<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settled) => {
    resolve = settled;
  });
  return { promise, resolve };
}

/** The one report of a delivery that was answered with `ESME_ROK`. */
async function reported(rig: Rig, delivery: Promise<LibraryPdu>) {
  expect((await delivery).command_status).toBe(OK);
  return rig.reports.at(-1);
}

describe('a receipt', () => {
  it.each([
    ['DELIVRD', 'delivered', null],
    ['ENROUTE', 'sent', null],
    ['ACCEPTD', 'sent', null],
    ['EXPIRED', 'undelivered', 80],
    ['DELETED', 'undelivered', 100],
    ['UNDELIV', 'undelivered', 70],
    ['REJECTD', 'undelivered', 100],
    ['UNKNOWN', 'undelivered', 1000],
    ['delivered', 'delivered', null],
    ['Undeliverable', 'undelivered', 70],
    ['FAILED', 'undelivered', 70],
    ['2', 'delivered', null],
    ['5', 'undelivered', 70],
  ])('of text with stat:%s is %s %s', async (stat, status, errorCode) => {
    const rig = await openRig();
    expect(await reported(rig, rig.smsc.receipt('m_1@x', stat))).toEqual({
      by: { kind: 'message', messageId: 'm_1@x' },
      status,
      errorCode,
    });
  });

  it.each(MESSAGE_STATES.map(({ status, errorCode }, state) => [state, status, errorCode] as const))(
    'of TLVs with message_state %d is %s %s',
    async (state, status, errorCode) => {
      const rig = await openRig();
      const fields = { receipted_message_id: 'm1', message_state: state };
      expect(await reported(rig, rig.smsc.deliver({ esm_class: 4, ...fields }))).toEqual({
        by: { kind: 'message', messageId: 'm1' },
        status,
        errorCode,
      });
      expect(await reported(rig, rig.smsc.deliver({ esm_class: 4, ...fields }, 'data_sm'))).toMatchObject({
        status,
      });
    },
  );

  it('believes TLVs before the text', async () => {
    const rig = await openRig();
    const fields = { receipted_message_id: 'tlv', message_state: 2 };
    expect(await reported(rig, rig.smsc.receipt('text', 'UNDELIV', '001', fields))).toEqual({
      by: { kind: 'message', messageId: 'tlv' },
      status: 'delivered',
      errorCode: null,
    });
  });

  it('is one by its TLVs too when its esm_class does not say so', async () => {
    const rig = await openRig();
    await reported(rig, rig.smsc.deliver({ receipted_message_id: 'm1', message_state: 2 }));
    expect(rig.reports).toHaveLength(1);
  });

  it('may have its text in message_payload', async () => {
    const rig = await openRig();
    const payload = { message: Buffer.from('id:m1 stat:DELIVRD') };
    await reported(rig, rig.smsc.deliver({ esm_class: 4, message_payload: payload.message }, 'data_sm'));
    expect(rig.reports).toMatchObject([{ by: { messageId: 'm1' }, status: 'delivered' }]);
  });

  it('reads a message id whose final NUL is missing', async () => {
    const rig = await openRig();
    const body = Buffer.concat([
      Buffer.from('0000000000000000', 'hex').subarray(0, 7),
      Buffer.of(4, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      Buffer.from('001e0002', 'hex'),
      Buffer.from('m1'),
      Buffer.from('0427000102', 'hex'),
    ]);
    const header = Buffer.alloc(16);
    header.writeUInt32BE(16 + body.length, 0);
    header.writeUInt32BE(5, 4);
    header.writeUInt32BE(9, 12);
    rig.smsc.receivers[0]!.socket.write(Buffer.concat([header, body]));
    await rig.until('it is reported', () => rig.reports.length === 1);
    expect(rig.reports).toMatchObject([{ by: { messageId: 'm1' }, status: 'delivered' }]);
  });

  it('on the way says nothing final', async () => {
    const rig = await openRig();
    const intermediate = { esm_class: 0x20 };
    expect(await reported(rig, rig.smsc.receipt('m1', 'UNDELIV', '001', intermediate))).toMatchObject({
      status: 'sent',
    });
    expect(await reported(rig, rig.smsc.receipt('m1', 'DELIVRD', '000', intermediate))).toMatchObject({
      status: 'delivered',
    });
  });

  it.each([
    ['UNDELIV', '001', 50],
    ['UNDELIV', '1', 50],
    ['EXPIRED', '0A1', 80],
    ['EXPIRED', 'a2', 100],
    ['UNDELIV', '002', 70],
    ['DELIVRD', '001', null],
  ])('%s with err:%s has the configured code %s', async (stat, err, errorCode) => {
    const rig = await openRig({ errors: { '1': 50, A2: 100 } });
    expect(await reported(rig, rig.smsc.receipt('m1', stat, err))).toMatchObject({ errorCode });
  });

  it.each([
    ['030001', 50],
    ['03001b', 80],
    ['030063', 70],
    ['010001', 70],
    ['030022', 90],
  ])('with network_error_code %s has code %d', async (code, errorCode) => {
    const rig = await openRig({ errors: { '34': 90 } });
    const fields = { message_state: 5, network_error_code: Buffer.from(code, 'hex') };
    expect(await reported(rig, rig.smsc.receipt('m1', 'UNDELIV', '000', fields))).toMatchObject({
      errorCode,
    });
  });

  it('has channel error codes of the contract only', () => {
    const codes = [...MESSAGE_STATES.map(({ errorCode }) => errorCode), ...GSM_ERRORS.values()];
    expect(codes.filter((code) => code !== null && !isErrorOf('sms', code))).toEqual([]);
  });

  it.each([
    [{ submit: 'hex', receipt: 'decimal' }, '01AB', '427'],
    [{ submit: 'decimal', receipt: 'hex' }, '0427', '1aB'],
    [{ submit: 'hex', receipt: 'hex' }, '000A', 'a'],
    [{ submit: 'decimal', receipt: 'decimal' }, '0000000427', '427'],
    [{ submit: 'as-is', receipt: 'as-is' }, 'aB-01', 'aB-01'],
  ] as const)('with ids as %j finds %s by %s', async (forms, submitted, receipted) => {
    const rig = await openRig({ message_id: forms });
    rig.smsc.onSubmit = () => ({ messageId: submitted });
    const { messageId } = (await rig.submit()) as { messageId: string };
    expect(await reported(rig, rig.smsc.receipt(receipted))).toMatchObject({ by: { messageId } });
    const fields = { receipted_message_id: submitted, message_state: 2 };
    expect(await reported(rig, rig.smsc.receipt('other', 'DELIVRD', '000', fields))).toMatchObject({
      by: { messageId },
    });
  });

  it.each([
    ['', 4],
    ['hello', 4],
    ['id: stat:', 4],
    ['id:m1', 4],
    ['stat:DELIVRD', 4],
    ['id:m1 stat:WONDERFUL', 4],
    ['id:m1 stat:DELIVRD', 8],
  ])('that nobody can use is answered and counted, not brought again: %j', async (text, esmClass) => {
    const rig = await openRig();
    const answer = await rig.smsc.deliver({ esm_class: esmClass, short_message: Buffer.from(text) });
    expect(answer.command_status).toBe(OK);
    expect(rig.reports).toEqual([]);
    const { receipts_unreadable, acknowledgements } = rig.carrier.status!().counts;
    expect((receipts_unreadable ?? 0) + (acknowledgements ?? 0)).toBe(1);
  });
});

describe('the answer to a receipt', () => {
  it.each([
    ['recorded', OK],
    ['unknown', OK],
    ['invalid', OK],
    ['unavailable', TRY_AGAIN],
  ] as const)('that is %s is 0x%s', async (result, status) => {
    const rig = await openRig();
    rig.answers = [result];
    expect((await rig.smsc.receipt('m1')).command_status).toBe(status);
    expect(rig.carrier.status!().counts).toMatchObject({ [`receipts_${result}`]: 1 });
  });

  it('goes out after the commit, not before', async () => {
    const rig = await openRig();
    const { promise: committed, resolve: commit } = held<ReportResult>();
    rig.onReport = () => committed;
    const answer = rig.smsc.receipt('m1');
    await rig.until('it is reported', () => rig.reports.length === 1);
    await settle(50);
    expect(rig.smsc.responses).toHaveLength(0);
    commit('recorded');
    expect((await answer).command_status).toBe(OK);
  });

  it('is permanent for one that cannot ever be recorded', async () => {
    const rig = await openRig();
    rig.onReport = () => Promise.reject(new Error('a defect'));
    expect((await rig.smsc.receipt('m1')).command_status).toBe(0x65);
    expect(rig.lines.join()).toContain('a defect');
  });

  it('puts off what comes faster than it can be recorded', async () => {
    const rig = await openRig();
    const { promise: committed, resolve: commit } = held<ReportResult>();
    rig.onReport = () => committed;
    const answers = Array.from({ length: 2_010 }, (_, index) => rig.smsc.receipt(`m${index}`));
    await rig.until('the rest is put off', () => rig.smsc.responses.length === 10);
    expect(rig.smsc.responses.every(({ command_status }) => command_status === TRY_AGAIN)).toBe(true);
    commit('recorded');
    const statuses = (await Promise.all(answers)).map(({ command_status }) => command_status);
    expect(statuses.filter((status) => status === OK)).toHaveLength(2_000);
  });

  it('comes on the bind that the receipt came on, also a receiver of its own', async () => {
    const rig = await openRig({ bind: 'separate' });
    expect(rig.smsc.receivers).toHaveLength(1);
    await reported(rig, rig.smsc.receipt('m1'));
  });
});

describe('in front of a store', () => {
  /** A carrier whose reports go to a real reporter on a memory store, in one virtual time. */
  async function open() {
    const world = await openWorld();
    const rig = await openRig();
    const report = world.reporter.forCarrier('gateway');
    return { world, rig, report };
  }

  it('receipts that are early, late, repeated or out of order each find their hop', async () => {
    const { world, rig, report } = await open();
    const { attempt } = await world.start();
    const relay = async () => {
      const results: ReportResult[] = [];
      for (const one of rig.reports.splice(0)) {
        const result = report(one);
        await world.environment.advance(0);
        results.push(await result);
      }
      return results;
    };
    await rig.smsc.receipt('early');
    const waiting = report(rig.reports.splice(0)[0]!);
    await world.environment.advance(0);
    expect(world.reporter.waiting).toBe(1);
    await world.take(attempt, 'early');
    world.reporter.accepted('gateway', 'early');
    await world.environment.advance(0);
    expect(await waiting).toBe('recorded');
    expect(world.status(attempt)).toBe('delivered');
    for (const stat of ['DELIVRD', 'ENROUTE', 'UNDELIV']) await rig.smsc.receipt('early', stat);
    expect(await relay()).toEqual(['recorded', 'recorded', 'recorded']);
    expect(world.status(attempt)).toBe('delivered');
  });
});

describe('a message that came in', () => {
  const from = { source_addr: '+14155550123', destination_addr: '72345' };

  it.each([
    ['GSM-7', { short_message: { message: 'STOP €' }, data_coding: 0 }, 'STOP €'],
    ['UCS-2', { short_message: { message: 'СТОП 😀' }, data_coding: 8 }, 'СТОП 😀'],
    ['Latin-1', { short_message: Buffer.from('ARRÊT', 'latin1'), data_coding: 3 }, 'ARRÊT'],
    ['class 1', { short_message: Buffer.from('STOP'), data_coding: 0xf1 }, 'STOP'],
    [
      'a first part',
      { esm_class: 0x40, short_message: Buffer.from('050003010201STOP'.slice(0, 12), 'hex') },
      '',
    ],
    [
      'a part with a header',
      {
        esm_class: 0x40,
        short_message: Buffer.concat([Buffer.from('050003010201', 'hex'), Buffer.from('STOP')]),
      },
      'STOP',
    ],
    ['looks like a receipt', { short_message: { message: 'id:m1 stat:DELIVRD' } }, 'id:m1 stat:DELIVRD'],
  ])('in %s is handed on', async (_, fields, text) => {
    const rig = await openRig();
    expect((await rig.smsc.deliver({ ...from, ...fields })).command_status).toBe(OK);
    expect(rig.inbound).toEqual([{ from: '14155550123', to: '72345', text }]);
    expect(rig.reports).toEqual([]);
  });

  it.each([
    ['binary', { data_coding: 4, short_message: Buffer.of(1, 2) }],
    ['a later part', { esm_class: 0x40, short_message: Buffer.from('0500030102024142', 'hex') }],
    ['a later part, 16 bits', { esm_class: 0x40, short_message: Buffer.from('0608040001020241', 'hex') }],
    ['a later part, SAR', { sar_msg_ref_num: 1, sar_total_segments: 2, sar_segment_seqnum: 2 }],
  ])('that is %s is answered and left', async (_, fields) => {
    const rig = await openRig();
    expect((await rig.smsc.deliver({ ...from, ...fields })).command_status).toBe(OK);
    expect(rig.inbound).toEqual([]);
  });

  it('comes again when it cannot be recorded now', async () => {
    const rig = await openRig();
    rig.inboundAnswer = 'unavailable';
    const answer = await rig.smsc.deliver({ ...from, short_message: { message: 'STOP' } });
    expect(answer.command_status).toBe(TRY_AGAIN);
  });
});
