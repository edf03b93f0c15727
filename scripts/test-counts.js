// Prints `N passed, N failed` from the report of vitest's JSON reporter. A file that failed before any of its
// tests ran counts as one failure; a missing or unreadable report is an error.
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (!path) throw new Error('usage: node scripts/test-counts.js REPORT');
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'));
const brokenFiles = testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
);
console.log(`${numPassedTests} passed, ${numFailedTests + brokenFiles.length} failed`);
