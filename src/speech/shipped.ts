import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clip, createClip } from './clip.js';
import { type ClipName, readPack } from './pack.js';

/** Locales whose clips are kept in memory: at most 2 MB each, with both forms of G.711. */
const KEPT = 12;

/** The clips of a locale that has prompts of its own (`spokenAs`). */
export type ShippedPrompts = (locale: string) => ReadonlyMap<ClipName, Clip>;

/**
 * The prompts that come with the program, read when a locale is first spoken; of those spoken longest ago memory is
 * given back.
 */
export function createShippedPrompts(directory = join(import.meta.dirname, 'prompts')): ShippedPrompts {
  const kept = new Map<string, ReadonlyMap<ClipName, Clip>>();
  return (locale) => {
    const clips = kept.get(locale) ?? readClips(join(directory, `${locale}.pack`));
    // A map remembers the order of insertion: the oldest is first.
    kept.delete(locale);
    kept.set(locale, clips);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    return clips;
  };
}

function readClips(path: string): ReadonlyMap<ClipName, Clip> {
  const pack = readPack(readFileSync(path));
  return new Map([...pack].map(([name, samples]) => [name, createClip(samples)]));
}
