import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Directory, KnownAccount } from '../../store/directory.js';
import type { Account, AccountId } from '../../verify/model.js';
import { ApiError, UNAUTHORIZED } from '../errors.js';
import { callerAddress } from '../limits/address.js';
import type { AuthenticationGuard } from '../limits/authentication-guard.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The account that the path names, after `authenticate`. */
    account: Account | null;
  }
}

const AUTH_ID = /^[MS]A[A-Z0-9]{18}$/;
const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i;
/** Longest Authorization header that is looked at: ids have 20 characters, tokens 40. */
const MAX_HEADER = 512;
/** Compared with when there is no account, so that its absence takes as long as a wrong token. */
const NOBODY = [digest('')];

/** Digests of an account's tokens, kept as long as the directory keeps the account. */
const digests = new WeakMap<KnownAccount, readonly Buffer[]>();

/**
 * HTTP Basic (RFC 7617) as contract §1 has it: the caller's own account, or (main only) one of its subaccounts,
 * stands in the path. Returns the account of the path.
 * @throws ApiError 401, which never says what was wrong; 429 after too many of those
 */
export async function authenticate(
  directory: Directory,
  guard: AuthenticationGuard,
  request: FastifyRequest,
): Promise<Account> {
  const { authorization } = request.headers;
  // Nothing was guessed.
  if (authorization === undefined) throw new ApiError(UNAUTHORIZED);
  const address = callerAddress(request.ip);
  const credentials = basicCredentials(authorization);
  const authId = credentials && AUTH_ID.test(credentials.user) ? (credentials.user as AccountId) : null;
  guard.admit(address, authId ?? '');

  const caller = authId && (await directory.account(authId));
  const right = isTokenOf(caller, credentials?.password ?? '');
  if (!caller || !right || !(await isEnabled(directory, caller.account))) {
    guard.failed(address, authId);
    throw new ApiError(UNAUTHORIZED);
  }

  const wanted = (request.params as { auth_id: string }).auth_id;
  if (wanted === caller.account.authId) return caller.account;
  const other = AUTH_ID.test(wanted) ? await directory.account(wanted as AccountId) : null;
  if (!other?.account.enabled || other.account.parent !== caller.account.authId) {
    guard.failed(address, null);
    throw new ApiError(UNAUTHORIZED);
  }
  return other.account;
}

function basicCredentials(header: string | undefined): { user: string; password: string } | null {
  if (header === undefined || header.length > MAX_HEADER) return null;
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** A subaccount works only as long as its main account does. */
async function isEnabled(directory: Directory, account: Account): Promise<boolean> {
  if (!account.enabled || account.parent === null) return account.enabled;
  return (await directory.account(account.parent))?.account.enabled ?? false;
}

/** Compares digests, so that neither content nor length of a token shows in the time; every token is compared. */
function isTokenOf(known: KnownAccount | null, password: string): boolean {
  const presented = digest(password);
  let equal = false;
  for (const expected of known ? digestsOf(known) : NOBODY) {
    if (timingSafeEqual(presented, expected)) equal = true;
  }
  return equal && known !== null;
}

function digestsOf(known: KnownAccount): readonly Buffer[] {
  let kept = digests.get(known);
  if (!kept) {
    kept = known.tokens.map(digest);
    digests.set(known, kept);
  }
  return kept;
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
