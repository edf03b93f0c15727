// Renders the prompts of every locale that is spoken into prompts/, one pack a locale. Takes some minutes.
// Usage: tsx scripts/render-prompts.ts [LOCALE...]; without locales all, and packs of no locale are removed.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLIP_NAMES, type ClipName, writePack } from '../src/speech/pack.js';
import { PHRASES } from '../src/speech/phrases.js';
import { spokenAs } from '../src/speech/spoken-as.js';
import { renderClip } from './prompts/render.js';

const directory = fileURLToPath(new URL('../prompts', import.meta.url));
const locales = Object.keys(PHRASES).filter((locale) => spokenAs(locale) === locale);
const wanted = process.argv.slice(2);
for (const locale of wanted) {
  if (!locales.includes(locale))
    throw new Error(`${locale} has no prompts of its own; known: ${locales.join(' ')}`);
}
mkdirSync(directory, { recursive: true });
if (wanted.length === 0) {
  const stale = readdirSync(directory).filter((file) => !locales.includes(file.replace(/\.pack$/, '')));
  for (const file of stale) rmSync(join(directory, file));
}
for (const locale of wanted.length > 0 ? wanted : locales) {
  const clips = new Map<ClipName, Int16Array>();
  for (const name of CLIP_NAMES) clips.set(name, await renderClip(locale, name));
  const pack = writePack(clips);
  writeFileSync(join(directory, `${locale}.pack`), pack);
  console.log(`${locale}: ${pack.length} bytes`);
}
