import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { normaliseLocale } from '../verify/messages/locales.js';
import { brandKey } from './brand-text.js';
import { type Clip, createClip } from './clip.js';
import { condition, RATE } from './condition.js';
import { SpeechError } from './error.js';
import { CLIP_NAMES, type ClipName } from './pack.js';
import { readWav, WavError } from './wav.js';

/** The longest recording, in seconds, and the largest file: as much as that at 48 kHz, 24 bits, stereo. */
export const MAX_SECONDS = 30;
export const MAX_FILE_BYTES = 9_000_000;
/** All recordings together, in seconds: 29 MB of memory, as many again for each form of G.711 that is used. */
const MAX_TOTAL_SECONDS = 1_800;
const MAX_FILES = 5_000;
const BRANDS = 'brands';
const LOCALE = /^[a-z]{2,3}(?:[_-][a-z0-9]{2,8}){0,3}$/i;

/** An operator's own recordings, ready to be played. */
export interface Recordings {
  /** By locale as BCP 47 writes it. */
  readonly clips: ReadonlyMap<string, ReadonlyMap<ClipName, Clip>>;
  /** Brand names by `brandKey`, for every locale under the empty one. */
  readonly brands: ReadonlyMap<string, ReadonlyMap<string, Clip>>;
}

export const NO_RECORDINGS: Recordings = { clips: new Map(), brands: new Map() };

/**
 * Reads a folder of recordings: a folder per locale with `0.wav` to `9.wav` and the prompts by name, and `brands/`
 * with brand names, at the top or within a locale. Other files than `.wav` and hidden ones are left alone.
 * @throws SpeechError naming the first file that cannot be used
 */
export async function readRecordings(folder: string): Promise<Recordings> {
  const clips = new Map<string, Map<ClipName, Clip>>();
  const brands = new Map<string, Map<string, Clip>>();
  const budget: Budget = { files: MAX_FILES, samples: MAX_TOTAL_SECONDS * RATE };
  for (const { name, isFolder } of await entriesOf(folder)) {
    const path = join(folder, name);
    if (!isFolder) {
      if (name.endsWith('.wav')) throw new SpeechError(`${path}: expected recordings in a folder per locale`);
      continue;
    }
    if (name === BRANDS) {
      brands.set('', await readBrands(path, budget));
      continue;
    }
    if (!LOCALE.test(name))
      throw new SpeechError(`${path}: expected the name of a locale such as es or pt-BR`);
    const locale = normaliseLocale(name);
    if (clips.has(locale)) throw new SpeechError(`${path}: there is another folder for ${locale}`);
    clips.set(locale, await readLocale(path, budget));
    const inside = (await entriesOf(path)).some((entry) => entry.isFolder && entry.name === BRANDS);
    if (inside) brands.set(locale, await readBrands(join(path, BRANDS), budget));
  }
  return { clips, brands };
}

/** What may still be read. */
interface Budget {
  files: number;
  samples: number;
}

async function readLocale(folder: string, budget: Budget): Promise<Map<ClipName, Clip>> {
  const clips = new Map<ClipName, Clip>();
  for (const { path, stem } of await wavFiles(folder)) {
    const name = CLIP_NAMES.find((each) => each === stem);
    if (!name) {
      throw new SpeechError(
        `${path}: no prompt has this name; the nearest is ${closest(stem, [...CLIP_NAMES])}.wav, and countersign prompts list --locale en shows all`,
      );
    }
    clips.set(name, await readRecording(path, budget));
  }
  return clips;
}

async function readBrands(folder: string, budget: Budget): Promise<Map<string, Clip>> {
  const clips = new Map<string, Clip>();
  for (const { path, stem } of await wavFiles(folder)) {
    const key = brandKey(stem);
    if (clips.has(key)) throw new SpeechError(`${path}: there is another recording of this brand name`);
    clips.set(key, await readRecording(path, budget));
  }
  return clips;
}

async function wavFiles(folder: string): Promise<{ path: string; stem: string }[]> {
  const entries = await entriesOf(folder);
  return entries
    .filter(({ name }) => name.toLowerCase().endsWith('.wav'))
    .map(({ name }) => ({ path: join(folder, name), stem: name.slice(0, -4) }));
}

async function readRecording(path: string, budget: Budget): Promise<Clip> {
  if (--budget.files < 0) throw new SpeechError(`${path}: expected at most ${MAX_FILES} recordings`);
  const samples = await readSpeech(path);
  budget.samples -= samples.length;
  if (budget.samples < 0) {
    throw new SpeechError(`${path}: expected at most ${MAX_TOTAL_SECONDS} seconds of recordings in all`);
  }
  return createClip(samples);
}

/**
 * Reads one WAV file, and makes it sound like every other prompt.
 * @param name what errors call it
 * @throws SpeechError naming the file
 */
export async function readSpeech(path: string, name = path): Promise<Int16Array> {
  const bytes = await readBounded(path, name);
  try {
    const samples = condition(readWav(bytes, MAX_SECONDS));
    if (samples) return samples;
  } catch (error) {
    if (error instanceof WavError) throw new SpeechError(`${name}: ${error.message}`);
    throw error;
  }
  throw new SpeechError(`${name}: is silent`);
}

async function readBounded(path: string, name: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new SpeechError(`${name}: is no file`);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(found.size, MAX_FILE_BYTES) + 1));
      if (bytesRead > MAX_FILE_BYTES)
        throw new SpeechError(`${name}: is larger than ${MAX_FILE_BYTES} bytes`);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}

async function entriesOf(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const shown = entries.filter(({ name }) => !name.startsWith('.'));
    const known = shown.map(async (entry) => {
      // A link counts as what it leads to: mounted configuration consists of links.
      const of = entry.isSymbolicLink() ? await stat(join(folder, entry.name)) : entry;
      return { name: entry.name, isFolder: of.isDirectory() };
    });
    return (await Promise.all(known)).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? new SpeechError(`${path}: cannot be read (${code})`) : error;
}
