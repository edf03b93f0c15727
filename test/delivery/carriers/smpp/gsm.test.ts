import fc from 'fast-check';
import smpp from 'smpp';
import { describe, expect, it } from 'vitest';
import { decodeGsm, encodeGsm, packSeptets, unpackSeptets } from '#delivery/carriers/smpp/gsm.js';
import { partsOf } from '#delivery/carriers/smpp/parts.js';
import { readSettings } from '#delivery/carriers/smpp/settings.js';
import { GSM_BASIC, GSM_EXTENSION } from '#verify/messages/encoding.js';

const gsmText = (max: number) =>
  fc.string({ unit: fc.constantFrom(...GSM_BASIC, ...GSM_EXTENSION), maxLength: max });

/** Without those that, as the last of a packed text, may be padding. */
const LETTERS = [...GSM_BASIC, ...GSM_EXTENSION].filter((char) => char !== '\r' && char !== '@');

describe('GSM-7', () => {
  it('has every character where the library has it', () => {
    for (const char of GSM_BASIC + GSM_EXTENSION) {
      expect([char, encodeGsm(char).toString('hex')]).toEqual([
        char,
        smpp.encodings.ASCII!.encode(char).toString('hex'),
      ]);
    }
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(gsmText(200), (text) => {
        expect(decodeGsm(encodeGsm(text))).toBe(text);
      }),
    );
  });

  it('is read from any bytes without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeGsm(bytes).length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it.each([
    // 3GPP TS 23.038's own way of packing, by examples that many documents share.
    ['hellohello', 'e8329bfd4697d9ec37'],
    ['1234567', '31d98c56b3dd1a'],
    ['12345678', '31d98c56b3dd70'],
    ['', ''],
  ])('%j is packed as %s', (text, packed) => {
    expect(packSeptets(encodeGsm(text)).toString('hex')).toBe(packed);
  });

  it('packed is unpacked as it was, behind any header', () => {
    const text = fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 160 });
    fc.assert(
      fc.property(text, fc.nat(12), (each, header) => {
        const packed = packSeptets(encodeGsm(each), header);
        expect(decodeGsm(unpackSeptets(packed, header))).toBe(each);
        expect(packed.length).toBeLessThanOrEqual(Math.ceil((encodeGsm(each).length * 7 + 13) / 8));
      }),
    );
  });
});

describe('a packed long message', () => {
  it.each(['udh-8', 'udh-16'] as const)(
    'by %s has 140 bytes a part at most, and comes together again',
    (way) => {
      const { text: settings } = readSettings({
        host: 'h',
        system_id: 's',
        password: 'p',
        encoding: 'gsm-7-packed',
        long_messages: way,
      });
      fc.assert(
        fc.property(
          fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 161, maxLength: 600 }),
          (text) => {
            const parts = partsOf(text, 0x1234, settings)!;
            const texts = parts.map(({ shortMessage, hasHeader }) => {
              expect(shortMessage.length).toBeLessThanOrEqual(140);
              const header = hasHeader ? shortMessage[0]! + 1 : 0;
              return decodeGsm(unpackSeptets(shortMessage.subarray(header), header));
            });
            expect(texts.join('')).toBe(text);
          },
        ),
      );
    },
  );
});
