import { describe, expect, it } from 'vitest';
import { joined, type Piece } from '#speech/clip.js';
import { DIGITS } from '#speech/pack.js';
import { createShippedPrompts } from '#speech/shipped.js';
import { SHIPPED_SPEECH as speech } from '../support/speech.js';

const shipped = createShippedPrompts();
const LOCALES_SHOWN = ['en', 'es', 'zh', 'sr'];

/** Pieces as names of shipped clips and milliseconds of silence. */
function namesOf(pieces: readonly Piece[], locale: string): (string | number)[] {
  return pieces.map((piece) => {
    if ('silence' in piece) return piece.silence;
    const found = [...shipped(locale)].find(([, clip]) =>
      Buffer.from(clip.pcmu).equals(Buffer.from(piece.pcmu)),
    );
    return found?.[0] ?? 'unknown';
  });
}

describe('a call', () => {
  it('greets, with a pause after', () => {
    expect(namesOf(speech.greeting('en', ''), 'en')).toEqual(['greeting', 400]);
  });

  it('greets without the brand when that cannot be spoken', () => {
    expect(namesOf(speech.greeting('en', 'Acme'), 'en')).toEqual(['greeting', 400]);
  });

  it.each(DIGITS)('asks for key %s', (key) => {
    expect(namesOf(speech.challenge('es', key), 'es')).toEqual(['press-for-code', 150, key, 400]);
  });

  it('speaks a code digit by digit with a longer pause in the middle of six and more', () => {
    const six = ['your-code-is', 450, '4', 450, '8', 450, '2', 800, '9', 450, '1', 450, '3', 400];
    expect(namesOf(speech.code('es', '482913'), 'es')).toEqual(six);
    const four = ['your-code-is', 450, '4', 450, '0', 450, '4', 450, '4', 400];
    expect(namesOf(speech.code('es', '4044'), 'es')).toEqual(four);
  });

  it('says that it repeats when it does', () => {
    expect(namesOf(speech.code('en', '1', true), 'en')).toEqual(['again', 450, '1', 400]);
  });

  it('tells how to hear it again, and says goodbye', () => {
    expect(namesOf(speech.repeatHint('en'), 'en')).toEqual(['press-1-to-repeat', 400]);
    expect(namesOf(speech.goodbye('en'), 'en')).toEqual(['goodbye', 400]);
  });

  it('refuses a code that is not of digits, without telling it', () => {
    expect(() => speech.code('en', '12a4')).toThrow(/^a spoken code has only digits$/);
    expect(() => speech.code('en', '')).toThrow(RangeError);
  });

  it('is as long as its clips and pauses', () => {
    const pieces = speech.code('en', '482913');
    const milliseconds = pieces.reduce(
      (sum, piece) => sum + ('silence' in piece ? piece.silence : piece.duration),
      0,
    );
    expect(joined(pieces).length).toBe(milliseconds * 8);
  });
});

describe('a call that confirms by key', () => {
  it('greets in words of its own, without the brand when that cannot be spoken', () => {
    expect(namesOf(speech.confirmGreeting('es', ''), 'es')).toEqual(['confirm-greeting', 400]);
    expect(namesOf(speech.confirmGreeting('en', 'Acme'), 'en')).toEqual(['confirm-greeting', 400]);
  });

  it('asks for key 1, tells who did not ask for it to hang up, and thanks for the key', () => {
    const asked = ['press-1-to-confirm', 400, 'not-requested', 400];
    expect(namesOf(speech.confirm('es'), 'es')).toEqual(asked);
    expect(namesOf(speech.confirmed('es'), 'es')).toEqual(['confirmed', 400]);
  });
});

describe('the language of a call', () => {
  it.each([
    ['es', 'es'],
    ['es_MX', 'es'],
    ['PT-br', 'pt-BR'],
    ['pt-AO', 'pt'],
    ['zh-TW', 'zh'],
    ['zh_Hant_HK', 'zh'],
    ['sr-Latn', 'sr'],
    ['no', 'nb'],
    ['tl', 'fil'],
    ['xx', 'en'],
    ['', 'en'],
    ['km', 'en'],
    ['my-MM', 'en'],
    ['constructor', 'en'],
    ['__proto__', 'en'],
    ['../../etc/passwd', 'en'],
  ])('of %s is %s', (locale, spoken) => {
    expect(speech.source(locale, '7')).toEqual({ kind: 'shipped', locale: spoken });
    if (LOCALES_SHOWN.includes(spoken)) {
      expect(namesOf(speech.challenge(locale, '7'), spoken)).toEqual(['press-for-code', 150, '7', 400]);
    }
  });
});
