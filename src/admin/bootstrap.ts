import { timingSafeEqual } from 'node:crypto';
import { tokenPlace } from '../verify/keyring.js';
import type { Account, AccountId } from '../verify/model.js';
import { createAccount, insertAccount } from './accounts.js';
import type { AdminContext } from './context.js';

/** What the start says of the first account. */
export interface Bootstrapped {
  /** Whether this start made an account. */
  readonly created: boolean;
  /** The account that was made or that the configuration names, else the oldest main account. */
  readonly authId: string;
  /** Its token, if this start made it up; null otherwise. To be shown once, never logged. */
  readonly token: string | null;
  /** What the operator should know; null: nothing. */
  readonly note: string | null;
}

const FIRST_NAME = 'first account';

/**
 * Sees to it that there is an account: the one of `COUNTERSIGN_BOOTSTRAP_AUTH_ID` if that is set, else, in an empty
 * database, one with random credentials.
 */
export async function bootstrap(context: AdminContext): Promise<Bootstrapped> {
  const wanted = context.config.bootstrap;
  const accounts = await context.store.read.accounts();
  if (wanted) {
    const authId = wanted.authId as AccountId;
    const found = accounts.find((account) => account.authId === authId);
    if (found)
      return { created: false, authId, token: null, note: compare(context, found, wanted.authToken) };
    await insertAccount(context, { authId, authToken: wanted.authToken }, FIRST_NAME);
    return { created: true, authId, token: null, note: null };
  }
  const mains = accounts.filter(({ parent }) => parent === null);
  const oldest = mains.toSorted((a, b) => a.createdAt - b.createdAt)[0];
  if (oldest) return { created: false, authId: oldest.authId, token: null, note: null };
  const { auth_id, auth_token } = await createAccount(context, { name: FIRST_NAME });
  return { created: true, authId: auth_id, token: auth_token, note: null };
}

function compare({ holder }: AdminContext, account: Account, wanted: string): string | null {
  const token = Buffer.from(holder.current.open(tokenPlace(account.authId), account.token));
  const given = Buffer.from(wanted);
  if (token.length === given.length && timingSafeEqual(token, given)) return null;
  return `account ${account.authId} has another token than COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN; the database's stays valid (account rotate-token gives a new one)`;
}
