import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** What the script prints of a report of vitest's JSON reporter. */
function counted(report: object): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-counts-'));
  try {
    writeFileSync(join(directory, 'report.json'), JSON.stringify(report));
    return execFileSync(process.execPath, ['scripts/test-counts.js', join(directory, 'report.json')], {
      encoding: 'utf8',
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const file = (...statuses: string[]) => ({
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status) => ({ status })),
});

it('the last line of a run counts the tests that passed and failed', () => {
  const testResults = [file('passed', 'passed'), file('passed', 'failed')];
  expect(counted({ numPassedTests: 3, numFailedTests: 1, testResults })).toBe('3 passed, 1 failed\n');
});

it('a file that broke before its tests ran counts as a failure', () => {
  const testResults = [file('passed'), { status: 'failed', assertionResults: [] }];
  expect(counted({ numPassedTests: 1, numFailedTests: 0, testResults })).toBe('1 passed, 1 failed\n');
});
