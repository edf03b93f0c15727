import type { Speaker, Voice } from './voices.js';

/** A piece of what is spoken: words, or milliseconds of silence. */
export type Words = string | { readonly pause: number };

/** One thing that a call does. */
export type Verb =
  | { readonly verb: 'say'; readonly words: readonly Words[] }
  /** Speaks and waits for one key, which is sent to `url`; without it the next verb follows. */
  | { readonly verb: 'ask'; readonly words: readonly Words[]; readonly url: string; readonly seconds: number }
  /** Asks at `url` what follows, if the call gets so far. */
  | { readonly verb: 'redirect'; readonly url: string }
  | { readonly verb: 'hang-up' };

/** What a call does next, before it is put into a provider's XML. */
export interface CallDocument {
  readonly voice: Voice;
  readonly verbs: readonly Verb[];
}

/** Pauses, in milliseconds. */
const PAUSE = {
  /** Before the first word: who lifts a phone to the ear misses what comes at once. */
  opening: 1_000,
  sentence: 600,
  digit: 500,
  /** In the middle of six digits and more, instead of that. */
  group: 900,
} as const;

/** Hello, with the brand's name where there is one. */
export function greeting({ phrases }: Speaker, brand: string): Words[] {
  const words = brand === '' ? phrases.greeting : `${phrases['greeting-brand']} ${brand}.`;
  return [{ pause: PAUSE.opening }, words, { pause: PAUSE.sentence }];
}

/** Hello of a call that speaks no code but is to be confirmed, with the brand's name where there is one. */
export function confirmGreeting({ phrases }: Speaker, brand: string): Words[] {
  const words = brand === '' ? phrases['confirm-greeting'] : `${phrases['confirm-greeting-brand']} ${brand}.`;
  return [{ pause: PAUSE.opening }, words, { pause: PAUSE.sentence }];
}

/** Asks for key 1, or for the call to be ended by who did not ask for it. */
export function confirm({ phrases }: Speaker): Words[] {
  const pause = { pause: PAUSE.sentence };
  return [phrases['press-1-to-confirm'], pause, phrases['not-requested'], pause];
}

/** Tells that the number is confirmed. */
export function confirmed({ phrases }: Speaker): Words[] {
  return [phrases.confirmed, { pause: PAUSE.sentence }];
}

/** Asks for the key. */
export function challenge({ phrases, digits }: Speaker, key: number): Words[] {
  return [`${phrases['press-for-code']} ${digits[key]}.`, { pause: PAUSE.sentence }];
}

/** The code, digit by digit, three times. */
export function code({ phrases, digits }: Speaker, text: string): Words[] {
  const middle = text.length >= 6 ? Math.ceil(text.length / 2) : 0;
  const spoken = [...text].flatMap((digit, index): Words[] => [
    { pause: index > 0 && index === middle ? PAUSE.group : PAUSE.digit },
    `${digits[Number(digit)]}.`,
  ]);
  return (['your-code-is', 'again', 'again'] as const).flatMap((phrase) => [
    phrases[phrase],
    ...spoken,
    { pause: PAUSE.sentence },
  ]);
}

export function repeatHint({ phrases }: Speaker): Words[] {
  return [phrases['press-1-to-repeat']];
}

export function goodbye({ phrases }: Speaker): Words[] {
  return [phrases.goodbye];
}
