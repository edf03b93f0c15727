import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The pages of this repository, as paths from its root. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
    ...docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ].sort();
}

export function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The code blocks of a page that are marked for running: fenced as this language and `test`, or another mark. */
export function examples(page: string, language: string, mark = 'test'): string[] {
  const fence = new RegExp(`^\`\`\`${language} ${mark}\\n(.*?)^\`\`\`$`, 'gms');
  return [...read(page).matchAll(fence)].map((match) => match[1]!);
}

/** A page without its code, in which a `#` or a bracket means something else. */
export function prose(page: string): string {
  return read(page)
    .replace(/^```.*?^```$/gms, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()#]/g, ' '));
}

/** The anchors that a page's headings have on GitHub. */
export function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
