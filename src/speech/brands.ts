import { createHash } from 'node:crypto';
import { readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.js';
import type { Log } from '../telemetry/log.js';
import { brandKey, speakable } from './brand-text.js';
import { type Clip, createClip } from './clip.js';
import { RATE } from './condition.js';
import { SpeechError } from './error.js';
import { type Recordings, readSpeech } from './recordings.js';
import { speakOnce } from './speak-once.js';
import { writeWav } from './wav.js';

/** Spoken names that are kept in memory; some 30 kB each. */
const KEPT = 200;
/** Programs that run at a time, and names that wait for one; beyond, a greeting does without. */
const CONCURRENT = 2;
const WAITING = 100;
/** Spoken names that are kept on disk; some 16 kB each. */
const MAX_FILES = 2_000;
/** How long a name that could not be rendered is left alone, in milliseconds, and how many such are remembered. */
const RETRY_AFTER = 600_000;
const REMEMBERED = 1_000;

export interface BrandsOptions {
  readonly recordings: Recordings;
  readonly command: readonly string[] | null;
  /** Milliseconds that the command may take. */
  readonly timeout: number;
  /** Where what it rendered is kept; made when first needed. */
  readonly directory: string;
  readonly environment: Environment;
  readonly log?: Log;
}

/**
 * Spoken brand names: recordings, else what the command rendered. Brands come with requests, so everything that one
 * could make grow is bounded.
 */
export class Brands {
  readonly #options: BrandsOptions;
  readonly #kept = new Map<string, Clip>();
  readonly #pending = new Map<string, Promise<Clip | null>>();
  readonly #failed = new Map<string, number>();
  readonly #turns: (() => void)[] = [];
  readonly #stop = new AbortController();
  #running = 0;

  constructor(options: BrandsOptions) {
    this.#options = options;
  }

  /** A brand name if it can be spoken right now. */
  get(locale: string, brand: string): Clip | null {
    const { recordings } = this.#options;
    const name = brandKey(brand);
    const recorded = recordings.brands.get(locale)?.get(name) ?? recordings.brands.get('')?.get(name);
    if (recorded) return recorded;
    const key = this.#key(locale, brand);
    return (key !== null && this.#kept.get(key)) || null;
  }

  /** Sees to it that a brand name can be spoken. Null when it cannot: why is in the log. */
  async prepare(locale: string, brand: string): Promise<Clip | null> {
    const ready = this.get(locale, brand);
    const key = this.#key(locale, brand);
    if (ready) {
      // Used now: the last to be forgotten.
      if (key !== null && this.#kept.delete(key)) this.#kept.set(key, ready);
      return ready;
    }
    if (key === null || this.#stop.signal.aborted) return null;
    const { environment } = this.#options;
    if ((this.#failed.get(key) ?? 0) > environment.monotonic()) return null;
    const pending = this.#pending.get(key);
    if (pending) return pending;
    if (this.#pending.size >= CONCURRENT + WAITING) return null;
    const work = this.#fetch(key, locale, speakable(brand)!).finally(() => this.#pending.delete(key));
    this.#pending.set(key, work);
    return work;
  }

  /** Ends running programs. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#pending.values());
  }

  /** Name of the file that keeps it: all that the sound depends on. Null when no command can speak it. */
  #key(locale: string, brand: string): string | null {
    const { command } = this.#options;
    const text = speakable(brand);
    if (command === null || text === null) return null;
    return createHash('sha256')
      .update(JSON.stringify([command, locale, text]))
      .digest('hex');
  }

  async #fetch(key: string, locale: string, text: string): Promise<Clip | null> {
    const { directory, environment, log } = this.#options;
    await this.#turn();
    try {
      const path = join(directory, `${key}.wav`);
      const samples = (await this.#earlier(path)) ?? (await this.#render(path, locale, text));
      const clip = createClip(samples);
      this.#kept.set(key, clip);
      if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
      return clip;
    } catch (error) {
      this.#failed.set(key, environment.monotonic() + RETRY_AFTER);
      if (this.#failed.size > REMEMBERED) this.#failed.delete(this.#failed.keys().next().value!);
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#stop.signal.aborted) log?.warn({ locale, why }, 'a brand name cannot be spoken');
      return null;
    } finally {
      this.#running--;
      this.#turns.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= CONCURRENT) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#running++;
  }

  /** What an earlier run left; null when there is none, or it is damaged. */
  async #earlier(path: string): Promise<Int16Array | null> {
    try {
      const samples = await readSpeech(path);
      const now = new Date(this.#options.environment.now());
      await utimes(path, now, now);
      return samples;
    } catch {
      return null;
    }
  }

  async #render(path: string, locale: string, text: string): Promise<Int16Array> {
    const { command, directory, environment, timeout } = this.#options;
    const { signal } = this.#stop;
    if (signal.aborted) throw new SpeechError('speech.command: the server stops');
    const samples = await speakOnce({
      command: command!,
      text,
      locale,
      directory,
      timeout,
      environment,
      signal,
    });
    const kept = `${path}.new`;
    try {
      await writeFile(kept, writeWav(samples, RATE), { mode: 0o600 });
      await rename(kept, path);
    } catch (error) {
      await rm(kept, { force: true });
      throw error;
    }
    await this.#makeRoom();
    return samples;
  }

  /** Deletes what was used longest ago, a tenth at a time. */
  async #makeRoom(): Promise<void> {
    const { directory } = this.#options;
    const names = (await readdir(directory)).filter((name) => name.endsWith('.wav'));
    if (names.length <= MAX_FILES) return;
    const files = await Promise.all(
      names.map(async (name) => ({ name, used: (await stat(join(directory, name))).mtimeMs })),
    );
    files.sort((a, b) => a.used - b.used);
    for (const { name } of files.slice(0, names.length - MAX_FILES * 0.9)) {
      await rm(join(directory, name), { force: true });
    }
  }
}
