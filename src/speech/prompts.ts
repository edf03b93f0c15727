import type { Environment } from '../environment.js';
import type { Log } from '../telemetry/log.js';
import { localesTried } from '../verify/messages/locales.js';
import { Brands } from './brands.js';
import type { Clip, Piece } from './clip.js';
import type { ClipName, Digit } from './pack.js';
import { PHRASES, type PromptName } from './phrases.js';
import { NO_RECORDINGS, type Recordings, readRecordings } from './recordings.js';
import { createShippedPrompts, type ShippedPrompts } from './shipped.js';
import { spokenAs } from './spoken-as.js';

export type { Clip, Piece } from './clip.js';
export { SpeechError } from './error.js';
export type { ClipName, Digit } from './pack.js';

/** `speech:` of `countersign.yaml`. */
export interface SpeechSettings {
  /** Absolute path of the folder of recordings; null: none. */
  readonly recordings: string | null;
  /** A program that speaks brand names, and its arguments; null: none. */
  readonly command: readonly string[] | null;
  /** Seconds that it may take. */
  readonly commandSeconds: number;
}

export interface SpeechOptions {
  readonly settings: SpeechSettings;
  /** Where spoken brand names are kept; made when first needed. */
  readonly directory: string;
  readonly environment: Environment;
  readonly log?: Log;
}

/** Where a clip comes from. */
export type ClipSource = { readonly kind: 'recording' | 'shipped'; readonly locale: string };

/**
 * What is said in a call, as pieces to be played one after the other; each list ends with a pause. A locale is
 * looked up as a message's is: by region, then by language, then it is English. Nothing is synthesised here, and
 * nothing waits: what is not in memory comes from a small file.
 */
export interface Speech {
  /** Hello, with the brand's name if that can be spoken right now: see `prepare`. Empty: no brand. */
  greeting(locale: string, brand: string): readonly Piece[];
  /** The same for a call that speaks no code but asks to confirm. */
  confirmGreeting(locale: string, brand: string): readonly Piece[];
  /** Asks for a key to be pressed before the code is spoken. */
  challenge(locale: string, key: Digit): readonly Piece[];
  /**
   * The code, digit by digit.
   * @param again whether it has been spoken before in this call
   * @throws RangeError when it holds anything but digits
   */
  code(locale: string, code: string, again?: boolean): readonly Piece[];
  /** Tells that key 1 repeats the code. */
  repeatHint(locale: string): readonly Piece[];
  /** Asks to press key 1 to confirm, and whoever did not ask for the call to hang up. */
  confirm(locale: string): readonly Piece[];
  /** Thanks for the key: the number is confirmed. */
  confirmed(locale: string): readonly Piece[];
  goodbye(locale: string): readonly Piece[];
  /**
   * Sees to it that a brand name can be spoken, which may take as long as the command does: to be called when a call
   * is accepted, well before it is answered. Never rejects; false when the greeting will have to do without.
   */
  prepare(locale: string, brand: string): Promise<boolean>;
  /** Where a clip of a locale comes from. */
  source(locale: string, name: ClipName): ClipSource;
  readonly recordings: Recordings;
  /** Ends what `prepare` began. */
  close(): Promise<void>;
}

/** Pauses, in milliseconds. */
const PAUSE = {
  /** After a sentence. */
  sentence: 400,
  /** Between words of one sentence that are clips of their own. */
  word: 150,
  digit: 450,
  /** In the middle of six digits and more, instead of that. */
  group: 800,
} as const;

/**
 * Reads the recordings and makes everything ready to speak.
 * @throws SpeechError naming the file that cannot be used
 */
export async function openSpeech(options: SpeechOptions): Promise<Speech> {
  const { settings, directory, environment, log } = options;
  const recordings = settings.recordings === null ? NO_RECORDINGS : await readRecordings(settings.recordings);
  const brands = new Brands({
    recordings,
    command: settings.command,
    timeout: settings.commandSeconds * 1000,
    directory,
    environment,
    log,
  });
  return createSpeech(recordings, createShippedPrompts(), brands);
}

function createSpeech(recordings: Recordings, shipped: ShippedPrompts, brands: Brands): Speech {
  const source = (locale: string, name: ClipName) =>
    sourcesOf(locale).find(
      ({ kind, locale: from }) => kind === 'shipped' || recordings.clips.get(from)?.has(name),
    )!;
  const clip = (locale: string, name: ClipName): Clip => {
    const { kind, locale: from } = source(locale, name);
    return (kind === 'recording' ? recordings.clips.get(from)! : shipped(from)).get(name)!;
  };
  const sentence = (locale: string, name: ClipName): Piece[] => [clip(locale, name), silence('sentence')];
  /**
   * The locale that speaks: its voice is the one that a brand's name must match. One for both greetings, so that what
   * `prepare` keeps serves either.
   */
  const speaker = (locale: string) => source(locale, 'greeting-brand').locale;
  const greet = (locale: string, brand: string, alone: PromptName, branded: PromptName): Piece[] => {
    const name = brand === '' ? null : brands.get(speaker(locale), brand);
    if (!name) return sentence(locale, alone);
    return [clip(locale, branded), silence('word'), name, silence('sentence')];
  };
  return {
    recordings,
    source,
    greeting: (locale, brand) => greet(locale, brand, 'greeting', 'greeting-brand'),
    confirmGreeting: (locale, brand) => greet(locale, brand, 'confirm-greeting', 'confirm-greeting-brand'),
    challenge: (locale, key) => [clip(locale, 'press-for-code'), silence('word'), ...sentence(locale, key)],
    code(locale, code, again = false) {
      if (!/^[0-9]+$/.test(code)) throw new RangeError('a spoken code has only digits');
      const middle = code.length >= 6 ? Math.ceil(code.length / 2) : 0;
      const digits = [...code].flatMap((digit, index) => [
        silence(index > 0 && index === middle ? 'group' : 'digit'),
        clip(locale, digit as Digit),
      ]);
      return [clip(locale, again ? 'again' : 'your-code-is'), ...digits, silence('sentence')];
    },
    repeatHint: (locale) => sentence(locale, 'press-1-to-repeat'),
    confirm: (locale) => [...sentence(locale, 'press-1-to-confirm'), ...sentence(locale, 'not-requested')],
    confirmed: (locale) => sentence(locale, 'confirmed'),
    goodbye: (locale) => sentence(locale, 'goodbye'),
    prepare: async (locale, brand) => brand !== '' && (await brands.prepare(speaker(locale), brand)) !== null,
    close: () => brands.close(),
  };
}

/** Where the clips of a locale may come from, best first. The last one has them all. */
function sourcesOf(locale: string): ClipSource[] {
  const sources: ClipSource[] = [];
  for (const tried of localesTried(locale)) {
    sources.push({ kind: 'recording', locale: tried });
    if (!Object.hasOwn(PHRASES, tried)) continue;
    const spoken = spokenAs(tried);
    if (spoken !== tried) sources.push({ kind: 'recording', locale: spoken });
    sources.push({ kind: 'shipped', locale: spoken });
    break;
  }
  return sources;
}

function silence(kind: keyof typeof PAUSE): Piece {
  return { silence: PAUSE[kind] };
}
