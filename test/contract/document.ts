import { read } from '../repository/markdown.js';

/** The sentences of each section of docs/contract.md, by its number; what stands before the first is section 0. */
export function sections(page = read('docs/contract.md')): ReadonlyMap<number, readonly string[]> {
  const parts = page.split(/^## (?=\d+\. )/m);
  return new Map(parts.map((part, index) => [index === 0 ? 0 : Number.parseInt(part, 10), sentences(part)]));
}

/**
 * Splits a section into what can be proven on its own: sentences, parts between semicolons, rows of tables, blocks of
 * code, and its heading where that shows a call. Without marks of emphasis and code, and with single spaces, so that
 * tests can quote it.
 */
function sentences(section: string): string[] {
  const [heading = '', ...lines] = section.split('\n');
  const text = lines
    .join('\n')
    .replace(/^\|.*\n\|[-| ]+\|$/gm, '') // The head of a table.
    .replace(/^\| (.+) \|$/gm, (_, row: string) => `\n${row.replace(/ \|(?: \|)* /g, ' | ')}\n`)
    .replace(/^```.*$/gm, '')
    .replace(/^ *(?:[-*]|\d+\.) /gm, '\n');
  return [...(heading.includes('→') ? [heading] : []), ...text.split(/\n{2,}/)]
    .flatMap((block) => glued(block.replace(/\s+/g, ' ')).split(/(?<=[.;]|\.\)|\.\*\*) (?=[^a-z])|(?<=;) /))
    .map((sentence) =>
      sentence
        .replace(/\u00a0/g, ' ')
        .replace(/\*\*|`/g, '')
        .trim(),
    )
    .filter((sentence) => /[a-z]/i.test(sentence));
}

/** Spaces within code split nothing. */
function glued(text: string): string {
  return text.replace(/`[^`]*`/g, (code) => code.replaceAll(' ', '\u00a0'));
}
