/** What is said, in the callee's language. */
export type Phrase =
  | 'greeting'
  | 'challenge'
  | 'code'
  | 'code-again'
  | 'hint'
  | 'confirm-greeting'
  | 'confirm'
  | 'confirmed'
  | 'goodbye';

export type TimerName = 'opening' | 'machine' | 'key' | 'repeat';

export interface ScriptSettings {
  /** The key that the callee must press before the code is spoken; null: none. */
  readonly key: number | null;
  /** Pressing `key` is what the call is for: no code is spoken. */
  readonly confirms: boolean;
  /** Milliseconds without a sound after which we begin to speak. */
  readonly openingSilence: number;
  /** Milliseconds that a person's first words take at most: longer is a machine. Null: no guess is made. */
  readonly machineAfter: number | null;
  /** Milliseconds to wait for the key after each time that it is asked for. */
  readonly keyWait: number;
  /** How often the key is asked for. */
  readonly keyAsks: number;
  /** How often key 1 repeats the code. */
  readonly repeats: number;
  /** Milliseconds to wait for key 1. */
  readonly repeatWait: number;
}

export type ScriptEvent =
  | { readonly kind: 'answered' }
  | { readonly kind: 'voice-start' }
  | { readonly kind: 'voice-end'; readonly length: number }
  | { readonly kind: 'key'; readonly key: string }
  /** What was to be said last has been said to its end. */
  | { readonly kind: 'said' }
  /** The mark of `commit` is durable, or will not be: then no digit may be spoken, and nothing is confirmed. */
  | { readonly kind: 'committed'; readonly ok: boolean }
  | { readonly kind: 'timer'; readonly name: TimerName }
  | { readonly kind: 'maximum-duration' }
  | { readonly kind: 'media-timeout' }
  /** What was to be said cannot be. */
  | { readonly kind: 'cannot-speak'; readonly why: string }
  /** The other side hung up, or its side of the call was lost. */
  | { readonly kind: 'hung-up' }
  /** The server stops. */
  | { readonly kind: 'stop' };

export type ScriptAction =
  | { readonly do: 'say'; readonly phrases: readonly Phrase[] }
  | { readonly do: 'be-silent' }
  | { readonly do: 'commit' }
  /** A database that is away need not be asked again for the mark: nobody is there to hear the code. */
  | { readonly do: 'withdraw' }
  | { readonly do: 'set-timer'; readonly name: TimerName; readonly after: number }
  | { readonly do: 'clear-timer'; readonly name: TimerName }
  /** Hang up now; how the call went is known later. */
  | { readonly do: 'hang-up' }
  /** The conversation is over: hang up, unless the other side has. */
  | { readonly do: 'end'; readonly result: ScriptResult };

/** How an answered call went. */
export type ScriptResult =
  /** The code was spoken, or the callee confirmed. */
  | { readonly kind: 'completed' }
  /**
   * It was not. `fault` says whether another carrier may do better; after the mark (`marked`) none is asked, since the
   * callee may have heard a part.
   */
  | {
      readonly kind: 'failed';
      readonly errorCode: number;
      readonly why: string;
      readonly fault: 'recipient' | 'carrier';
      readonly marked: boolean;
    }
  /** The attempt is not ours to bring any more. */
  | { readonly kind: 'unwanted' };

type Stage =
  | 'opening'
  | 'listening'
  /** Says who calls and what for, of a call that confirms: no key counts before that is heard. */
  | 'introducing'
  | 'greeting'
  | 'asking'
  | 'committing'
  | 'speaking'
  | 'offering'
  | 'goodbye'
  | 'over';

export interface ScriptState {
  readonly stage: Stage;
  /** How often the key was asked for. */
  readonly asked: number;
  /** The mark is committed. */
  readonly marked: boolean;
  /** What the call is for has come about: the code was spoken whole, or the callee has confirmed. */
  readonly fulfilled: boolean;
  /** How often it was repeated for key 1. */
  readonly repeated: number;
  /** What ended the call while the mark was being committed: whether it was marked is known only then. */
  readonly deferred: ScriptEvent | null;
}

export const BEFORE_ANSWER: ScriptState = {
  stage: 'opening',
  asked: 0,
  marked: false,
  fulfilled: false,
  repeated: 0,
  deferred: null,
};

export interface Step {
  readonly state: ScriptState;
  readonly actions: readonly ScriptAction[];
}

/** Longest wait for the end of the callee's first words where no machine is guessed, in milliseconds. */
const LONGEST_OPENING = 5_000;
const REPEAT_KEY = '1';
const ENDINGS: readonly ScriptEvent['kind'][] = ['hung-up', 'stop', 'maximum-duration', 'media-timeout'];

/**
 * The conversation as a pure state machine: from a state and what happened to a state and what to do. The code is spoken
 * only after `committed`, and never when the key was asked for and did not come.
 */
export function step(state: ScriptState, event: ScriptEvent, settings: ScriptSettings): Step {
  if (state.stage === 'over') return stay(state);
  if (state.stage === 'committing' && ENDINGS.includes(event.kind)) {
    // The call does not wait for a database that may be long in coming. That the key was pressed stays true.
    const actions: ScriptAction[] = [
      ...(settings.confirms ? [] : [{ do: 'withdraw' } as const]),
      ...(event.kind === 'hung-up' ? [] : [{ do: 'hang-up' } as const]),
    ];
    return { state: { ...state, deferred: state.deferred ?? event }, actions };
  }
  switch (event.kind) {
    case 'answered':
      return go(state, 'opening', { do: 'set-timer', name: 'opening', after: settings.openingSilence });
    case 'voice-start': {
      if (state.stage !== 'opening') return stay(state);
      const after = settings.machineAfter ?? LONGEST_OPENING;
      return go(
        state,
        'listening',
        { do: 'clear-timer', name: 'opening' },
        { do: 'set-timer', name: 'machine', after },
      );
    }
    case 'voice-end':
      if (state.stage !== 'listening') return stay(state);
      if (settings.machineAfter !== null && event.length >= settings.machineAfter) return machine(state);
      return greet(state, settings);
    case 'timer':
      return timer(state, event.name, settings);
    case 'said':
      return said(state, settings);
    case 'key':
      return key(state, event.key, settings);
    case 'committed':
      if (state.stage !== 'committing') return stay(state);
      // Whoever pressed the key has done what the call is for, and is asked again, though they did not wait.
      if (!event.ok && settings.confirms) return end(state, { kind: 'unwanted' });
      if (state.deferred) {
        const known = { ...state, marked: event.ok, fulfilled: event.ok && settings.confirms };
        return step({ ...known, stage: 'greeting' }, state.deferred, settings);
      }
      if (!event.ok) return end(state, { kind: 'unwanted' });
      return settings.confirms
        ? thank({ ...state, marked: true, fulfilled: true })
        : speak({ ...state, marked: true });
    case 'maximum-duration':
      return ended(state, 6000, 'the longest duration of a call was reached', 'recipient');
    case 'media-timeout':
      return ended(state, 6020, 'no sound came from the callee', 'carrier');
    case 'cannot-speak':
      return ended(state, 5010, event.why, 'carrier');
    case 'hung-up':
      // Whoever heard the first digits and hangs up has what they wanted.
      return state.marked && !state.deferred
        ? end(state, { kind: 'completed' })
        : ended(
            state,
            4000,
            `the callee hung up before ${settings.confirms ? 'confirming' : 'the code was spoken'}`,
            'recipient',
          );
    case 'stop':
      return ended(state, 5010, 'the server stopped during the call', 'carrier');
  }
}

function timer(state: ScriptState, name: TimerName, settings: ScriptSettings): Step {
  if (name === 'opening' && state.stage === 'opening') return greet(state, settings);
  if (name === 'machine' && state.stage === 'listening') {
    return settings.machineAfter === null ? greet(state, settings) : machine(state);
  }
  if (name === 'key' && state.stage === 'asking') {
    if (state.asked < settings.keyAsks) return ask(state, settings);
    return ended(state, 9110, 'the key that was asked for was not pressed', 'recipient');
  }
  if (name === 'repeat' && state.stage === 'offering') return farewell(state);
  return stay(state);
}

function said(state: ScriptState, settings: ScriptSettings): Step {
  switch (state.stage) {
    case 'introducing':
      return ask(state, settings);
    case 'greeting':
      return settings.key === null
        ? go(state, 'committing', { do: 'commit' })
        : go(state, 'asking', { do: 'set-timer', name: 'key', after: settings.keyWait });
    case 'speaking': {
      const spoken = { ...state, fulfilled: true };
      return spoken.repeated < settings.repeats
        ? go(spoken, 'offering', { do: 'say', phrases: ['hint'] })
        : farewell(spoken);
    }
    case 'offering':
      return go(state, 'offering', { do: 'set-timer', name: 'repeat', after: settings.repeatWait });
    case 'goodbye':
      return end(state, { kind: 'completed' });
    default:
      return stay(state);
  }
}

function key(state: ScriptState, pressed: string, settings: ScriptSettings): Step {
  const { stage } = state;
  const isAsked = settings.key !== null && pressed === String(settings.key);
  if ((stage === 'greeting' || stage === 'asking') && isAsked) {
    return go(state, 'committing', { do: 'be-silent' }, { do: 'clear-timer', name: 'key' }, { do: 'commit' });
  }
  const mayRepeat = stage === 'offering' || (stage === 'speaking' && state.fulfilled);
  if (mayRepeat && pressed === REPEAT_KEY && state.repeated < settings.repeats) {
    const again = speak({ ...state, repeated: state.repeated + 1 });
    return {
      ...again,
      actions: [{ do: 'be-silent' }, { do: 'clear-timer', name: 'repeat' }, ...again.actions],
    };
  }
  return stay(state);
}

function greet(state: ScriptState, settings: ScriptSettings): Step {
  const quiet: ScriptAction[] = [
    { do: 'clear-timer', name: 'opening' },
    { do: 'clear-timer', name: 'machine' },
  ];
  if (settings.confirms)
    return go(state, 'introducing', ...quiet, { do: 'say', phrases: ['confirm-greeting'] });
  const asks = settings.key !== null;
  const phrases: Phrase[] = asks ? ['greeting', 'challenge'] : ['greeting'];
  return go({ ...state, asked: asks ? 1 : 0 }, 'greeting', ...quiet, { do: 'say', phrases });
}

/** Asks for the key, the first time or again. */
function ask(state: ScriptState, { confirms }: ScriptSettings): Step {
  const phrases: Phrase[] = [confirms ? 'confirm' : 'challenge'];
  return go({ ...state, asked: state.asked + 1 }, 'greeting', { do: 'say', phrases });
}

function speak(state: ScriptState): Step {
  return go(state, 'speaking', { do: 'say', phrases: ['code', 'code-again', 'code-again'] });
}

function thank(state: ScriptState): Step {
  return go(state, 'goodbye', { do: 'say', phrases: ['confirmed', 'goodbye'] });
}

function farewell(state: ScriptState): Step {
  return go(state, 'goodbye', { do: 'say', phrases: ['goodbye'] });
}

function machine(state: ScriptState): Step {
  return ended(state, 9100, 'a machine seems to have answered', 'recipient');
}

/** What came about came about, whatever ended the call. */
function ended(state: ScriptState, errorCode: number, why: string, fault: 'recipient' | 'carrier'): Step {
  return end(
    state,
    state.fulfilled ? { kind: 'completed' } : { kind: 'failed', errorCode, why, fault, marked: state.marked },
  );
}

function end(state: ScriptState, result: ScriptResult): Step {
  return go(state, 'over', { do: 'end', result });
}

function go(state: ScriptState, stage: Stage, ...actions: ScriptAction[]): Step {
  return { state: { ...state, stage }, actions };
}

function stay(state: ScriptState): Step {
  return { state, actions: [] };
}
