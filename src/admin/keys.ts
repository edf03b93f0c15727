import type { Command, ReportOutcome } from '../verify/commands.js';
import { NONCE_BYTES } from '../verify/keyring.js';
import type { AccountId, KeyId, KeyState, SessionId } from '../verify/model.js';
import { formatTime } from '../verify/time.js';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';

/** A master key as operators see it: never the key. */
export interface KeySummary {
  readonly id: string;
  readonly state: KeyState;
  readonly created_at: string;
  /** Whether this process holds the key. */
  readonly held: boolean;
  /** Accounts and live sessions that need it. */
  readonly references: number;
}

/** Commands that are sent at a time. */
const BATCH = 256;
/** How often a work list is read anew before what keeps it from getting empty is reported. */
const MAX_PASSES = 1_000;

/** Every key that the database knows, oldest first, and what an operator should know of them. */
export async function listKeys({ store, keys }: AdminContext): Promise<{
  keys: KeySummary[];
  hints: readonly string[];
}> {
  const rows = await store.read.keys();
  const summaries = rows
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .map(async ({ id, state, createdAt }) => ({
      id,
      state,
      created_at: formatTime(createdAt),
      held: keys.holds(id),
      references: await store.read.keyReferences(id),
    }));
  return { keys: await Promise.all(summaries), hints: keys.hints };
}

/** Makes a random key and writes it to the key file; it stands by until it is activated. */
export async function addKey(context: AdminContext): Promise<{ id: string; source: string }> {
  const id = await context.keys.add(context.store);
  context.directory.clear();
  return { id, source: context.keys.source };
}

/** From now on seals and derives with this key; what the one before sealed still opens. */
export async function activateKey(context: AdminContext, input: { id: string }): Promise<{ id: string }> {
  const { keys } = context;
  const id = input.id as KeyId;
  const row = await demandKey(context, id);
  if (row.state !== 'retired' && row.state !== 'revoked' && !keys.holds(id)) {
    throw new AdminError('conflict', `master key ${id} is not in ${keys.source}: add it there first`);
  }
  await change(context, { type: 'activate-key', id });
  await refresh(context);
  return { id };
}

/** Seals again, under the active key, what is sealed under others. Codes that are derived need no resealing. */
export async function resealSecrets(context: AdminContext): Promise<{ accounts: number; sessions: number }> {
  const { store, holder, environment, directory } = context;
  const done = { accounts: 0, sessions: 0 };
  const nonces = () => [environment.randomBytes(NONCE_BYTES), environment.randomBytes(NONCE_BYTES)] as const;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { accounts, sessions } = await store.read.sealedUnderOthers(holder.current.active);
    if (accounts.length === 0 && sessions.length === 0) return done;
    await inBatches(accounts, (authId) =>
      store.submit({ type: 'reseal', row: { kind: 'account', authId }, nonces: nonces() }),
    );
    await inBatches(sessions, (session) =>
      store.submit({ type: 'reseal', row: { kind: 'session', session }, nonces: nonces() }),
    );
    directory.clear();
    done.accounts += accounts.length;
    done.sessions += sessions.length;
  }
  throw new AdminError('failed', 'rows stay sealed under another key although they were resealed');
}

/** Puts a key away that nothing refers to any more. */
export async function retireKey(context: AdminContext, input: { id: string }): Promise<{ id: string }> {
  const id = input.id as KeyId;
  const { state } = await demandKey(context, id);
  if (state === 'revoked') throw new AdminError('conflict', `key ${id} is revoked already`);
  const references = await context.store.read.keyReferences(id);
  await change(context, { type: 'close-key', id, as: 'retired', references });
  await refresh(context);
  return { id };
}

/**
 * Closes a compromised key: ends every live session whose code it could tell, and seals under the active key
 * what it sealed. Whoever has the key and a copy of the database has the tokens of `accounts`: rotate those.
 */
export async function revokeKey(
  context: AdminContext,
  input: { id: string },
): Promise<{ id: string; sessions: number; accounts: string[] }> {
  const { store } = context;
  const id = input.id as KeyId;
  const { state } = await demandKey(context, id);
  if (state === 'active') {
    throw new AdminError('conflict', `key ${id} is active: add and activate another key first`);
  }
  const accounts = await accountsSealedUnder(context, id);
  const sessions = await endSessions(context, id);
  if (accounts.length > 0) await resealSecrets(context);
  const references = await store.read.keyReferences(id);
  await change(context, { type: 'close-key', id, as: 'revoked', references });
  await refresh(context);
  return { id, sessions, accounts };
}

async function accountsSealedUnder({ store }: AdminContext, id: KeyId): Promise<AccountId[]> {
  const accounts = await store.read.accounts();
  return accounts
    .filter(({ token, previousToken }) => token.keyId === id || previousToken?.keyId === id)
    .map(({ authId }) => authId);
}

async function endSessions({ store, environment }: AdminContext, id: KeyId): Promise<number> {
  let ended = 0;
  for (;;) {
    const sessions = await store.read.liveSessionsOf(id, BATCH);
    if (sessions.length === 0) return ended;
    const expire = (session: SessionId): Promise<ReportOutcome> =>
      store.submit({ type: 'expire', now: environment.now(), owner: store.epoch, session, force: true });
    const outcomes = await Promise.all(sessions.map(expire));
    const recorded = outcomes.filter(({ kind }) => kind === 'recorded').length;
    // One that ended by itself meanwhile is gone from the next list; a whole list that stays would never end.
    const still = recorded > 0 ? [] : await store.read.liveSessionsOf(id, BATCH);
    if (still.some((session) => sessions.includes(session))) {
      throw new AdminError('failed', `live sessions of key ${id} could not be ended`);
    }
    ended += recorded;
  }
}

async function demandKey({ store }: AdminContext, id: KeyId) {
  const row = (await store.read.keys()).find((key) => key.id === id);
  if (!row) throw new AdminError('not-found', `the database knows no key ${id}: see keys list`);
  return row;
}

async function change(
  { store }: AdminContext,
  command: Extract<Command, { type: 'activate-key' | 'close-key' }>,
): Promise<void> {
  const outcome = await store.submit(command);
  if (outcome.kind === 'conflict') throw new AdminError('conflict', outcome.why);
  if (outcome.kind === 'not-found') {
    throw new AdminError('not-found', `the database knows no key ${command.id}: see keys list`);
  }
}

async function refresh({ store, keys, directory }: AdminContext): Promise<void> {
  await keys.refresh(store);
  directory.clear();
}

async function inBatches<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    await Promise.all(items.slice(start, start + BATCH).map(work));
  }
}
