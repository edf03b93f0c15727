import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingOf, segmentsOf, splitSegments, toGsm7Equivalent } from '#verify/messages/encoding.js';

/** TS 23.038 §6.2.1: the default alphabet, by rows of its table, `\u001b` for the escape. */
const TABLE = [
  '@Δ 0¡P¿p',
  '£_!1AQaq',
  '$Φ"2BRbr',
  '¥Γ#3CScs',
  'èΛ¤4DTdt',
  'éΩ%5EUeu',
  'ùΠ&6FVfv',
  "ìΨ'7GWgw",
  'òΣ(8HXhx',
  'ÇΘ)9IYiy',
  '\nΞ*:JZjz',
  'Ø\u001b+;KÄkä',
  'øÆ,<LÖlö',
  '\ræ-=MÑmñ',
  'Åß.>NÜnü',
  'åÉ/?O§oà',
].join('');
const EXTENSION = '\f^{}\\[~]|€';
const BASIC = [...TABLE].filter((char) => char !== '\u001b');

/** Texts that mix what is cheap, what is escaped and what needs UCS-2, pairs and lone halves included. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...BASIC),
      fc.constantFrom(...EXTENSION),
      fc.constantFrom('’', '–', '…', '\u00a0', 'e\u0301', 'ç', '漢', '😀', '\ud83d'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 400 },
  )
  .map((parts) => parts.join(''));
const gsmText = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...BASIC) }, fc.constantFrom(...EXTENSION)), {
    maxLength: 700,
  })
  .map((parts) => parts.join(''));

describe('the alphabet of a text', () => {
  it('is GSM-7 for exactly the characters of TS 23.038, those of the extension at two septets', () => {
    expect(BASIC).toHaveLength(127);
    for (let code = 0; code <= 0xffff; code++) {
      const char = String.fromCharCode(code);
      if (BASIC.includes(char)) expect(segmentsOf(char)).toEqual({ encoding: 'gsm-7', units: 1, count: 1 });
      else if (EXTENSION.includes(char)) expect(segmentsOf(char)).toMatchObject({ units: 2 });
      else if (encodingOf(char) !== 'ucs-2') expect.unreachable(`U+${code.toString(16)} is not GSM-7`);
    }
  });

  it.each(['ç', 'á', 'ó', 'ğ', 'я', '`', '\t', '😀'])('is UCS-2 with %j', (char) => {
    expect(encodingOf(`Code ${char} 123456`)).toBe('ucs-2');
  });
});

describe('segments', () => {
  it.each([
    ['', 1],
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['a'.repeat(306), 2],
    ['a'.repeat(307), 3],
    ['€'.repeat(80), 1],
    [`${'€'.repeat(80)}a`, 2],
    // 153 is odd: an escape and its character stay together, so that 76 fit.
    ['€'.repeat(152), 2],
    ['€'.repeat(153), 3],
    ['я'.repeat(70), 1],
    ['я'.repeat(71), 2],
    ['я'.repeat(134), 2],
    ['я'.repeat(135), 3],
    ['😀'.repeat(35), 1],
    ['😀'.repeat(36), 2],
    // 67 is odd: 33 pairs fit.
    ['😀'.repeat(66), 2],
    ['😀'.repeat(67), 3],
  ])('of text %#', (text, count) => {
    expect(segmentsOf(text).count).toBe(count);
  });

  it('joined are the text, and are as many as are counted', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, gsmText), (text) => {
        const parts = splitSegments(text);
        expect(parts.join('')).toBe(text);
        expect(parts).toHaveLength(segmentsOf(text).count);
      }),
    );
  });

  it('are each within the bound, and no earlier one had room for the next character', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, gsmText), (text) => {
        const { encoding, count } = segmentsOf(text);
        const bound = encoding === 'gsm-7' ? (count === 1 ? 160 : 153) : count === 1 ? 70 : 67;
        // In the alphabet of the whole text, whatever a part alone would need.
        const size = (part: string) =>
          encoding === 'ucs-2'
            ? part.length
            : [...part].reduce((sum, char) => sum + (EXTENSION.includes(char) ? 2 : 1), 0);
        const parts = splitSegments(text);
        parts.forEach((part, index) => {
          expect(size(part)).toBeLessThanOrEqual(bound);
          const next = parts[index + 1];
          if (next !== undefined) expect(size(part) + size([...next][0]!)).toBeGreaterThan(bound);
        });
      }),
    );
  });

  it('never tear a surrogate pair apart', () => {
    const wellFormed = fc
      .array(fc.constantFrom('a', '漢', '😀', '👍🏽'), { minLength: 40, maxLength: 300 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(wellFormed, (text) => {
        for (const part of splitSegments(text)) expect(part.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('the GSM-7 equivalent', () => {
  it.each([
    ['It’s “Acme”: ‘123456’ — don’t share it…', "It's \"Acme\": '123456' - don't share it..."],
    ['Acme\u00a0code\u202f123\u2011456', 'Acme code 123-456'],
    ['«Acme» • 123456', '"Acme" * 123456'],
    ['Cafe\u0301 123456', 'Café 123456'],
    ['\ufeffAc\u00adme\u200b 123456', 'Acme 123456'],
    ['Acme!\u2028123456', 'Acme!\n123456'],
  ])('of %j is %j', (text, plain) => {
    expect(toGsm7Equivalent(text)).toBe(plain);
  });

  it.each(['Tu código’s 123456', 'Ваш код – 123456', 'Acme’s code 😀 123456', 'Acme 123456.'])(
    'of %j is the text itself, as it saves nothing',
    (text) => {
      expect(toGsm7Equivalent(text)).toBe(text);
    },
  );

  it('is not taken where it would cost more segments', () => {
    expect(segmentsOf('…'.repeat(70)).count).toBe(1);
    expect(toGsm7Equivalent('…'.repeat(70))).toBe('…'.repeat(70));
  });

  it('never takes more segments, leaves GSM-7 alone, and is final', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, gsmText), (text) => {
        const plain = toGsm7Equivalent(text);
        expect(segmentsOf(plain).count).toBeLessThanOrEqual(segmentsOf(text).count);
        expect(toGsm7Equivalent(plain)).toBe(plain);
        if (encodingOf(text) === 'gsm-7' || encodingOf(plain) === 'ucs-2') expect(plain).toBe(text);
      }),
    );
  });

  it('keeps every letter and digit', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const letters = (each: string) => each.normalize('NFC').replace(/[^\p{L}\p{N}]/gu, '');
        expect(letters(toGsm7Equivalent(text))).toBe(letters(text));
      }),
    );
  });
});
