import type { Command, Effect, OutcomeOf } from './commands.js';
import type { Change } from './state.js';

/** What follows from a command: new rows, the answer to its sender, and what is to be done after the commit. */
export interface Decision<C extends Command = Command> {
  readonly outcome: OutcomeOf<C>;
  readonly changes: readonly Change[];
  readonly effects: readonly Effect[];
}

/** A decision that changes nothing. */
export function unchanged<C extends Command>(outcome: OutcomeOf<C>): Decision<C> {
  return { outcome, changes: [], effects: [] };
}
