import { expect, test } from 'vitest';
import { sections } from './document.js';
import { WITHOUT_TEST } from './without-test.js';

/** A test whose name quotes what it proves: a distinctive part of each sentence, which stands in one only. */
export type Proves = (quotes: string | readonly string[], body: () => Promise<void> | void) => void;

/**
 * The tests of one section of docs/contract.md. Adds the test that there is one for every sentence of the section, and
 * that every quote is still in it.
 */
export function section(number: number): Proves {
  const quoted: string[] = [];
  test(`every sentence of §${number} has a test`, () => {
    const found = sections().get(number) ?? [];
    expect(gaps(found, quoted, Object.keys(WITHOUT_TEST[number] ?? {}))).toEqual([]);
  });
  return (quotes, body) => {
    const all = [quotes].flat();
    quoted.push(...all);
    test(all.join(' … '), body);
  };
}

/**
 * What is wrong with the tests of a section.
 * @param quoted what tests prove
 * @param excepted quotes of sentences that state nothing to be proven
 */
export function gaps(
  sentences: readonly string[],
  quoted: readonly string[],
  excepted: readonly string[],
): string[] {
  const proven = new Set<string>();
  const wrong: string[] = [];
  for (const quote of [...quoted, ...excepted]) {
    const [sentence, ...others] = sentences.filter((each) => each.includes(quote));
    if (sentence === undefined) wrong.push(`no sentence has "${quote}" any more: adapt its test`);
    else if (others.length > 0) wrong.push(`several sentences have "${quote}": quote more`);
    else if (excepted.includes(quote) && proven.has(sentence)) {
      wrong.push(`"${quote}" has a test: take it off the list in without-test.ts`);
    } else proven.add(sentence);
  }
  const unproven = sentences.filter((sentence) => !proven.has(sentence));
  return [...wrong, ...unproven.map((sentence) => `no test proves "${sentence}"`)];
}
