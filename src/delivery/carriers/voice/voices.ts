import { PHRASES, type Phrases } from '../../../speech/phrases.js';
import { spokenAs } from '../../../speech/spoken-as.js';
import { localesTried } from '../../../verify/messages/locales.js';

/** A provider's voice and the code of the language that it speaks. */
export interface Voice {
  readonly name: string;
  readonly language: string;
}

/** Voices by locale, as locales of messages are written. English is there. */
export type VoiceTable = Readonly<Record<string, Voice>>;

/** Voices of Amazon Polly that speak the languages of `PHRASES`, as both Twilio and Plivo name them. */
export const POLLY: VoiceTable = {
  cy: polly('Gwyneth', 'cy-GB'),
  da: polly('Naja', 'da-DK'),
  de: polly('Vicki', 'de-DE'),
  en: polly('Joanna', 'en-US'),
  'en-AU': polly('Nicole', 'en-AU'),
  'en-GB': polly('Amy', 'en-GB'),
  'en-IN': polly('Raveena', 'en-IN'),
  es: polly('Conchita', 'es-ES'),
  'es-US': polly('Penelope', 'es-US'),
  fr: polly('Celine', 'fr-FR'),
  'fr-CA': polly('Chantal', 'fr-CA'),
  hi: polly('Aditi', 'hi-IN'),
  is: polly('Dora', 'is-IS'),
  it: polly('Carla', 'it-IT'),
  ja: polly('Mizuki', 'ja-JP'),
  ko: polly('Seoyeon', 'ko-KR'),
  nb: polly('Liv', 'nb-NO'),
  nl: polly('Lotte', 'nl-NL'),
  pl: polly('Ewa', 'pl-PL'),
  pt: polly('Ines', 'pt-PT'),
  'pt-BR': polly('Vitoria', 'pt-BR'),
  ro: polly('Carmen', 'ro-RO'),
  ru: polly('Tatyana', 'ru-RU'),
  sv: polly('Astrid', 'sv-SE'),
  tr: polly('Filiz', 'tr-TR'),
};

export function polly(name: string, language: string): Voice {
  return { name: `Polly.${name}`, language };
}

/** Who speaks, and in which words. */
export interface Speaker {
  readonly voice: Voice;
  readonly phrases: Phrases;
  /** The digits 0 to 9 in words. */
  readonly digits: readonly string[];
}

/**
 * The best voice for a locale, and the words in its language: English words in an English voice where the provider has
 * none for the language, since a voice cannot read what it does not speak.
 */
export function speakerOf(locale: string, table: VoiceTable): Speaker {
  const tried = localesTried(locale);
  const speaks = tried.find((each) => Object.hasOwn(table, each)) ?? 'en';
  const written =
    tried.find((each) => Object.hasOwn(PHRASES, each) && languageOf(each) === languageOf(speaks)) ?? 'en';
  // A locale that only writes otherwise is read as the one that the voice was made for.
  const spoken = spokenAs(written);
  const phrases = PHRASES[languageOf(spoken) === languageOf(written) ? spoken : written]!;
  return { voice: table[speaks]!, phrases, digits: phrases.digits.split(' ') };
}

function languageOf(locale: string): string {
  return locale.split('-', 1)[0]!;
}
