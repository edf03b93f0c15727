import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import alawmulaw from 'alawmulaw';
import { describe, expect, it } from 'vitest';
import { decodeAdpcm, encodeAdpcm } from '#speech/adpcm.js';
import { joined } from '#speech/clip.js';
import { LOUDNESS, loudnessOf, RATE } from '#speech/condition.js';
import { CLIP_NAMES, DIGITS, readPack } from '#speech/pack.js';
import { PHRASES, PROMPT_NAMES } from '#speech/phrases.js';
import { createShippedPrompts } from '#speech/shipped.js';
import { spokenAs } from '#speech/spoken-as.js';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { renderClip, textOf } from '../../scripts/prompts/render.js';
import { ROOT } from '../repository/markdown.js';
import { SHIPPED_SPEECH } from '../support/speech.js';
import { digitClips, hearDigits, likenesses } from '../support/spoken-digits.js';
import { levelOf } from './tones.js';

const LOCALES = Object.keys(PHRASES);
const SPOKEN = LOCALES.filter((locale) => spokenAs(locale) === locale);
const shipped = createShippedPrompts();

describe('the words of calls', () => {
  it('are there for every locale that has messages', () => {
    expect(LOCALES).toEqual(Object.keys(DEFAULT_TEMPLATES));
  });

  it.each(LOCALES)('of %s have every phrase and ten digits', (locale) => {
    for (const name of PROMPT_NAMES) expect(PHRASES[locale]![name].trim()).not.toBe('');
    expect(new Set(PHRASES[locale]!.digits.split(' ')).size).toBe(10);
    for (const name of CLIP_NAMES) expect(textOf(locale, name)).not.toBe('');
  });

  it('are spoken with the prompts of a locale that has its own', () => {
    for (const locale of LOCALES) expect(SPOKEN).toContain(spokenAs(locale));
    expect(readdirSync(join(ROOT, 'prompts')).sort()).toEqual(
      SPOKEN.map((locale) => `${locale}.pack`).sort(),
    );
  });
});

describe.each(SPOKEN)('the prompts of %s', (locale) => {
  it('are all there, of a sensible length, equally loud, not clipped and without clicks at their ends', () => {
    for (const name of CLIP_NAMES) {
      const { samples, duration } = shipped(locale).get(name)!;
      const [shortest, longest] = /^[0-9]$/.test(name) ? [150, 1_300] : [300, 9_000];
      expect(duration, name).toBeGreaterThan(shortest);
      expect(duration, name).toBeLessThan(longest);
      const loudness = loudnessOf(Float64Array.from(samples, (sample) => sample / 32_767));
      expect(Math.abs(loudness - LOUDNESS), `${name}: ${loudness}`).toBeLessThan(2);
      expect(Math.max(...samples.map(Math.abs)), name).toBeLessThan(32_000);
      expect(Math.abs(samples[0]!), name).toBeLessThan(20);
      expect(Math.abs(samples.at(-1)!), name).toBeLessThan(20);
    }
  });

  it('have ten digits that cannot be mistaken for each other', () => {
    const clips = shipped(locale);
    const alike = likenesses(DIGITS.map((digit) => clips.get(digit)!.samples));
    for (const [digit, row] of alike.entries()) {
      expect(row[digit]).toBeCloseTo(1, 6);
      for (let other = 0; other < digit; other++) {
        expect(row[other], `${digit} and ${other}`).toBeLessThan(0.8);
      }
    }
  });
});

describe('a code that was spoken', () => {
  const code = '4829130576';
  const digitsOf = (locale: string) => digitClips((digits) => SHIPPED_SPEECH.code(locale, digits));
  const heard = (recorded: Int16Array, locale: string) =>
    hearDigits(recorded, digitsOf(locale))
      .map(({ digit }) => digit)
      .join('');

  it.each(['en', 'es', 'de', 'ar', 'ja', 'zh', 'th'])(
    'in %s is heard in its sound, and no other',
    (locale) => {
      expect(heard(joined(SHIPPED_SPEECH.code(locale, code)), locale)).toBe(code);
    },
  );

  it.each(['mulaw', 'alaw'] as const)(
    'is heard through G.711 (%s), at another loudness, and within a call',
    (law) => {
      const call = joined([
        ...SHIPPED_SPEECH.greeting('fr', ''),
        ...SHIPPED_SPEECH.code('fr', code),
        ...SHIPPED_SPEECH.code('fr', code, true),
        ...SHIPPED_SPEECH.goodbye('fr'),
      ]).map((sample) => sample / 3);
      const received = alawmulaw[law].decode(alawmulaw[law].encode(call));
      expect(heard(received, 'fr')).toBe(code + code);
    },
  );

  it('is not heard in another language, nor in silence', () => {
    expect(heard(joined(SHIPPED_SPEECH.code('fi', code)), 'en')).toBe('');
    expect(heard(new Int16Array(RATE), 'en')).toBe('');
  });
});

describe('a clip', () => {
  const clip = createShippedPrompts()('en').get('greeting')!;

  it('is ready for RTP in both forms of G.711, made once', () => {
    expect(clip.pcmu).toEqual(alawmulaw.mulaw.encode(clip.samples));
    expect(clip.pcma).toEqual(alawmulaw.alaw.encode(clip.samples));
    expect(clip.pcmu).toBe(clip.pcmu);
    expect(clip.pcma).toBe(clip.pcma);
  });

  it('lies within the band of a telephone', () => {
    const levelAt = (hertz: number) => levelOf(hertz, clip.samples, RATE);
    const loudest = Math.max(...Array.from({ length: 50 }, (_, index) => levelAt(300 + 20 * index)));
    for (const hertz of [30, 50, 100, 3800, 3900])
      expect(levelAt(hertz), `${hertz} Hz`).toBeLessThan(loudest / 30);
  });
});

describe('shipped prompts', () => {
  it('are kept for the locales that are in use, and read again after many others', () => {
    const prompts = createShippedPrompts();
    const first = prompts('en');
    expect(prompts('en')).toBe(first);
    for (const locale of SPOKEN.filter((each) => each !== 'en').slice(0, 11)) prompts(locale);
    expect(prompts('en')).toBe(first);
    for (const locale of SPOKEN.filter((each) => each !== 'en').slice(11, 24)) prompts(locale);
    expect(prompts('en')).not.toBe(first);
  });

  it('that are damaged are not played', () => {
    const pack = readFileSync(join(ROOT, 'prompts/en.pack'));
    expect(() => readPack(pack.subarray(0, -1))).toThrow('is cut short');
    expect(() => readPack(pack.subarray(0, 40))).toThrow('is no pack of prompts');
    expect(() => readPack(Buffer.concat([Buffer.from('x'), pack]))).toThrow('is no pack of prompts');
  });

  it('are what the script renders: digits, rendered again, are the same to the last bit', async () => {
    for (const digit of ['0', '5', '9'] as const) {
      const rendered = await renderClip('en', digit);
      const packed = decodeAdpcm(encodeAdpcm(rendered), rendered.length);
      expect(packed).toEqual(shipped('en').get(digit)!.samples);
    }
  });
});
