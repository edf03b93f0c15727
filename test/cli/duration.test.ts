import { expect, test } from 'vitest';
import { parseDuration } from '#cli/duration.js';

test.each([
  ['0', 0],
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['24h', 86_400],
  ['7d', 604_800],
])('%s is %i seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', '-1', '1.5h', '1w', 'h', '1 h', '9999999999'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});
