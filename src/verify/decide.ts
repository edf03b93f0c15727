import { createAccount, deleteAccount, reseal, updateAccount } from './accounts.js';
import { createApplication, deleteApplication, updateApplication } from './applications.js';
import { callbackTried, redeliverCallback } from './callbacks.js';
import type { Command } from './commands.js';
import type { Decision } from './decision.js';
import { expire } from './expire.js';
import { forgetRequests } from './idempotency.js';
import type { Keyring } from './keyring.js';
import { activateKey, addKey, closeKey } from './keys.js';
import { optIn, optOut } from './opt-outs.js';
import { giveUp, hopAccepted, hopFailed, receipt, reroute } from './reports.js';
import { startAttempt } from './start-attempt.js';
import type { State } from './state.js';
import { validate } from './validate.js';

/**
 * The whole domain as one pure function: from the rows that the command names and the command itself to new
 * rows, an outcome and effects. It neither waits, nor reads a clock, nor changes a row.
 */
export function decide(state: State, command: Command, keyring: Keyring | null): Decision {
  switch (command.type) {
    case 'start-attempt':
      return startAttempt(state, command, needed(keyring));
    case 'validate':
      return validate(state, command, needed(keyring));
    case 'hop-accepted':
      return hopAccepted(state, command);
    case 'hop-failed':
      return hopFailed(state, command);
    case 'receipt':
      return receipt(state, command);
    case 'give-up':
      return giveUp(state, command);
    case 'reroute':
      return reroute(state, command);
    case 'opt-out':
      return optOut(state, command);
    case 'opt-in':
      return optIn(state, command);
    case 'callback-tried':
      return callbackTried(state, command);
    case 'redeliver-callback':
      return redeliverCallback(state, command);
    case 'expire':
      return expire(state, command);
    case 'forget-requests':
      return forgetRequests(state, command);
    case 'create-account':
      return createAccount(state, command);
    case 'update-account':
      return updateAccount(state, command);
    case 'delete-account':
      return deleteAccount(state, command);
    case 'create-application':
      return createApplication(state, command);
    case 'update-application':
      return updateApplication(state, command);
    case 'delete-application':
      return deleteApplication(state, command);
    case 'add-key':
      return addKey(state, command);
    case 'activate-key':
      return activateKey(state, command);
    case 'close-key':
      return closeKey(state, command);
    case 'reseal':
      return reseal(state, command, needed(keyring));
    default:
      throw new TypeError(`unknown command ${(command satisfies never as { type: string }).type}`);
  }
}

/** Only the commands that make a store's first keys known come before there is a keyring. */
function needed(keyring: Keyring | null): Keyring {
  if (!keyring) throw new Error('no keyring is in use yet');
  return keyring;
}
