import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEFORE_ANSWER,
  type ScriptAction,
  type ScriptEvent,
  type ScriptSettings,
  step,
} from '#delivery/carriers/sip/call/script.js';

const SETTINGS: ScriptSettings = {
  key: null,
  confirms: false,
  openingSilence: 1_000,
  machineAfter: 2_800,
  keyWait: 8_000,
  keyAsks: 2,
  repeats: 1,
  repeatWait: 4_000,
};

/** All that is done for a row of events. */
function play(events: readonly ScriptEvent[], changes: Partial<ScriptSettings> = {}): ScriptAction[] {
  let state = BEFORE_ANSWER;
  return events.flatMap((event) => {
    const next = step(state, event, { ...SETTINGS, ...changes });
    state = next.state;
    return next.actions;
  });
}

const spoken = (actions: readonly ScriptAction[]) =>
  actions.flatMap((action) => (action.do === 'say' ? action.phrases : []));
const resultOf = (actions: readonly ScriptAction[]) =>
  actions.flatMap((action) => (action.do === 'end' ? action.result : []))[0];

const answered: ScriptEvent = { kind: 'answered' };
const said: ScriptEvent = { kind: 'said' };
const committed: ScriptEvent = { kind: 'committed', ok: true };
/** What is said to speak the code. */
const CODE = ['code', 'code-again', 'code-again'];
const quiet: ScriptEvent = { kind: 'timer', name: 'opening' };
const press = (key: string): ScriptEvent => ({ kind: 'key', key });

describe('the conversation', () => {
  it('greets after a second of silence, speaks the code twice, and says goodbye', () => {
    const actions = play([
      answered,
      quiet,
      said,
      committed,
      said,
      said,
      { kind: 'timer', name: 'repeat' },
      said,
    ]);
    expect(actions[0]).toEqual({ do: 'set-timer', name: 'opening', after: 1_000 });
    expect(spoken(actions)).toEqual(['greeting', ...CODE, 'hint', 'goodbye']);
    expect(resultOf(actions)).toEqual({ kind: 'completed' });
  });

  it('waits for the end of the first words', () => {
    expect(spoken(play([answered, { kind: 'voice-start' }, quiet]))).toEqual([]);
    const voice: ScriptEvent[] = [{ kind: 'voice-start' }, { kind: 'voice-end', length: 700 }];
    expect(spoken(play([answered, ...voice]))).toEqual(['greeting']);
  });

  it('speaks no digit before the mark is committed, and none when it is not', () => {
    expect(spoken(play([answered, quiet, said]))).toEqual(['greeting']);
    const refused = play([answered, quiet, said, { kind: 'committed', ok: false }]);
    expect(spoken(refused)).toEqual(['greeting']);
    expect(resultOf(refused)).toEqual({ kind: 'unwanted' });
  });

  it('takes long first words for a machine', () => {
    for (const event of [
      { kind: 'timer', name: 'machine' },
      { kind: 'voice-end', length: 2_800 },
    ] as const) {
      const actions = play([answered, { kind: 'voice-start' }, event]);
      expect(spoken(actions)).toEqual([]);
      expect(resultOf(actions)).toMatchObject({
        kind: 'failed',
        errorCode: 9100,
        fault: 'recipient',
        marked: false,
      });
    }
  });

  it('guesses no machine when it is told not to', () => {
    const actions = play([answered, { kind: 'voice-start' }, { kind: 'timer', name: 'machine' }], {
      machineAfter: null,
    });
    expect(spoken(actions)).toEqual(['greeting']);
  });

  it('repeats the code for key 1, up to the limit', () => {
    const once = [answered, quiet, said, committed, said, press('1')];
    expect(spoken(play(once))).toEqual(['greeting', ...CODE, 'hint', ...CODE]);
    expect(spoken(play([...once, press('1'), said])).at(-1)).toBe('goodbye');
    expect(spoken(play([answered, quiet, said, committed, said, press('2')])).at(-1)).toBe('hint');
  });
});

describe('with a key to be pressed first', () => {
  const asked = [answered, quiet];

  it('speaks the code only after that key, which may come while it is still being asked for', () => {
    expect(spoken(play([...asked, said, press('5'), committed], { key: 5 }))).toEqual([
      'greeting',
      'challenge',
      ...CODE,
    ]);
    expect(play([...asked, press('5')], { key: 5 }).map((action) => action.do)).toContain('commit');
  });

  it('asks again, then hangs up without the code when the key never comes', () => {
    const late: ScriptEvent = { kind: 'timer', name: 'key' };
    const actions = play([...asked, said, press('4'), late, said, late], { key: 5 });
    expect(spoken(actions)).toEqual(['greeting', 'challenge', 'challenge']);
    expect(resultOf(actions)).toMatchObject({ errorCode: 9110, fault: 'recipient', marked: false });
  });
});

describe('a call that ends', () => {
  const before = [answered, quiet];
  const during = [answered, quiet, said, committed];
  const after = [...during, said];

  it.each([
    ['hung-up', 4000, 'recipient'],
    ['maximum-duration', 6000, 'recipient'],
    ['media-timeout', 6020, 'carrier'],
    ['stop', 5010, 'carrier'],
  ] as const)('by %s before the mark has failed with %i', (kind, errorCode, fault) => {
    expect(resultOf(play([...before, { kind }]))).toMatchObject({
      kind: 'failed',
      errorCode,
      fault,
      marked: false,
    });
  });

  it('after the first digits because the callee hangs up is completed', () => {
    expect(resultOf(play([...during, { kind: 'hung-up' }]))).toEqual({ kind: 'completed' });
  });

  it('because the server stops amid the digits has failed, and is marked', () => {
    expect(resultOf(play([...during, { kind: 'stop' }]))).toMatchObject({ errorCode: 5010, marked: true });
  });

  it.each(['stop', 'maximum-duration', 'media-timeout'] as const)(
    'by %s after the whole code is completed',
    (kind) => {
      expect(resultOf(play([...after, { kind }]))).toEqual({ kind: 'completed' });
    },
  );

  it('while the mark is being committed ends only when that is known', () => {
    const committing: ScriptEvent[] = [...before, said, { kind: 'hung-up' }];
    expect(resultOf(play(committing))).toBeUndefined();
    expect(resultOf(play([...committing, committed]))).toMatchObject({ errorCode: 4000, marked: true });
    const notTaken: ScriptEvent = { kind: 'committed', ok: false };
    expect(resultOf(play([...committing, notTaken]))).toMatchObject({ errorCode: 4000, marked: false });
  });

  it.each(['hung-up', 'stop', 'maximum-duration', 'media-timeout'] as const)(
    'by %s while the mark is being committed needs it no more, unless the mark is that a key was pressed',
    (kind) => {
      expect(play([...before, said, { kind }])).toContainEqual({ do: 'withdraw' });
      expect(play([...before, press('5'), { kind }], { key: 5 })).toContainEqual({ do: 'withdraw' });
      const confirming = { key: 1, confirms: true };
      expect(play([...before, said, said, press('1'), { kind }], confirming)).not.toContainEqual({
        do: 'withdraw',
      });
    },
  );
});

it('whatever happens, no digit is spoken before a mark, nor without the key, and it ends at most once', () => {
  const event: fc.Arbitrary<ScriptEvent> = fc.oneof(
    fc.constantFrom<ScriptEvent>(
      answered,
      said,
      committed,
      { kind: 'committed', ok: false },
      { kind: 'voice-start' },
      { kind: 'voice-end', length: 500 },
      { kind: 'voice-end', length: 5_000 },
      { kind: 'hung-up' },
      { kind: 'stop' },
      { kind: 'media-timeout' },
      { kind: 'maximum-duration' },
    ),
    fc
      .constantFrom('opening', 'machine', 'key', 'repeat')
      .map((name) => ({ kind: 'timer', name }) as ScriptEvent),
    fc.constantFrom('1', '5').map(press),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.constantFrom(null, 5), (events, key) => {
      let state = BEFORE_ANSWER;
      let asked = false;
      let marked = false;
      let pressed = false;
      let ends = 0;
      for (const one of events) {
        if (asked && one.kind === 'committed' && one.ok) marked = true;
        if (one.kind === 'key' && one.key === '5') pressed = true;
        const next = step(state, one, { ...SETTINGS, key });
        state = next.state;
        for (const action of next.actions) {
          if (action.do === 'commit') asked = true;
          if (action.do === 'end') ends++;
          if (action.do === 'say' && action.phrases.includes('code')) {
            expect([marked, key === null || pressed]).toEqual([true, true]);
          }
        }
      }
      expect(ends).toBeLessThanOrEqual(1);
    }),
    { numRuns: 3_000 },
  );
});

describe('a call that asks to press 1 to confirm', () => {
  const confirming = { key: 1, confirms: true, keyAsks: 2 } as const;
  const asked = [answered, quiet, said, said];

  it('commits when 1 is pressed, and thanks only then', () => {
    const actions = play([...asked, press('1')], confirming);
    expect(spoken(actions)).toEqual(['confirm-greeting', 'confirm']);
    expect(actions.at(-1)).toEqual({ do: 'commit' });
    const done = play([...asked, press('1'), committed, said], confirming);
    expect(spoken(done)).toEqual(['confirm-greeting', 'confirm', 'confirmed', 'goodbye']);
    expect(resultOf(done)).toEqual({ kind: 'completed' });
  });

  it('takes 1 amid the request, and no other key, nor 1 before it was said who calls', () => {
    expect(play([answered, quiet, said, press('1')], confirming).at(-1)).toEqual({ do: 'commit' });
    expect(play([press('1'), answered, press('1'), quiet, press('1')], confirming)).not.toContainEqual({
      do: 'commit',
    });
    expect(play([...asked, press('2'), press('#')], confirming)).not.toContainEqual({ do: 'commit' });
  });

  it('asks again, and ends with 9110 when nobody presses it', () => {
    const timeout: ScriptEvent = { kind: 'timer', name: 'key' };
    const actions = play([...asked, timeout, said, timeout], confirming);
    expect(spoken(actions)).toEqual(['confirm-greeting', 'confirm', 'confirm']);
    expect(resultOf(actions)).toMatchObject({ kind: 'failed', errorCode: 9110, marked: false });
  });

  it('confirms nothing when that cannot be committed', () => {
    const actions = play([...asked, press('1'), { kind: 'committed', ok: false }], confirming);
    expect(spoken(actions)).toEqual(['confirm-greeting', 'confirm']);
    expect(resultOf(actions)).toEqual({ kind: 'unwanted' });
  });

  it('is completed once confirmed, whatever ends it: also while that was being committed', () => {
    for (const kind of ['hung-up', 'stop', 'maximum-duration', 'media-timeout'] as const) {
      for (const events of [
        [press('1'), committed, { kind }],
        [press('1'), { kind }, committed],
      ] as ScriptEvent[][]) {
        expect(resultOf(play([...asked, ...events], confirming))).toEqual({ kind: 'completed' });
      }
      const unconfirmed = play(
        [...asked, press('1'), { kind }, { kind: 'committed', ok: false }],
        confirming,
      );
      // Whoever pressed it and did not wait is called again.
      expect(resultOf(unconfirmed)).toEqual({ kind: 'unwanted' });
    }
  });

  it('never speaks the code, whatever happens', () => {
    const events = fc.constantFrom<ScriptEvent>(
      answered,
      said,
      committed,
      quiet,
      press('1'),
      press('5'),
      { kind: 'voice-start' },
      { kind: 'voice-end', length: 700 },
      { kind: 'timer', name: 'key' },
      { kind: 'timer', name: 'repeat' },
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 30 }), (row) => {
        const phrases = spoken(play([answered, ...row], confirming));
        expect(phrases).not.toContain('code');
        expect(phrases).not.toContain('code-again');
      }),
    );
  });
});
