/**
 * Locales that are spoken with the prompts of another: those that differ in writing only, and those for whose
 * language the synthesizer has no voice that a person would understand. Those hear English until an operator's
 * recordings are there.
 */
const SPOKEN_AS: Readonly<Record<string, string>> = {
  km: 'en',
  my: 'en',
  'sr-Latn': 'sr',
  'zh-Hant': 'zh',
};

/** The locale whose prompts a locale of `PHRASES` is spoken with. */
export function spokenAs(locale: string): string {
  return Object.hasOwn(SPOKEN_AS, locale) ? SPOKEN_AS[locale]! : locale;
}
