import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TEMPLATES } from '#verify/messages/default-templates.js';
import { localesTried, normaliseLocale } from '#verify/messages/locales.js';
import { defaultTemplate } from '#verify/messages/template.js';

describe('a locale', () => {
  it.each([
    ['en_US', 'en-US'],
    ['EN', 'en'],
    ['pt-br', 'pt-BR'],
    ['zh_hant_tw', 'zh-Hant-TW'],
    ['es_419', 'es-419'],
    ['no', 'nb'],
    ['no_NO', 'nb-NO'],
    ['nn', 'nb'],
    ['iw_IL', 'he-IL'],
    ['in', 'id'],
    ['tl', 'fil'],
    ['tl-PH', 'fil-PH'],
    ['sh', 'sr-Latn'],
    ['sh_Cyrl_RS', 'sr-Cyrl-RS'],
    ['yue', 'zh-Hant'],
    ['  fr_ ', 'fr'],
    ['constructor', 'constructor'],
    ['', ''],
  ])('%j is %j', (locale, normalised) => {
    expect(normaliseLocale(locale)).toBe(normalised);
    expect(normaliseLocale(normalised)).toBe(normalised);
  });

  it('is looked for by region, then by language, then as en', () => {
    expect(localesTried('pt_BR')).toEqual(['pt-BR', 'pt', 'en']);
    expect(localesTried('zh_Hans_SG')).toEqual(['zh-Hans-SG', 'zh-Hans', 'zh-SG', 'zh', 'en']);
    expect(localesTried('zh-TW')).toEqual(['zh-Hant-TW', 'zh-Hant', 'zh-TW', 'zh', 'en']);
    expect(localesTried('en')).toEqual(['en']);
  });
});

describe('§2 the message in a locale', () => {
  it.each([
    ['en_US', 'en'],
    ['en-GB', 'en'],
    ['es_MX', 'es'],
    ['pt_BR', 'pt-BR'],
    ['pt-PT', 'pt'],
    ['pt-AO', 'pt'],
    ['zh_CN', 'zh'],
    ['zh-Hans-HK', 'zh'],
    ['zh-HK', 'zh-Hant'],
    ['zh_TW', 'zh-Hant'],
    ['zh_Hant_TW', 'zh-Hant'],
    ['no', 'nb'],
    ['nn-NO', 'nb'],
    ['iw', 'he'],
    ['in_ID', 'id'],
    ['tl', 'fil'],
    ['sr_RS', 'sr'],
    ['sr-Latn-RS', 'sr-Latn'],
    ['sr-ME', 'sr-Latn'],
    ['sh', 'sr-Latn'],
    ['de-DE-1996', 'de'],
    ['tlh', 'en'],
    ['xx-YY', 'en'],
    ['constructor', 'en'],
    ['', 'en'],
  ])('%j is that of %s', (locale, chosen) => {
    expect(defaultTemplate(locale)).toBe(DEFAULT_TEMPLATES[chosen]);
  });

  it('is there for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}$/)),
        (text) => {
          expect(Object.values(DEFAULT_TEMPLATES)).toContain(defaultTemplate(text));
          expect(normaliseLocale(normaliseLocale(text))).toBe(normaliseLocale(text));
        },
      ),
    );
  });
});
