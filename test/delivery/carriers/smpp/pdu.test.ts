import fc from 'fast-check';
import smpp from 'smpp';
import { describe, expect, it } from 'vitest';
import { createFraming, MAX_PDU } from '#delivery/carriers/smpp/framing.js';
import { DecodeError, decodePdu, encodePdu } from '#delivery/carriers/smpp/pdu.js';
import { openRig } from './support.js';

const ascii = (max: number) => fc.stringMatching(new RegExp(`^[\\x20-\\x7e]{0,${max}}$`));
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const byte = fc.nat(255);

const submit = fc.record({
  service_type: ascii(5),
  source_addr_ton: byte,
  source_addr_npi: byte,
  source_addr: ascii(20),
  dest_addr_ton: byte,
  dest_addr_npi: byte,
  destination_addr: ascii(20),
  esm_class: byte,
  protocol_id: byte,
  priority_flag: byte,
  registered_delivery: byte,
  data_coding: byte,
  short_message: bytes(254),
});
const tlvs = fc.uniqueArray(fc.tuple(fc.nat(0xffff), bytes(300)), { selector: ([tag]) => tag, maxLength: 5 });

describe('a PDU', () => {
  it('is read as it was written, optional parameters of any number included', () => {
    fc.assert(
      fc.property(submit, tlvs, fc.nat(0x7fffffff), (fields, optional, sequence) => {
        const pdu = decodePdu(encodePdu('submit_sm', { sequence, fields, tlvs: optional }));
        expect(pdu).toMatchObject({ command: 'submit_sm', commandId: 4, status: 0, sequence, fields });
        expect([...pdu.tlvs]).toEqual(optional);
      }),
    );
  });

  it('is for the library what it is here', () => {
    fc.assert(
      fc.property(submit, fc.integer({ min: 1, max: 0x7fffffff }), (fields, sequence) => {
        const data = { ...fields, data_coding: 4, esm_class: 0 };
        const read = new smpp.PDU(encodePdu('submit_sm', { sequence, fields: data }));
        const { short_message, ...rest } = data;
        expect(read).toMatchObject({ ...rest, sequence_number: sequence });
        expect(Buffer.compare(read.short_message.message, short_message)).toBe(0);
        expect(read.toBuffer().equals(encodePdu('submit_sm', { sequence, fields: data }))).toBe(true);
      }),
    );
  });

  it.each(['submit_sm_resp', 'deliver_sm_resp', 'bind_transceiver_resp'])(
    '%s may have no body',
    (command) => {
      const bare = encodePdu(command, { sequence: 7, status: 8 });
      expect(bare).toHaveLength(16);
      expect(decodePdu(bare)).toMatchObject({ command, status: 8, sequence: 7, fields: {} });
    },
  );

  it('of a response may lack its final NUL', () => {
    const frame = encodePdu('submit_sm_resp', { sequence: 7, fields: { message_id: 'abc' } });
    expect(decodePdu(frame.subarray(0, -1)).fields).toEqual({ message_id: 'abc' });
  });

  it('that is cut short anywhere is an error, never something else', () => {
    fc.assert(
      fc.property(submit, fc.nat(), (fields, at) => {
        const frame = encodePdu('deliver_sm', { sequence: 1, fields });
        const end = 17 + (at % (frame.length - 17));
        expect(() => decodePdu(frame.subarray(0, end))).toThrow(DecodeError);
      }),
    );
  });

  it('of any bytes is read or is a DecodeError', () => {
    const ids = fc.constantFrom(...Object.values(smpp.commands).map(({ id }) => id));
    fc.assert(
      fc.property(ids, bytes(200), (id, body) => {
        const frame = Buffer.concat([Buffer.alloc(16), body]);
        frame.writeUInt32BE(id >>> 0, 4);
        try {
          decodePdu(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a stream of PDUs', () => {
  it('is cut at their ends, however it comes in', () => {
    fc.assert(
      fc.property(
        fc.array(bytes(60), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (bodies, cuts) => {
          const pdus = bodies.map((body) => {
            const pdu = Buffer.concat([Buffer.alloc(16), body]);
            pdu.writeUInt32BE(pdu.length, 0);
            return pdu;
          });
          const stream = Buffer.concat(pdus);
          const frames = createFraming();
          const found: Buffer[] = [];
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const end = at + cuts[cut % cuts.length]!;
            found.push(...frames(stream.subarray(at, end)));
            at = end;
          }
          expect(found.map((frame) => frame.toString('hex'))).toEqual(pdus.map((pdu) => pdu.toString('hex')));
        },
      ),
    );
  });

  it.each([0, 4, 15, MAX_PDU + 1, 0xffffffff])('with a length of %d is an error', (length) => {
    const header = Buffer.alloc(16);
    header.writeUInt32BE(length, 0);
    expect(() => [...createFraming()(header)]).toThrow(DecodeError);
  });
});

describe('garbage from the SMSC', () => {
  it('ends the connection at most: the carrier lives, binds anew and sends', async () => {
    const rig = await openRig();
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 4, maxLength: 80 }),
        fc.boolean(),
        async (garbage, framed) => {
          const { length } = rig.smsc.binds;
          const body = Buffer.from(garbage);
          const pdu = Buffer.concat([Buffer.of(0, 0, 0, body.length + 4), body]);
          rig.smsc.receivers[0]!.socket.write(framed ? pdu : body);
          rig.smsc.receivers[0]!.socket.end();
          await rig.until('it is down', () => rig.carrier.status!().state !== 'up');
          for (let tries = 0; tries < 200 && rig.smsc.binds.length === length; tries++)
            await rig.time.advance(500);
          await rig.until('it is up', () => rig.carrier.status!().state === 'up');
          expect(await rig.submit()).toMatchObject({ kind: 'accepted' });
        },
      ),
      { numRuns: 50 },
    );
  });
});
