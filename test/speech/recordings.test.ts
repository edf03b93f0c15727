import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemEnvironment } from '#environment.js';
import type { Piece } from '#speech/clip.js';
import { LOUDNESS, loudnessOf, RATE } from '#speech/condition.js';
import { openSpeech, SpeechError } from '#speech/prompts.js';
import { readRecordings } from '#speech/recordings.js';
import { writeWav } from '#speech/wav.js';
import { folderOf, levelOf, tone, toneFile } from './tones.js';

async function speechWith(files: Record<string, Uint8Array | string>) {
  const recordings = await folderOf(files);
  return openSpeech({
    settings: { recordings, command: null, commandSeconds: 20 },
    directory: join(recordings, 'unused'),
    environment: systemEnvironment,
  });
}

/** The frequency of a recording, of those that the tests use. */
function toneOf(piece: Piece | undefined): number | null {
  if (!piece || 'silence' in piece) return null;
  const { samples } = piece;
  return [500, 700, 900, 1100].find((hertz) => levelOf(hertz, samples, RATE) > 2000) ?? null;
}

describe('recordings', () => {
  it('override the prompts of their locale, and no other', async () => {
    const speech = await speechWith({ 'es/goodbye.wav': toneFile(500), 'es/7.wav': toneFile(700, 44_100) });
    expect(toneOf(speech.goodbye('es')[0])).toBe(500);
    expect(toneOf(speech.goodbye('es-MX')[0])).toBe(500);
    expect(toneOf(speech.code('es', '17')[4])).toBe(700);
    expect(toneOf(speech.code('es', '17')[2])).toBeNull();
    expect(toneOf(speech.goodbye('en')[0])).toBeNull();
    expect(speech.source('es', '7')).toEqual({ kind: 'recording', locale: 'es' });
    expect(speech.source('es', '8')).toEqual({ kind: 'shipped', locale: 'es' });
  });

  it('of a region come before those of the language, which fill the gaps', async () => {
    const speech = await speechWith({
      'es_mx/goodbye.wav': toneFile(500),
      'es/goodbye.wav': toneFile(700),
      'es/again.wav': toneFile(900),
    });
    expect(toneOf(speech.goodbye('es-MX')[0])).toBe(500);
    expect(toneOf(speech.goodbye('es-AR')[0])).toBe(700);
    expect(toneOf(speech.code('es-MX', '1', true)[0])).toBe(900);
  });

  it('give a voice to a locale that has none', async () => {
    const speech = await speechWith({ 'km/goodbye.wav': toneFile(500), 'xx/goodbye.wav': toneFile(700) });
    expect(toneOf(speech.goodbye('km')[0])).toBe(500);
    expect(toneOf(speech.goodbye('xx')[0])).toBe(700);
    expect(toneOf(speech.goodbye('en')[0])).toBeNull();
  });

  it('of one script serve the other that sounds the same', async () => {
    const speech = await speechWith({ 'zh/goodbye.wav': toneFile(500) });
    expect(toneOf(speech.goodbye('zh-TW')[0])).toBe(500);
  });

  it('sound as loud as the prompts that come with the program, whatever their rate, bits and channels', async () => {
    const quiet = writeWav(
      Int16Array.from(tone(500, 48_000, { level: 0.01 }), (sample) => Math.round(sample * 32_767)),
      48_000,
    );
    const speech = await speechWith({ 'en/goodbye.wav': quiet });
    const [clip] = speech.goodbye('en');
    if (!clip || 'silence' in clip) throw new Error('expected a clip');
    expect(loudnessOf(Float64Array.from(clip.samples, (sample) => sample / 32_767))).toBeCloseTo(LOUDNESS, 0);
    expect(clip.duration).toBeGreaterThan(950);
    expect(clip.duration).toBeLessThan(1050);
  });

  it('of brand names are spoken in every locale, those of a locale first, however the name is written', async () => {
    const speech = await speechWith({
      'brands/Acme.wav': toneFile(500),
      'brands/H&M Söhne.wav': toneFile(900),
      'es/brands/acme.wav': toneFile(700),
    });
    const brandIn = (locale: string, brand: string) => toneOf(speech.greeting(locale, brand)[2]);
    expect(brandIn('en', 'ACME')).toBe(500);
    expect(brandIn('es-MX', 'Acme')).toBe(700);
    expect(brandIn('de', 'h&m  söhne')).toBe(900);
    expect(brandIn('de', 'H M Söhne')).toBeNull();
    expect(await speech.prepare('en', 'Acme')).toBe(true);
    expect(await speech.prepare('en', 'Other')).toBe(false);
    for (const path of ['../brands/acme', '/etc/passwd', '', '.', '..', '__proto__']) {
      expect(speech.greeting('en', path)).toHaveLength(2);
    }
  });

  it('of brand names are spoken in a call that confirms by key too', async () => {
    const speech = await speechWith({
      'brands/Acme.wav': toneFile(500),
      'es/confirm-greeting-brand.wav': toneFile(700),
    });
    expect(speech.confirmGreeting('es', 'Acme').map(toneOf)).toEqual([700, null, 500, null]);
    expect(toneOf(speech.confirmGreeting('de', 'Acme')[2])).toBe(500);
    expect(speech.confirmGreeting('es', 'Other')).toHaveLength(2);
  });

  it('may be links, folders of locales too', async () => {
    const elsewhere = await folderOf({ 'spanish/goodbye.wav': toneFile(500), 'a.wav': toneFile(700) });
    const folder = await folderOf({ 'en/goodbye.wav': toneFile(900) });
    await symlink(join(elsewhere, 'spanish'), join(folder, 'es'));
    await symlink(join(elsewhere, 'a.wav'), join(folder, 'en', '7.wav'));
    const { clips } = await readRecordings(folder);
    expect([...clips.get('es')!.keys()]).toEqual(['goodbye']);
    expect([...clips.get('en')!.keys()]).toEqual(['7', 'goodbye']);
    await symlink(join(elsewhere, 'nothing'), join(folder, 'fr'));
    await expect(readRecordings(folder)).rejects.toThrow('cannot be read (ENOENT)');
  });

  it('are looked for among files that are none', async () => {
    const speech = await speechWith({
      'README.md': 'x',
      '.git/x.wav': 'x',
      'es/notes.txt': 'x',
      'es/.x.wav': 'x',
    });
    expect([...speech.recordings.clips.keys()]).toEqual(['es']);
  });

  it.each([
    ['es/hello.wav', toneFile(500), 'no prompt has this name; the nearest is'],
    ['es/goodby.wav', toneFile(500), 'the nearest is goodbye.wav'],
    ['es/10.wav', toneFile(500), 'no prompt has this name'],
    ['goodbye.wav', toneFile(500), 'expected recordings in a folder per locale'],
    ['spanish/1.wav', toneFile(500), 'expected the name of a locale such as es'],
    ['es/1.wav', 'not sound', 'is not a WAV file'],
    ['es/1.wav', writeWav(new Int16Array(8000), 8000), 'is silent'],
    ['es/1.wav', toneFile(500, 8000, 31), 'is longer than 30 seconds'],
    ['es/1.wav', new Uint8Array(9_000_001), 'is larger than 9000000 bytes'],
  ])('%s that cannot be used is named', async (name, content, why) => {
    const folder = await folderOf({ [name]: content });
    const error = await readRecordings(folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SpeechError);
    expect((error as Error).message).toContain(join(folder, name.startsWith('spanish') ? 'spanish' : name));
    expect((error as Error).message).toContain(why);
  });

  it('that are there twice are named', async () => {
    const twice = await folderOf({ 'pt-BR/1.wav': toneFile(500), 'pt_br/1.wav': toneFile(500) });
    await expect(readRecordings(twice)).rejects.toThrow('there is another folder for pt-BR');
    const brands = await folderOf({ 'brands/Acme.wav': toneFile(500), 'brands/ACME.wav': toneFile(500) });
    await expect(readRecordings(brands)).rejects.toThrow('there is another recording of this brand name');
  });

  it('in a folder that is not there, or that is no file, are errors', async () => {
    await expect(readRecordings('/nonexistent/prompts')).rejects.toThrow(
      '/nonexistent/prompts: cannot be read (ENOENT)',
    );
    const folder = await folderOf({ 'es/2.wav': toneFile(500) });
    await mkdir(join(folder, 'real'));
    await symlink(join(folder, 'real'), join(folder, 'es/1.wav'));
    await expect(readRecordings(folder)).rejects.toThrow(/1\.wav: (is no file|cannot be read)/);
  });
});
