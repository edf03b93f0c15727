import type { ChangeOutcome, UpdateAccount } from '../verify/commands.js';
import { readCountries } from '../verify/countries.js';
import { newAuthId, newAuthToken } from '../verify/credentials.js';
import { NONCE_BYTES, tokenPlace } from '../verify/keyring.js';
import type { Account, AccountId, ApplicationId, Sealed } from '../verify/model.js';
import { newAccount } from '../verify/new-account.js';
import { formatTime } from '../verify/time.js';
import { uuidv7 } from '../verify/uuid.js';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';

/** Longest time that an old token may stay valid, seconds: 30 days. */
export const MAX_KEEP_OLD = 30 * 24 * 3600;

/** An account as operators see it: never with its token. */
export interface AccountSummary {
  readonly auth_id: string;
  /** The main account of a subaccount; null on a main account. */
  readonly parent: string | null;
  readonly name: string;
  readonly enabled: boolean;
  /** The only countries that it may send to; null: no restriction of its own. */
  readonly countries: readonly string[] | null;
  readonly created_at: string;
  /** Until when the token before the last rotation is good; null when it is not. */
  readonly old_token_until: string | null;
}

/** The only answers that hold a token: shown once, then gone. */
export interface Credentials {
  readonly auth_id: string;
  readonly auth_token: string;
}

/** Makes a main account with random credentials and its default application. */
export async function createAccount(context: AdminContext, input: { name?: string }): Promise<Credentials> {
  const credentials = {
    authId: newAuthId('MA', context.environment),
    authToken: newAuthToken(context.environment),
  };
  await insertAccount(context, credentials, input.name ?? '');
  return { auth_id: credentials.authId, auth_token: credentials.authToken };
}

/** Makes a main account with these credentials and its default application. */
export async function insertAccount(
  context: AdminContext,
  credentials: { readonly authId: AccountId; readonly authToken: string },
  name: string,
): Promise<void> {
  const { store, environment, directory } = context;
  const { authId, authToken } = credentials;
  const now = environment.now();
  const application = uuidv7(now, environment.randomBytes(10)) as ApplicationId;
  const command = newAccount(context.holder.current, {
    authId,
    authToken,
    parent: null,
    name,
    enabled: true,
    application,
    now,
    nonce: environment.randomBytes(NONCE_BYTES),
  });
  const outcome = await store.submit(command);
  directory.clear();
  demandDone(outcome, authId);
}

/** Every account, oldest first. */
export async function listAccounts({ store, environment }: AdminContext): Promise<AccountSummary[]> {
  const accounts = await store.read.accounts();
  const now = environment.now();
  return accounts.toSorted((a, b) => a.createdAt - b.createdAt).map((account) => summaryOf(account, now));
}

export async function showAccount(
  { store, environment }: AdminContext,
  { auth_id }: { auth_id: string },
): Promise<AccountSummary> {
  const account = await store.read.account(auth_id as AccountId);
  if (!account) throw unknownAccount(auth_id);
  return summaryOf(account, environment.now());
}

/**
 * Changes what is named; seen by every process within a second.
 * @param input.countries the only ones that it may send to; empty: all
 */
export async function updateAccount(
  context: AdminContext,
  { auth_id, countries }: { auth_id: string; countries?: readonly string[] },
): Promise<AccountSummary> {
  const read = countries === undefined ? null : readCountries(countries);
  if (read && !read.ok) throw new AdminError('invalid', read.why);
  await update(context, auth_id, read ? { countries: read.countries } : {});
  return showAccount(context, { auth_id });
}

function summaryOf(account: Account, now: number): AccountSummary {
  const { authId, parent, name, enabled, countries, createdAt, previousToken, previousTokenUntil } = account;
  return {
    auth_id: authId,
    parent,
    name,
    enabled,
    countries,
    created_at: formatTime(createdAt),
    old_token_until:
      previousToken && previousTokenUntil !== null && previousTokenUntil > now
        ? formatTime(previousTokenUntil)
        : null,
  };
}

/** Lets an account in, or (within a second, on every process) no longer. */
export async function setAccountEnabled(
  context: AdminContext,
  input: { auth_id: string; enabled: boolean },
): Promise<{ auth_id: string; enabled: boolean }> {
  await update(context, input.auth_id, { enabled: input.enabled });
  return { auth_id: input.auth_id, enabled: input.enabled };
}

/**
 * Gives an account a new random token.
 * @param input.keep_old seconds for which the old token stays valid too; 0: not at all
 */
export async function rotateToken(
  context: AdminContext,
  input: { auth_id: string; keep_old?: number },
): Promise<Credentials & { readonly old_token_until: string | null }> {
  const { store, environment } = context;
  const account = await store.read.account(input.auth_id as AccountId);
  if (!account) throw unknownAccount(input.auth_id);
  const keepOld = input.keep_old ?? 0;
  const until = keepOld > 0 ? environment.now() + keepOld * 1000 : null;
  const token = newAuthToken(environment);
  await update(context, account.authId, {
    token: sealToken(context, account.authId, token),
    previousToken: until === null ? null : account.token,
    previousTokenUntil: until,
  });
  return {
    auth_id: account.authId,
    auth_token: token,
    old_token_until: until === null ? null : formatTime(until),
  };
}

function sealToken({ holder, environment }: AdminContext, authId: AccountId, token: string): Sealed {
  return holder.current.seal(tokenPlace(authId), token, environment.randomBytes(NONCE_BYTES));
}

async function update(
  { store, environment, directory }: AdminContext,
  authId: Account['authId'] | string,
  changes: UpdateAccount['changes'],
): Promise<void> {
  const command = {
    type: 'update-account',
    now: environment.now(),
    authId: authId as AccountId,
    changes,
  } as const;
  const outcome = await store.submit(command);
  directory.clear();
  demandDone(outcome, authId);
}

function demandDone(outcome: ChangeOutcome, authId: string): void {
  if (outcome.kind === 'not-found') throw unknownAccount(authId);
  if (outcome.kind === 'conflict') throw new AdminError('conflict', outcome.why);
}

function unknownAccount(authId: string): AdminError {
  return new AdminError('not-found', `there is no account ${authId}: see account list`);
}
