import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../repository/markdown.js';
import { sections } from './document.js';
import { gaps } from './section.js';
import { WITHOUT_TEST } from './without-test.js';

describe('the tests of the contract', () => {
  const folder = join(ROOT, 'test/contract');

  it('have one file for each section, which checks its sentences', () => {
    const files = readdirSync(folder).filter((name) => /^section-.+\.test\.ts$/.test(name));
    const numbers = files.map((name) => {
      const [, number] = /\bsection\((\d+)\)/.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
      expect(name).toMatch(new RegExp(`^section-${number}-`));
      return Number(number);
    });
    expect(numbers.sort((a, b) => a - b)).toEqual([...sections().keys()]);
  });

  it('leave out only what a list gives the reason for', () => {
    for (const [number, exceptions] of Object.entries(WITHOUT_TEST)) {
      expect([...sections().keys()]).toContain(Number(number));
      for (const reason of Object.values(exceptions)) expect(reason).toMatch(/.{10}/);
    }
  });
});

describe('the contract is split', () => {
  const page = `# Title

Base path: \`/v1/\`. Never
redirect.

## 1. Ids and keys

- Ids have **20 characters.** Not 21; not 19.
- Codes are e.g. four digits:
  - or \`a; b\`. (Or five.)

## 2. Create: \`POST …/\` → 202

| field | type |
| --- | --- |
| \`a\` | string | | one \\| two |
| \`b\` | integer; never null |

1. **Node**: sends nothing
`;
  it('by sections, whose headings count where they show a call', () => {
    expect([...sections(page).keys()]).toEqual([0, 1, 2]);
    expect(sections(page).get(0)).toEqual(['Base path: /v1/.', 'Never redirect.']);
    expect(sections(page).get(2)![0]).toBe('Create: POST …/ → 202');
  });

  it('by sentences, semicolons, and items of lists, but not within code', () => {
    expect(sections(page).get(1)).toEqual([
      'Ids have 20 characters.',
      'Not 21;',
      'not 19.',
      'Codes are e.g. four digits:',
      'or a; b.',
      '(Or five.)',
    ]);
  });

  it('by rows of tables, without their heads', () => {
    expect(sections(page).get(2)!.slice(1)).toEqual([
      'a | string | one \\| two',
      'b | integer;',
      'never null',
      'Node: sends nothing',
    ]);
  });
});

describe('the check of a section', () => {
  const sentences = ['Never redirect.', 'Never 408.', 'History.'];

  it('is content when each sentence is quoted by a test, or excepted', () => {
    expect(gaps(sentences, ['Never redirect', '408'], ['History'])).toEqual([]);
  });

  it.each([
    ['a sentence that no test quotes', ['Never redirect'], ['History'], 'no test proves "Never 408."'],
    ['a quote that is gone', ['Never redirect', '408', '409'], ['History'], 'no sentence has "409"'],
    ['an exception that is gone', ['Never redirect', '408'], ['Hist', 'Old'], 'no sentence has "Old"'],
    ['a quote of two sentences', ['Never', '408', 'redirect'], ['History'], 'several sentences have "Never"'],
    ['an exception with a test', ['redirect', '408', 'History'], ['History'], '"History" has a test'],
  ])('finds %s', (_, quoted, excepted, found) => {
    expect(gaps(sentences, quoted, excepted)).toEqual([expect.stringContaining(found)]);
  });
});
