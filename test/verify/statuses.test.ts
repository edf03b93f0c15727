import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptStatus, Channel } from '#verify/model.js';
import { isFailure, isStatusOf, isSuccess, stepsTo } from '#verify/statuses.js';

const STATUSES: Record<Channel, AttemptStatus[]> = {
  sms: ['queued', 'sent', 'delivered', 'undelivered', 'failed'],
  voice: ['queued', 'ringing', 'in-progress', 'completed', 'busy', 'no-answer', 'failed'],
};
const channels = ['sms', 'voice'] as const;
const reports = fc
  .constantFrom(...channels)
  .chain((channel) =>
    fc.record({ channel: fc.constant(channel), statuses: fc.array(fc.constantFrom(...STATUSES[channel])) }),
  );

/** Every status that an attempt passes while a carrier reports these. */
function walk(channel: Channel, statuses: readonly AttemptStatus[]): AttemptStatus[] {
  const passed: AttemptStatus[] = ['queued'];
  for (const status of statuses) passed.push(...stepsTo(channel, passed.at(-1)!, status));
  return passed;
}

describe('the ladder of statuses', () => {
  it('knows exactly the statuses of the contract per channel', () => {
    const all = new Set([...STATUSES.sms, ...STATUSES.voice, 'toString', '__proto__', '', 'Delivered']);
    for (const channel of channels) {
      const known = [...all].filter((status) => isStatusOf(channel, status));
      expect(known.sort()).toEqual([...STATUSES[channel]].sort());
    }
  });

  it.each([
    ['sms', 'queued', 'sent', ['sent']],
    ['sms', 'queued', 'delivered', ['sent', 'delivered']],
    ['sms', 'queued', 'undelivered', ['sent', 'undelivered']],
    ['sms', 'queued', 'failed', ['failed']],
    ['sms', 'sent', 'failed', ['failed']],
    ['sms', 'sent', 'queued', []],
    ['sms', 'undelivered', 'delivered', ['delivered']],
    ['sms', 'failed', 'delivered', ['delivered']],
    ['sms', 'failed', 'sent', []],
    ['sms', 'delivered', 'undelivered', []],
    ['voice', 'queued', 'completed', ['ringing', 'in-progress', 'completed']],
    ['voice', 'queued', 'in-progress', ['ringing', 'in-progress']],
    ['voice', 'queued', 'no-answer', ['ringing', 'no-answer']],
    ['voice', 'queued', 'busy', ['busy']],
    ['voice', 'ringing', 'busy', ['busy']],
    ['voice', 'in-progress', 'ringing', []],
    ['voice', 'busy', 'completed', ['completed']],
    ['voice', 'completed', 'failed', []],
  ] as [Channel, AttemptStatus, AttemptStatus, AttemptStatus[]][])(
    '%s: from %s to %s passes %j',
    (channel, from, to, steps) => {
      expect(stepsTo(channel, from, to)).toEqual(steps);
    },
  );

  it('never shows a status twice, whatever a carrier reports', () => {
    fc.assert(
      fc.property(reports, ({ channel, statuses }) => {
        const passed = walk(channel, statuses);
        expect(new Set(passed).size).toBe(passed.length);
      }),
    );
  });

  it('ends at success whenever any report says so, and never leaves it', () => {
    fc.assert(
      fc.property(reports, ({ channel, statuses }) => {
        const passed = walk(channel, statuses);
        expect(isSuccess(passed.at(-1)!)).toBe(statuses.some(isSuccess));
        expect(passed.slice(0, -1).some(isSuccess)).toBe(false);
      }),
    );
  });

  it('never goes from a failure to anything but success', () => {
    fc.assert(
      fc.property(reports, ({ channel, statuses }) => {
        const passed = walk(channel, statuses);
        const failure = passed.findIndex(isFailure);
        if (failure >= 0) expect(passed.slice(failure + 1).every(isSuccess)).toBe(true);
      }),
    );
  });

  it('fills in every step before delivered and completed, unless a failure came first', () => {
    fc.assert(
      fc.property(reports, ({ channel, statuses }) => {
        const passed = walk(channel, statuses);
        if (!isSuccess(passed.at(-1)!) || passed.some(isFailure)) return;
        expect(passed).toEqual(
          channel === 'sms'
            ? ['queued', 'sent', 'delivered']
            : ['queued', 'ringing', 'in-progress', 'completed'],
        );
      }),
    );
  });

  it('calls each final status either success or failure', () => {
    const ends = (status: AttemptStatus) => [isSuccess(status), isFailure(status)];
    for (const status of ['delivered', 'completed'] as const) expect(ends(status)).toEqual([true, false]);
    for (const status of ['undelivered', 'failed', 'busy', 'no-answer'] as const) {
      expect(ends(status)).toEqual([false, true]);
    }
    for (const status of ['queued', 'sent', 'ringing', 'in-progress'] as const) {
      expect(ends(status)).toEqual([false, false]);
    }
  });
});
