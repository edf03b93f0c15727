import { describe, expect, it } from 'vitest';
import type { InviteFailure } from '#delivery/carriers/sip/dialog/invitation.js';
import { describeFailure, outcomeOf } from '#delivery/carriers/sip/outcome.js';
import { isErrorOf } from '#verify/channel-errors.js';

const response = (status: number, cause: number | null = null): InviteFailure => ({
  kind: 'response',
  status,
  cause,
  retryAfter: null,
});

describe('what ended a call', () => {
  it.each([
    [404, 'failed', 3050, 'recipient'],
    [410, 'failed', 2010, 'recipient'],
    [480, 'no-answer', 3000, 'recipient'],
    [484, 'failed', 2000, 'recipient'],
    [486, 'busy', 3010, 'recipient'],
    [600, 'busy', 3010, 'recipient'],
    [603, 'failed', 3110, 'recipient'],
    [604, 'failed', 3120, 'recipient'],
    [607, 'failed', 3020, 'recipient'],
    [699, 'failed', 3110, 'recipient'],
    [403, 'failed', 3040, 'carrier'],
    [408, 'failed', 3070, 'carrier'],
    [488, 'failed', 5010, 'carrier'],
    [499, 'failed', 5010, 'carrier'],
    [500, 'failed', 3080, 'carrier'],
    [502, 'failed', 5000, 'carrier'],
    [503, 'failed', 3090, 'carrier'],
    [302, 'failed', 5020, 'carrier'],
  ] as const)('a %i is %s %i, the %s’s', (status, expected, errorCode, fault) => {
    expect(outcomeOf(response(status), false)).toMatchObject({ status: expected, errorCode, fault });
  });

  it.each([
    [500, 17, 'busy', 3010],
    [480, 1, 'failed', 3050],
    [404, 3, 'failed', 5020],
    [503, 34, 'failed', 3090],
    [480, 20, 'failed', 2010],
  ] as const)('a %i for cause %i is what the cause says', (status, cause, expected, errorCode) => {
    expect(outcomeOf(response(status, cause), false)).toMatchObject({ status: expected, errorCode });
  });

  it.each([16, 31, 127])('a cause that says nothing (%i) leaves it to the response', (cause) => {
    expect(outcomeOf(response(486, cause), false)).toEqual(outcomeOf(response(486), false));
  });

  it('a network’s time-out after it rang is the callee’s silence', () => {
    expect(outcomeOf(response(408), true)).toMatchObject({
      status: 'no-answer',
      errorCode: 3000,
      fault: 'recipient',
    });
  });

  it('without a response has a code too', () => {
    expect(outcomeOf({ kind: 'ring-timeout' }, true)).toMatchObject({
      ...{ status: 'no-answer', errorCode: 6010, fault: 'recipient' },
    });
    // Nothing but 100: the next trunk may do better.
    expect(outcomeOf({ kind: 'ring-timeout' }, false)).toMatchObject({
      ...{ status: 'failed', errorCode: 3070, fault: 'carrier', down: false },
    });
    expect(outcomeOf({ kind: 'no-response' }, false)).toMatchObject({
      errorCode: 3070,
      fault: 'carrier',
      down: true,
    });
    expect(outcomeOf({ kind: 'unreachable', error: null }, false)).toMatchObject({
      errorCode: 5000,
      down: true,
    });
    expect(outcomeOf({ kind: 'credentials', given: true }, false)).toMatchObject({
      errorCode: 3040,
      down: true,
    });
  });

  it('always has a code of the contract, and words without anything personal', () => {
    for (let status = 300; status < 700; status++) {
      for (const cause of [null, ...Array.from({ length: 128 }, (_, one) => one)]) {
        const failure = response(status, cause);
        expect(isErrorOf('voice', outcomeOf(failure, false).errorCode)).toBe(true);
        expect(describeFailure(failure)).toMatch(/^SIP [0-9]{3}(, Q\.850 cause [0-9]+)?$/);
      }
    }
  });
});
