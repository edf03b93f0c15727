import { resealCode } from './codes.js';
import type { CreateAccount, DeleteAccount, Reseal, UpdateAccount } from './commands.js';
import { type Decision, unchanged } from './decision.js';
import { type Keyring, tokenPlace } from './keyring.js';
import type { Account, Sealed } from './model.js';
import type { Change, State } from './state.js';

/** Adds an account with its default application; an auth id is never given twice. */
export function createAccount(state: State, command: CreateAccount): Decision<CreateAccount> {
  const { account, application } = command;
  if (state.account(account.authId)) {
    return unchanged({ kind: 'conflict', why: `account ${account.authId} exists already` });
  }
  return {
    outcome: { kind: 'done' },
    changes: [
      { table: 'account', row: account },
      { table: 'application', row: application },
    ],
    effects: [],
  };
}

export function updateAccount(state: State, command: UpdateAccount): Decision<UpdateAccount> {
  const account = state.account(command.authId);
  if (!account) return unchanged({ kind: 'not-found' });
  return {
    outcome: { kind: 'done' },
    changes: [{ table: 'account', row: { ...account, ...command.changes, modifiedAt: command.now } }],
    effects: [],
  };
}

/**
 * Removes a subaccount with its applications. Sessions keep their rows, in which the main account stands; a callback
 * that waits cannot be signed any more and fails.
 */
export function deleteAccount(state: State, command: DeleteAccount): Decision<DeleteAccount> {
  const account = state.account(command.authId);
  if (!account || account.parent !== command.parent) return unchanged({ kind: 'not-found' });
  const applications = state.applicationsOf(account.authId);
  if (applications.some(({ uuid }) => state.hasLive(uuid, command.now))) {
    const why = 'the subaccount has live sessions: disable it and try again when they have ended';
    return unchanged({ kind: 'conflict', why });
  }
  const changes: Change[] = applications.map((remove) => ({ table: 'application', remove }));
  return {
    outcome: { kind: 'done' },
    changes: [...changes, { table: 'account', remove: account }],
    effects: [],
  };
}

/** Seals the secrets of one row again under the active key; what is under it already stays. */
export function reseal(state: State, command: Reseal, keyring: Keyring): Decision<Reseal> {
  const { row, nonces } = command;
  if (row.kind === 'session') {
    const session = state.session(row.session);
    if (!session) return unchanged({ kind: 'not-found' });
    if (session.code.sealed === null || session.code.keyId === keyring.active) {
      return unchanged({ kind: 'done' });
    }
    const code = resealCode(keyring, session.uuid, session.code, nonces[0]);
    return {
      outcome: { kind: 'done' },
      changes: [{ table: 'session', row: { ...session, code } }],
      effects: [],
    };
  }
  const account = state.account(row.authId);
  if (!account) return unchanged({ kind: 'not-found' });
  const place = tokenPlace(account.authId);
  const again = (sealed: Sealed, nonce: Uint8Array) =>
    sealed.keyId === keyring.active ? sealed : keyring.seal(place, keyring.open(place, sealed), nonce);
  const resealed: Account = {
    ...account,
    token: again(account.token, nonces[0]),
    previousToken: account.previousToken && again(account.previousToken, nonces[1]),
  };
  return { outcome: { kind: 'done' }, changes: [{ table: 'account', row: resealed }], effects: [] };
}
