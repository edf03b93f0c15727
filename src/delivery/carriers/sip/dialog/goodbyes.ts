import type { Environment, Timer } from '../../../../environment.js';
import { T1, T2, TRANSACTION_TIME } from '../transaction/timers.js';

/** How one try to end a call went. */
export type Farewell =
  /** It was answered, or nobody is left to be told. */
  | 'told'
  /** It did not get there as far as we know: its connection broke, or none could be opened. */
  | 'lost'
  /** The peer has a trouble of its own: it is to be told again after so many milliseconds. */
  | { readonly again: number };

/** The BYEs and CANCELs of a carrier until they are answered or given up: a call that goes on costs money. */
export interface Goodbyes {
  /** How many are still to be told. */
  readonly size: number;
  /** Ends a call by `tell`, which is one try; the others follow as its outcome wants. */
  say(tell: () => Promise<Farewell>): void;
  /** From now on nothing waits for long before it is tried again: the server stops. */
  hurry(): void;
  /** Tries nothing more. */
  close(): void;
}

/** How often what was refused is said again. */
const MAX_REFUSED = 3;
/** Milliseconds for which what was lost is said again; a try that nobody answers takes half of them. */
const LOST_FOR = TRANSACTION_TIME * 2;
/** Milliseconds between two tries, at most, once the server stops. */
const HURRIED = 250;

export function createGoodbyes(environment: Environment): Goodbyes {
  const waiting = new Set<{ readonly timer: Timer; readonly wake: () => void }>();
  let size = 0;
  let hurried = false;
  let closed = false;

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        entry.timer.cancel();
        waiting.delete(entry);
        resolve();
      };
      const entry = {
        timer: environment.after(hurried ? Math.min(milliseconds, HURRIED) : milliseconds, wake),
        wake,
      };
      waiting.add(entry);
    });

  async function tellUntilHeard(tell: () => Promise<Farewell>): Promise<void> {
    const began = environment.monotonic();
    let refused = 0;
    // The first time at once: what broke was an old connection, and a new one may well stand.
    let next = 0;
    for (;;) {
      const told = await tell();
      if (told === 'told' || closed) return;
      if (told === 'lost') {
        if (environment.monotonic() - began >= LOST_FOR) return;
        await pause(next);
        next = Math.min(Math.max(next * 2, T1), T2);
      } else {
        if (++refused > MAX_REFUSED) return;
        await pause(told.again);
      }
    }
  }

  return {
    get size() {
      return size;
    },
    say: (tell) => {
      if (closed) return;
      size++;
      const done = () => {
        size--;
      };
      tellUntilHeard(tell).then(done, done);
    },
    hurry: () => {
      hurried = true;
      for (const { wake } of [...waiting]) wake();
    },
    close: () => {
      closed = true;
      for (const { timer } of waiting) timer.cancel();
      waiting.clear();
    },
  };
}
