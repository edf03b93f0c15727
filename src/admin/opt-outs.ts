import type { Account, AccountId, OptOut, Recipient } from '../verify/model.js';
import { type OptOutFields, optOutFields } from '../verify/opt-out-fields.js';
import { parseRecipient } from '../verify/recipients.js';
import type { AdminContext } from './context.js';
import { AdminError } from './error.js';

interface Place {
  readonly account?: string;
  readonly recipient: string;
}

/** How many rows are read at a time. */
const PAGE = 100;

/** Puts a recipient on the opt-out list of a main account: the one named, or the only one. */
export async function addOptOut(context: AdminContext, place: Place): Promise<OptOutFields> {
  const { store, environment } = context;
  const [account, recipient] = [await mainAccount(context, place.account), readRecipient(place.recipient)];
  const createdAt = environment.now();
  const optOut: OptOut = { account, recipient, source: 'operator', carrier: null, createdAt };
  await store.submit({ type: 'opt-out', optOut });
  return optOutFields((await store.read.optOut(account, recipient)) ?? optOut);
}

/** Takes a recipient off the list. */
export async function removeOptOut(context: AdminContext, place: Place): Promise<{ recipient: string }> {
  const [account, recipient] = [await mainAccount(context, place.account), readRecipient(place.recipient)];
  const outcome = await context.store.submit({ type: 'opt-in', account, recipient });
  if (outcome.kind === 'not-found') {
    throw new AdminError('not-found', `${recipient} is not on the opt-out list of ${account}`);
  }
  return { recipient };
}

/** The opt-out list of a main account, newest first. */
export async function listOptOuts(
  context: AdminContext,
  { account, limit = 1_000 }: { account?: string; limit?: number },
): Promise<OptOutFields[]> {
  const main = await mainAccount(context, account);
  const found: OptOut[] = [];
  while (found.length < limit) {
    const query = { account: main, limit: Math.min(PAGE, limit - found.length), offset: found.length };
    const page = await context.store.read.optOuts(query);
    found.push(...page);
    if (page.length < query.limit) break;
  }
  return found.map(optOutFields);
}

function readRecipient(text: string): Recipient {
  const parsed = parseRecipient(text);
  if (!parsed) {
    throw new AdminError('invalid', 'recipient: expected a valid phone number in international format');
  }
  return parsed.recipient;
}

async function mainAccount({ store }: AdminContext, authId: string | undefined): Promise<AccountId> {
  if (authId !== undefined) {
    const account: Account | null = await store.read.account(authId as AccountId);
    if (!account) throw new AdminError('not-found', `there is no account ${authId}: see account list`);
    return account.parent ?? account.authId;
  }
  const mains = (await store.read.accounts()).filter(({ parent }) => parent === null);
  const [only] = mains;
  if (!only || mains.length > 1) {
    throw new AdminError(
      'invalid',
      `account: expected an auth id, as there are ${mains.length} main accounts`,
    );
  }
  return only.authId;
}
