import { defaultApplication } from './applications.js';
import type { CreateAccount } from './commands.js';
import { type Keyring, tokenPlace } from './keyring.js';
import type { AccountId, ApplicationId } from './model.js';

/** The command that adds an account, its token sealed, with its default application. */
export function newAccount(
  keyring: Keyring,
  account: {
    readonly authId: AccountId;
    readonly authToken: string;
    /** The main account of a subaccount; null for a main account. */
    readonly parent: AccountId | null;
    readonly name: string;
    readonly enabled: boolean;
    /** The only countries that it may send to; null: no restriction of its own. */
    readonly countries?: readonly string[] | null;
    readonly application: ApplicationId;
    readonly now: number;
    /** 12 random bytes. */
    readonly nonce: Uint8Array;
  },
): CreateAccount {
  const { authId, authToken, parent, name, enabled, application, now, nonce } = account;
  return {
    type: 'create-account',
    account: {
      authId,
      parent,
      name,
      enabled,
      token: keyring.seal(tokenPlace(authId), authToken, nonce),
      previousToken: null,
      previousTokenUntil: null,
      countries: account.countries ?? null,
      createdAt: now,
      modifiedAt: now,
    },
    application: defaultApplication(application, authId, now),
  };
}
