import { closest } from 'fastest-levenshtein';
import { ConfigError } from './error.js';

/** Longer names are not compared: nobody mistypes so much, and the comparison is quadratic. */
const MAX_COMPARED = 100;

/** What to say of a name that is none of the known ones. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'none is known here';
  if (name.length > MAX_COMPARED) return `known are ${known.join(', ')}`;
  // Of a name that was cut short the distance is large, but what was meant is plain.
  const longer = name.length > 2 ? known.find((each) => each.startsWith(name)) : undefined;
  return `the nearest known is ${longer ?? closest(name, known)}`;
}

/** @throws ConfigError for the first key of `value` that is none of the known ones */
export function refuseUnknown(path: string, value: object, known: readonly string[], what = 'key'): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw new ConfigError(join(path, key), `unknown ${what}; ${didYouMean(key, known)}`);
  }
}

/** The path of a key below another; the empty path is the document. */
export function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}
