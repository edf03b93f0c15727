import type { ActivateKey, AddKey, CloseKey } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import type { MasterKeyRow } from './model.js';
import type { Change, State } from './state.js';

/** Makes a key known. The first of a store becomes active; a closed key never comes back. */
export function addKey(state: State, command: AddKey): Decision<AddKey> {
  const keys = state.keys();
  const known = keys.find((key) => key.id === command.key.id);
  if (known) {
    const closed = known.state === 'retired' || known.state === 'revoked';
    return unchanged(
      closed
        ? { kind: 'conflict', why: `key ${known.id} is ${known.state} and cannot be used again` }
        : { kind: 'done' },
    );
  }
  const initial = keys.some((key) => key.state === 'active') ? 'standby' : 'active';
  return done([{ table: 'key', row: { ...command.key, state: initial } }]);
}

export function activateKey(state: State, command: ActivateKey): Decision<ActivateKey> {
  const key = state.keys().find((each) => each.id === command.id);
  if (!key) return unchanged({ kind: 'not-found' });
  if (key.state === 'active') return unchanged({ kind: 'done' });
  if (key.state !== 'standby') return unchanged({ kind: 'conflict', why: `key ${key.id} is ${key.state}` });
  const changes: Change[] = state
    .keys()
    .filter((each) => each.state === 'active')
    .map((each) => ({ table: 'key', row: { ...each, state: 'standby' } satisfies MasterKeyRow }));
  return done([...changes, { table: 'key', row: { ...key, state: 'active' } }]);
}

/** A key that is active, or that rows still refer to, cannot be closed; what was revoked stays so. */
export function closeKey(state: State, command: CloseKey): Decision<CloseKey> {
  const key = state.keys().find((each) => each.id === command.id);
  if (!key) return unchanged({ kind: 'not-found' });
  if (key.state === command.as) return unchanged({ kind: 'done' });
  if (key.state === 'revoked') return unchanged({ kind: 'conflict', why: `key ${key.id} is revoked` });
  if (key.state === 'active') {
    return unchanged({ kind: 'conflict', why: `key ${key.id} is active: activate another key first` });
  }
  if (command.references > 0) {
    return unchanged({
      kind: 'conflict',
      why: `key ${key.id} is still used by ${command.references} accounts or live sessions: reseal first, and let its sessions expire`,
    });
  }
  return done([{ table: 'key', row: { ...key, state: command.as } }]);
}

function done(changes: Change[]) {
  return { outcome: { kind: 'done' } as const, changes, effects: [] };
}
