import type { OptInRecipient, OptOutRecipient } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { State } from './state.js';

/** Puts a recipient on the list. One that is on it keeps its time and source. */
export function optOut(state: State, { optOut: row }: OptOutRecipient): Decision<OptOutRecipient> {
  if (state.optOut(row.account, row.recipient)) return unchanged({ kind: 'done' });
  return { outcome: { kind: 'done' }, changes: [{ table: 'optOut', row }], effects: [] };
}

/** Takes a recipient off the list. */
export function optIn(state: State, { account, recipient }: OptInRecipient): Decision<OptInRecipient> {
  const row = state.optOut(account, recipient);
  if (!row) return unchanged({ kind: 'not-found' });
  return { outcome: { kind: 'done' }, changes: [{ table: 'optOut', remove: row }], effects: [] };
}
