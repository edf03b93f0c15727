import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalId } from '#delivery/carriers/smpp/message-id.js';
import { stateOf } from '#delivery/carriers/smpp/receipt-status.js';
import { readReceiptText } from '#delivery/carriers/smpp/receipt-text.js';

describe('the text of a receipt', () => {
  it.each([
    // SMPP 3.4 Appendix B, to the letter.
    [
      'id:IIIIIIIIII sub:001 dlvrd:001 submit date:0601021530 done date:0601021531 stat:DELIVRD err:000 text:Your code is',
      { id: 'IIIIIIIIII', stat: 'DELIVRD', err: '000' },
    ],
    [
      'id:1 sub:001 dlvrd:001 submit date:060102153000 done date:060102153100 stat:UNDELIV err:0A1 Text:',
      { id: '1', stat: 'UNDELIV', err: '0A1' },
    ],
    ['ID:AbC SUB:001 DLVRD:001 STAT:DELIVRD ERR:000', { id: 'AbC', stat: 'DELIVRD', err: '000' }],
    ['id: 12 sub: 001 stat: DELIVRD err: 0', { id: '12', stat: 'DELIVRD', err: '0' }],
    ['id :12 stat :DELIVRD', { id: '12', stat: 'DELIVRD', err: null }],
    ['stat:DELIVRD err:001 id:77', { id: '77', stat: 'DELIVRD', err: '001' }],
    ['id:12\nsub:001\nstat:EXPIRED\nerr:0', { id: '12', stat: 'EXPIRED', err: '0' }],
    ['id:12,sub:001,stat:EXPIRED,err:5', { id: '12', stat: 'EXPIRED', err: '5' }],
    ['id:12;stat:EXPIRED;err:5;', { id: '12', stat: 'EXPIRED', err: '5' }],
    ['id:"12" stat:"DELIVRD"', { id: '12', stat: 'DELIVRD', err: null }],
    ['id=12 status=DELIVRD error=7', { id: '12', stat: 'DELIVRD', err: '7' }],
    ['message_id:12 stat:DELIVRD', { id: '12', stat: 'DELIVRD', err: null }],
    // Fields without a value: what follows is the next field.
    [
      'id:12 sub: dlvrd: submit date: done date: stat:DELIVRD err: text:',
      { id: '12', stat: 'DELIVRD', err: null },
    ],
    ['id: sub:001 stat:DELIVRD', { id: null, stat: 'DELIVRD', err: null }],
    ['id: submit date:0601021530 stat:DELIVRD', { id: null, stat: 'DELIVRD', err: null }],
    ['stat:DELIVRD', { id: null, stat: 'DELIVRD', err: null }],
    ['id:12', { id: '12', stat: null, err: null }],
    // The message's own words are not the receipt's.
    ['id:12 stat:UNDELIV text:id:99 stat:DELIVRD err:3', { id: '12', stat: 'UNDELIV', err: null }],
    ['text:Your code id:12 stat:DELIVRD err:000', { id: '12', stat: 'DELIVRD', err: '000' }],
    ['paid:5 grid:7 id:12 stat:DELIVRD', { id: '12', stat: 'DELIVRD', err: null }],
    ['', { id: null, stat: null, err: null }],
    ['Delivered!', { id: null, stat: null, err: null }],
  ])('%j is %j', (text, expected) => {
    expect(readReceiptText(text)).toEqual(expected);
  });

  it('of a known form is read whatever stands in its place', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_@.-]{1,40}$/);
    const spaces = fc.stringMatching(/^ {0,3}$/);
    fc.assert(
      fc.property(word, word, word, spaces, fc.boolean(), (id, stat, err, gap, upper) => {
        const key = (name: string) => `${upper ? name.toUpperCase() : name}:${gap}`;
        const text = `${key('id')}${id} ${key('sub')}001 ${key('stat')}${stat} ${key('err')}${err} ${key('text')}x`;
        expect(readReceiptText(text)).toEqual({ id, stat, err });
      }),
    );
  });

  it('of any kind is read without an error, and what is found stands in it', () => {
    const piece = fc.constantFrom(
      'id:',
      'stat:',
      'err:',
      'text:',
      'submit date:',
      ' ',
      '\0',
      '"',
      ':',
      '=',
      'DELIVRD',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(piece, fc.string())).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (any) => {
        for (const value of Object.values(readReceiptText(any))) {
          if (value === null) continue;
          expect(any).toContain(value);
          expect(value.length).toBeLessThanOrEqual(128);
          stateOf(value);
          canonicalId(value, 'hex');
        }
      }),
    );
  });

  it.each(['id:', 'id: ', ' '.repeat(8), 'id', 'stat: submit date ', '"', 'submit date '])(
    'of a million times %j costs no more than its beginning',
    (piece) => {
      let reads = 0;
      const text = piece.repeat(1_000_000 / piece.length);
      const watched = {
        slice: (from: number, to: number) => {
          reads++;
          expect(to - from).toBeLessThanOrEqual(1_024);
          return text.slice(from, to);
        },
      };
      readReceiptText(watched as never);
      expect(reads).toBe(1);
    },
  );
});

describe('a message id', () => {
  it('compares as a number across bases, case and leading zeros', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n }), fc.nat(8), (number, zeros) => {
        const hex = `${'0'.repeat(zeros)}${number.toString(16)}`;
        const forms = [
          canonicalId(hex, 'hex'),
          canonicalId(hex.toUpperCase(), 'hex'),
          canonicalId(`0x${hex}`, 'hex'),
          canonicalId(` ${'0'.repeat(zeros)}${number}`, 'decimal'),
        ];
        expect(new Set(forms)).toEqual(new Set([number.toString(16)]));
      }),
    );
  });

  it.each([
    ['', null],
    ['   ', null],
    ['a\0b', null],
    ['é', null],
    ['x'.repeat(129), null],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['a b', 'a b'],
  ])('%j is %j as it is', (text, id) => {
    expect(canonicalId(text, 'as-is')).toBe(id);
  });

  it('with too many digits stays a text', () => {
    const digits = '9'.repeat(65);
    expect(canonicalId(digits, 'decimal')).toBe(digits);
  });
});
