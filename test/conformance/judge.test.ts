import { describe, expect, it } from 'vitest';
import { judge, type LeftOut, STEPS, type Step } from './scenario.js';

const ALL = Object.keys(STEPS) as Step[];
/** Everything but two steps. */
const LEFT_OUT: LeftOut = Object.fromEntries(
  ALL.filter((step) => step !== 'create' && step !== 'list').map((step) => [step, 'not now']),
);

const line = (step: string, ok: boolean, detail = '') => `${JSON.stringify({ step, ok, detail })}\n`;
const good = line('create', true, 'two') + line('list', true);

function failures(printed: string, exitCode: number | null = 0): string[] {
  return judge(LEFT_OUT, printed, exitCode)
    .filter(({ result }) => result === 'failed')
    .map(({ step, detail }) => `${step}: ${detail}`);
}

describe('the judgement of a driver', () => {
  it('has every step, in the order of the scenario', () => {
    const judgements = judge(LEFT_OUT, good, 0);
    expect(judgements.map(({ step }) => step)).toEqual(ALL);
    expect(judgements[0]).toEqual({ step: 'create', result: 'passed', detail: 'two' });
    expect(judgements[1]).toEqual({ step: 'resend', result: 'left out', detail: 'not now' });
    expect(failures(good)).toEqual([]);
  });

  it.each([
    ['fails', line('create', true) + line('list', false, 'three'), 'list: three'],
    ['is not reported', line('create', true), 'list: reported 0 times'],
    ['is reported twice', good + line('list', true), 'list: reported 2 times'],
    ['was left out and is reported', good + line('resend', true), 'resend: reported 1 times'],
    ['is not in the scenario', good + line('dance', true), 'dance: the scenario has no such step'],
  ])('fails when a step %s', (_, printed, expected) => {
    expect(failures(printed)).toEqual([expected]);
  });

  it('fails when the driver prints anything else', () => {
    expect(failures(`${good}panic\n`)).toEqual(['driver: printed panic']);
    expect(failures(`${good}{"step": "list"}\n`)).toEqual(['driver: printed {"step": "list"}']);
  });

  it('fails when the driver fails', () => {
    expect(failures(good, 2)).toEqual(['driver: exited with 2']);
    expect(failures(good, null)).toEqual(['driver: exited with null']);
  });
});
