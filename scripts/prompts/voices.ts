/**
 * The synthesizer's voice for a locale where it has another name than the locale. Galician, Filipino and Mongolian
 * have no voice: those of the languages that sound nearest read them (Spanish, Indonesian, Kazakh), with spellings
 * that they read right. Lao is read by the Thai voice, sound by sound.
 */
const VOICES: Readonly<Record<string, string>> = {
  en: 'en-us',
  fil: 'id',
  fr: 'fr-fr',
  gl: 'es',
  lo: 'th',
  mn: 'kk',
  'pt-BR': 'pt-br',
  zh: 'cmn',
};

export function voiceOf(locale: string): string {
  return VOICES[locale] ?? locale;
}
