// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of templates have this form
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { isRightToLeft } from '#verify/messages/direction.js';
import { encodingOf, segmentsOf, toGsm7Equivalent } from '#verify/messages/encoding.js';
import { fitsRetriever, renderText } from '#verify/messages/render.js';
import { checkTemplate, defaultTemplate } from '#verify/messages/template.js';

const BRAND = '${brand_name}';
const CODE = '${code}';

/** The script that the letters of a language are in; Latin where none is named. */
const SCRIPTS: Record<string, string> = {
  am: 'Ethiopic',
  ar: 'Arabic',
  be: 'Cyrillic',
  bg: 'Cyrillic',
  bn: 'Bengali',
  el: 'Greek',
  fa: 'Arabic',
  gu: 'Gujarati',
  he: 'Hebrew',
  hi: 'Devanagari',
  hy: 'Armenian',
  ka: 'Georgian',
  kk: 'Cyrillic',
  km: 'Khmer',
  kn: 'Kannada',
  ko: 'Hangul',
  lo: 'Lao',
  mk: 'Cyrillic',
  ml: 'Malayalam',
  mn: 'Cyrillic',
  mr: 'Devanagari',
  my: 'Myanmar',
  ne: 'Devanagari',
  pa: 'Gurmukhi',
  ru: 'Cyrillic',
  sr: 'Cyrillic',
  ta: 'Tamil',
  te: 'Telugu',
  th: 'Thai',
  uk: 'Cyrillic',
  ur: 'Arabic',
  zh: 'Han',
  'zh-Hant': 'Han',
};

/** Letters that a language has and its neighbours of the same script do not, as far as its sentence shows them. */
const TELLING: Record<string, RegExp> = {
  be: /ц/,
  fa: /ک/,
  ja: /\p{Script=Hiragana}/u,
  kk: /ң/,
  ne: /तपाईं/,
  mr: /ळ/,
  uk: /і/,
  ur: /ے/,
  vi: /ạ|ủ/,
  zh: /验证码/,
  'zh-Hant': /驗證碼/,
};

const locales = Object.keys(DEFAULT_TEMPLATES);

function render(locale: string, brandName: string, appHash = '') {
  const { named, nameless } = DEFAULT_TEMPLATES[locale]!;
  const template = brandName === '' ? nameless : named;
  return { channel: 'sms' as const, template, brandName, appHash, domain: '' };
}

describe('the default message', () => {
  it('is there in at least 45 languages', () => {
    expect(new Set(locales.map((locale) => locale.split('-')[0])).size).toBeGreaterThanOrEqual(45);
  });

  it.each(
    // The languages of Twilio Verify.
    `af ar ca zh zh-CN zh-HK hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb no pl pt pt-BR
     ro ru sk es sv tl te th tr uk vi`.split(/\s+/),
  )('is there in %s', (locale) => {
    const template = defaultTemplate(locale);
    if (!locale.startsWith('en')) expect(template).not.toBe(DEFAULT_TEMPLATES.en);
  });

  it('differs between all languages, but for those of one sentence', () => {
    const alike = new Map<string, string[]>();
    for (const locale of locales) {
      const { named } = DEFAULT_TEMPLATES[locale]!;
      alike.set(named, [...(alike.get(named) ?? []), locale]);
    }
    expect([...alike.values()].filter((group) => group.length > 1)).toEqual([]);
  });

  describe.each(locales)('in %s', (locale) => {
    const { named, nameless } = DEFAULT_TEMPLATES[locale]!;
    const letters = (text: string) => text.replace(/\$\{[^}]*\}/g, '').match(/\p{L}/gu)!;

    it('has both placeholders once, and the code alone where there is no brand', () => {
      expect(checkTemplate(named)).toEqual({ ok: true, value: named });
      expect(named.split(BRAND)).toHaveLength(2);
      expect(named.split(CODE)).toHaveLength(2);
      expect(nameless.split(CODE)).toHaveLength(2);
      expect(nameless.replace(CODE, '')).not.toContain('$');
    });

    it('has no gap, no loose punctuation, and composed accents', () => {
      for (const text of [named, nameless]) {
        expect(text).toBe(text.trim());
        expect(text).not.toMatch(/ {2}| [.,:]|^\P{L}*$/u);
        expect(text).toBe(text.normalize('NFC'));
      }
    });

    it('reads the same with and without a brand, but for the brand', () => {
      const words = (text: string) => new Set(text.toLowerCase().match(/\p{L}{4,}/gu));
      const shared = [...words(nameless)].filter((word) => words(named).has(word));
      // Languages without spaces between words are one long word each.
      if (named.split(' ').length > 4) expect(shared.length).toBeGreaterThan(0);
      expect(nameless.length).toBeLessThan(named.length);
    });

    it('is one segment with a brand of 10 letters and a code of 8 digits', () => {
      for (const brand of ['Abcdefghij', '']) {
        expect(segmentsOf(renderText(render(locale, brand), '12345678')).count).toBe(1);
      }
    });

    it('leaves room for an app hash', () => {
      expect(fitsRetriever(render(locale, 'Abcdefghij', 'FA+9qCX9VSu'), 8)).toBe(true);
      expect(fitsRetriever(render(locale, '', 'FA+9qCX9VSu'), 8)).toBe(true);
    });

    it('has no typography that GSM-7 would do without', () => {
      for (const text of [named, nameless]) {
        expect(toGsm7Equivalent(text)).toBe(text);
        expect(text).not.toMatch(/[\u2010-\u2015\u2018-\u201f\u2026\u00a0\u200b-\u200f\u2066-\u2069]/);
      }
    });

    it('is written in the letters of the language', () => {
      const script = SCRIPTS[locale] ?? 'Latin';
      const own = new RegExp(`\\p{Script=${locale === 'ja' ? 'Hiragana' : script}}`, 'u');
      const allowed = locale === 'ja' ? /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u : own;
      for (const text of [named, nameless]) {
        expect(letters(text).some((letter) => own.test(letter))).toBe(true);
        expect(letters(text).filter((letter) => !allowed.test(letter))).toEqual([]);
        if (TELLING[locale]) expect(text).toMatch(TELLING[locale]);
      }
    });
  });
});

describe('the default message in a right-to-left script', () => {
  it.each(['ar', 'fa', 'he', 'ur'])('in %s shows brand and code in their order', (locale) => {
    const { named, nameless } = DEFAULT_TEMPLATES[locale]!;
    for (const text of [named, nameless]) {
      expect(isRightToLeft(text)).toBe(true);
      // A phone takes the direction from the first letter: it must not be the brand's.
      expect(text).toMatch(/^[\p{Script=Arabic}\p{Script=Hebrew}]/u);
      // Nothing touches the code that would join a number or reorder it (UAX #9: ES, ET, CS before a digit).
      expect(text).toMatch(/(?:^| )\$\{code\}(?: |\.$)/);
    }
    const between = named.slice(named.indexOf(BRAND) + BRAND.length, named.indexOf(CODE));
    expect(between).toMatch(/^ .*\p{L}.* $/u);
  });

  it('is of none of the other languages', () => {
    expect(locales.filter((locale) => isRightToLeft(DEFAULT_TEMPLATES[locale]!.named))).toEqual([
      'ar',
      'fa',
      'he',
      'ur',
    ]);
  });
});

it('of Western Europe is GSM-7 where its letters allow it', () => {
  const cheap = ['da', 'de', 'en', 'fi', 'fr', 'id', 'it', 'ms', 'nb', 'nl', 'ro', 'sv', 'sw', 'fil'];
  for (const locale of cheap)
    expect([locale, encodingOf(DEFAULT_TEMPLATES[locale]!.nameless)]).toEqual([locale, 'gsm-7']);
});
