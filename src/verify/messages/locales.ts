/** Language codes that stand for another: withdrawn ones (ISO 639), those of a macrolanguage, and common aliases. */
const ALIASES: Readonly<Record<string, string>> = {
  cmn: 'zh',
  cnr: 'sr-Latn',
  in: 'id',
  iw: 'he',
  mo: 'ro',
  nn: 'nb',
  no: 'nb',
  prs: 'fa',
  sh: 'sr-Latn',
  tl: 'fil',
  yue: 'zh-Hant',
};

/** Regions in which a language is written in another script than elsewhere. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'sr-ME': 'Latn',
  'zh-HK': 'Hant',
  'zh-MO': 'Hant',
  'zh-TW': 'Hant',
};

/**
 * A locale in the form of BCP 47: `en_us` is `en-US`, `zh_hant_tw` is `zh-Hant-TW`. Language codes that stand for
 * another are replaced (`no` is `nb`, `iw` is `he`, `in` is `id`, `tl` is `fil`). Of any text it makes some text:
 * one that names no language matches none.
 */
export function normaliseLocale(locale: string): string {
  const [first = '', ...rest] = locale.trim().split(/[_-]+/);
  const language = first.toLowerCase();
  const alias = Object.hasOwn(ALIASES, language) ? ALIASES[language]! : language;
  const [base = '', script] = alias.split('-');
  const subtags = rest.filter((subtag) => subtag !== '').map(inCase);
  if (script !== undefined && !isScript(subtags[0])) subtags.unshift(script);
  return [base, ...subtags].join('-');
}

/**
 * The locales to look for, best first: language with script and region, with script, with region, the language,
 * and `en` (contract §2).
 */
export function localesTried(locale: string): string[] {
  const [language = '', ...rest] = normaliseLocale(locale).split('-');
  const region = rest.find((subtag) => /^(?:[A-Z]{2}|[0-9]{3})$/.test(subtag));
  const script = isScript(rest[0]) ? rest[0] : SCRIPTS[`${language}-${region}`];
  const wanted = [
    script && region && `${language}-${script}-${region}`,
    script && `${language}-${script}`,
    region && `${language}-${region}`,
    language,
    'en',
  ];
  return [...new Set(wanted.filter((each) => each !== undefined && each !== ''))] as string[];
}

function isScript(subtag: string | undefined): boolean {
  return subtag !== undefined && /^[A-Z][a-z]{3}$/.test(subtag);
}

function inCase(subtag: string): string {
  if (subtag.length === 2) return subtag.toUpperCase();
  if (subtag.length === 4) return subtag.charAt(0).toUpperCase() + subtag.slice(1).toLowerCase();
  return subtag.toLowerCase();
}
