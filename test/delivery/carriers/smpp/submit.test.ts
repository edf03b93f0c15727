import { describe, expect, it } from 'vitest';
import { encodeGsm } from '#delivery/carriers/smpp/gsm.js';
import { SUBMIT_ERRORS } from '#delivery/carriers/smpp/submit-status.js';
import { validityPeriod } from '#delivery/carriers/smpp/validity.js';
import { isErrorOf } from '#verify/channel-errors.js';
import { NOW } from '../../../support/rows.js';
import { TEXT } from '../support.js';
import { fieldsOf, openRig } from './support.js';

/** Every letter of the alphabet, the whole extension table, and what surrounds it. */
const GSM = '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€';
const LONG_GSM = Array.from({ length: 10 }, (_, index) => `${index} {Your code}~€ [is] 73519264|`).join('\n');
const LONG_UCS2 = 'कोड 73519264 😀 '.repeat(20);

describe('a submit', () => {
  it('is one submit_sm with addresses, text and a request for a receipt', async () => {
    const rig = await openRig({ sender: 'Acme', service_type: 'OTP', protocol_id: 64, priority: 1 });
    expect(await rig.submit()).toEqual({ kind: 'accepted', messageId: 'm1' });
    expect(fieldsOf(rig)).toMatchObject([
      {
        service_type: 'OTP',
        source_addr_ton: 5,
        source_addr_npi: 0,
        source_addr: 'Acme',
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: '14155550123',
        esm_class: 0,
        protocol_id: 64,
        priority_flag: 1,
        registered_delivery: 1,
        data_coding: 0,
        short_message: { message: TEXT },
      },
    ]);
  });

  it.each([
    ['relative', 600_000, '000000001000000R'],
    ['relative', 93_784_000, '000001020304000R'],
    ['relative', 1, '000000000100000R'],
    ['relative', -5, '000000000100000R'],
    ['absolute', 600_000, '260131090239000+'],
    ['none', 600_000, ''],
  ] as const)('has a %s validity period for %d ms', (form, period, expected) => {
    expect(validityPeriod(form, NOW + period, NOW)).toBe(expected);
  });

  it('is valid until its code expires', async () => {
    const rig = await openRig({ validity: 'absolute' });
    await rig.submit({ expiresAt: Date.UTC(2026, 0, 31, 9, 2, 39, 363) });
    expect(fieldsOf(rig)).toMatchObject([{ validity_period: new Date('2026-01-31T09:02:39.000Z') }]);
  });
});

describe('the sender', () => {
  it.each([
    ['Acme', 5, 0, 'Acme'],
    ['Acme 24', 5, 0, 'Acme 24'],
    ['72345', 3, 0, '72345'],
    ['14155550100', 1, 1, '14155550100'],
    ['+14155550100', 1, 1, '14155550100'],
    ['+72345', 1, 1, '72345'],
    [null, 0, 0, ''],
  ])('%j has TON %d and NPI %d', async (src, ton, npi, address) => {
    const rig = await openRig();
    await rig.submit({ src });
    expect(fieldsOf(rig)).toMatchObject([
      { source_addr_ton: ton, source_addr_npi: npi, source_addr: address },
    ]);
  });

  it('of the caller comes before that of the route, and that before the configured one', async () => {
    const rig = await openRig({ sender: 'Own' });
    await rig.submit({ src: 'Caller', sender: 'Route' });
    await rig.submit({ sender: 'Route' });
    await rig.submit();
    expect(fieldsOf(rig).map(({ source_addr }) => source_addr)).toEqual(['Caller', 'Route', 'Own']);
  });

  it.each(['A'.repeat(21), 'Grüße', 'a\nb'])(
    '%j fits no SMPP address: another carrier may take it',
    async (src) => {
      const rig = await openRig();
      expect(await rig.submit({ src })).toMatchObject({ kind: 'unavailable', errorCode: 40, down: false });
      expect(rig.smsc.submits).toHaveLength(0);
    },
  );

  it('and the recipient have the form that is configured', async () => {
    const rig = await openRig({
      short_code_digits: 4,
      addresses: {
        alphanumeric: { ton: 7, npi: 8 },
        short_code: { ton: 6, npi: 9 },
        international: { ton: 2, plus: true },
        destination: { npi: 0, plus: true },
      },
    });
    for (const src of ['Acme', '1234', '12345']) await rig.submit({ src });
    expect(fieldsOf(rig).map((pdu) => [pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr])).toEqual([
      [7, 8, 'Acme'],
      [6, 9, '1234'],
      [2, 1, '+12345'],
    ]);
    expect(fieldsOf(rig)[0]).toMatchObject({
      dest_addr_ton: 1,
      dest_addr_npi: 0,
      destination_addr: '+14155550123',
    });
  });
});

describe('the text', () => {
  it.each([
    ['gsm-7', GSM, 0],
    ['gsm-7', 'Код 73519264 😀', 8],
    ['latin-1', 'Está à 73519264 ñ ß', 8],
    ['latin-1', 'Olé à 73519264 ñ ß', 3],
    ['latin-1', 'Ελλάδα €', 8],
    ['latin-1', '10 € Δ', 8],
    ['ucs-2', 'plain', 8],
  ] as const)('in %s arrives as it is: %s', async (encoding, text, coding) => {
    const rig = await openRig({ encoding });
    await rig.submit({ text });
    expect(rig.smsc.texts).toEqual([text]);
    expect(fieldsOf(rig)).toMatchObject([{ data_coding: coding }]);
  });

  it('has the data_coding that is configured', async () => {
    const rig = await openRig({ encoding: 'latin-1', data_coding: { latin_1: 0, ucs_2: 24 } });
    await rig.submit({ text: 'plain' });
    await rig.submit({ text: 'Привет' });
    expect(fieldsOf(rig).map(({ data_coding }) => data_coding)).toEqual([0, 24]);
  });

  it.each(['udh-8', 'udh-16', 'sar', 'payload'] as const)(
    'of a long message by %s comes together again',
    async (way) => {
      const rig = await openRig({ long_messages: way });
      for (const text of [LONG_GSM, LONG_UCS2]) {
        expect(await rig.submit({ text })).toMatchObject({ kind: 'accepted' });
      }
      expect(rig.smsc.texts).toEqual([LONG_GSM, LONG_UCS2]);
      if (way !== 'payload') expect(rig.smsc.submits.length).toBeGreaterThan(4);
    },
  );

  it.each(['udh-8', 'udh-16', 'sar'] as const)('by %s fits 140 bytes a part on the air', async (way) => {
    const rig = await openRig({ long_messages: way });
    for (const text of [LONG_GSM, LONG_UCS2, 'x'.repeat(305), 'я'.repeat(133)]) await rig.submit({ text });
    const header = way === 'udh-16' ? 7 : 6;
    for (const { data_coding: coding, short_message: message } of fieldsOf(rig)) {
      const bytes =
        coding === 8 ? message.message.length * 2 : Math.ceil((encodeGsm(message.message).length * 7) / 8);
      expect(bytes + header).toBeLessThanOrEqual(140);
    }
  });

  it('asks for one receipt, of the last part, whose id is the message’s', async () => {
    const rig = await openRig();
    const result = await rig.submit({ text: LONG_GSM });
    const wanted = fieldsOf(rig).map(({ registered_delivery }) => registered_delivery);
    expect(wanted.slice(0, -1).every((each) => each === 0)).toBe(true);
    expect(wanted.at(-1)).toBe(1);
    expect(result).toEqual({ kind: 'accepted', messageId: `m${wanted.length}` });
  });

  it('of a repeat has the parts of the first try, to the reference', async () => {
    const rig = await openRig({ long_messages: 'udh-16' });
    for (let count = 0; count < 2; count++) await rig.submit({ text: LONG_GSM, hopId: 'a.1' });
    const udhs = fieldsOf(rig).map(({ short_message }) => short_message.udh[0].toString('hex'));
    expect(udhs.slice(udhs.length / 2)).toEqual(udhs.slice(0, udhs.length / 2));
    await rig.submit({ text: LONG_GSM, hopId: 'a.2' });
    expect(fieldsOf(rig).at(-1)!.short_message.udh[0].toString('hex')).not.toBe(udhs.at(-1));
  });
});

describe('optional parameters', () => {
  it('bring the DLT ids of the route', async () => {
    const rig = await openRig();
    await rig.submit({ parameters: { entity_id: '1101', template_id: '1107', other: 'x' } });
    const [pdu] = fieldsOf(rig);
    expect(pdu![0x1400].toString()).toBe('1101');
    expect(pdu![0x1401].toString()).toBe('1107');
  });

  it('have the tag and the value that are configured', async () => {
    const rig = await openRig({
      parameters: { entity_id: { tag: 0x1500, value: 'own' }, hash: { tag: 0x1402 } },
    });
    await rig.submit({ parameters: { hash: 'abc' } });
    await rig.submit({ parameters: { entity_id: 'route' } });
    const [first, second] = fieldsOf(rig);
    expect([first![0x1500].toString(), first![0x1402].toString()]).toEqual(['own', 'abc']);
    expect(second![0x1500].toString()).toBe('route');
    expect(second![0x1402]).toBeUndefined();
  });
});

describe('the answer', () => {
  it.each([
    [0x0b, { kind: 'refused', errorCode: 50, reason: 'ESME_RINVDSTADR' }],
    [0x0a, { kind: 'unavailable', errorCode: 40, reason: 'ESME_RINVSRCADR', down: false }],
    [0x01, { kind: 'refused', errorCode: 110, reason: 'ESME_RINVMSGLEN' }],
    [0x45, { kind: 'unavailable', errorCode: 20, reason: 'ESME_RSUBMITFAIL', down: false }],
    [0x08, { kind: 'unavailable', errorCode: 20, reason: 'ESME_RSYSERR', down: true }],
    [0x0400, { kind: 'unavailable', errorCode: 1000, reason: '0x00000400', down: false }],
  ])('0x%s means %j', async (status, expected) => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => ({ status });
    expect(await rig.submit()).toEqual(expected);
  });

  it('has channel error codes of the contract only', () => {
    for (const [name, { errorCode }] of Object.entries(SUBMIT_ERRORS)) {
      expect(isErrorOf('sms', errorCode), name).toBe(true);
    }
  });

  it('a generic_nack is an answer too', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = ({ pdu, session }) => {
      session.generic_nack({ command_status: 3, sequence_number: pdu.sequence_number });
      return null;
    };
    expect(await rig.submit()).toMatchObject({ kind: 'unavailable', reason: 'ESME_RINVCMDID' });
  });

  it('of one part that is refused refuses the message', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = ({ number }) => (number === 2 ? { status: 0x0b } : { messageId: `m${number}` });
    expect(await rig.submit({ text: LONG_GSM })).toMatchObject({ kind: 'refused', errorCode: 50 });
  });

  it('without a message id accepts all the same', async () => {
    const rig = await openRig();
    rig.smsc.onSubmit = () => ({});
    expect(await rig.submit()).toEqual({ kind: 'accepted', messageId: null });
  });

  it.each([
    ['as-is', '00Ab', '00Ab'],
    ['hex', '00Ab', 'ab'],
    ['hex', '0xAB', 'ab'],
    ['decimal', '00171', 'ab'],
    ['decimal', '18446744073709551615', 'ffffffffffffffff'],
    ['decimal', 'x-1', 'x-1'],
  ] as const)('with an id that is read %s: %s becomes %s', async (submit, given, expected) => {
    const rig = await openRig({ message_id: { submit } });
    rig.smsc.onSubmit = () => ({ messageId: given });
    expect(await rig.submit()).toEqual({ kind: 'accepted', messageId: expected });
  });

  it('never repeats the text, the code, the recipient or the password in results and logs', async () => {
    const rig = await openRig();
    const results: unknown[] = [];
    for (const status of [0, 0x0b, 0x400, 0x58]) {
      rig.smsc.onSubmit = () => ({ status });
      results.push(await rig.submit());
    }
    rig.smsc.drop();
    await rig.until('it is down', () => rig.carrier.status!().state !== 'up');
    const told = JSON.stringify([results, rig.lines, rig.carrier.status!()]);
    for (const secret of ['73519264', 'Acme verification', '14155550123', 'sentinel'])
      expect(told).not.toContain(secret);
  });
});
