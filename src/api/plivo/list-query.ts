import type { SessionQuery } from '../../store/store.js';
import type { Account, AccountId, SessionStatus } from '../../verify/model.js';
import { formatTime } from '../../verify/time.js';
import { isUuid } from '../../verify/uuid.js';
import { badRequest } from '../errors.js';
import type { Schema } from '../reference/operation.js';
import { integerParameter, parameter, parameterOf, recipientParameter } from './query.js';
import { sessionTimeRange, TIME_FORMAT } from './session-time.js';

/** Contract §5. */
export const MAX_LIMIT = 20;
export const MAX_OFFSET = 100_000;

/** `validated` is what the PHP SDK's documentation calls `verified`. */
const STATUSES: Record<string, SessionStatus> = {
  'in-progress': 'in-progress',
  verified: 'verified',
  validated: 'verified',
  expired: 'expired',
};

const TIME = {
  type: 'string',
  pattern: TIME_FORMAT.source,
} as const;

const HASH: Schema = { type: 'string', description: 'of any attempt, to the letter' };
const BRAND: Schema = { type: 'string', description: 'of any attempt, to the letter' };

/** The filters of contract §5, for the reference. */
export const FILTERS: Readonly<Record<string, Schema>> = {
  status: { type: 'string', enum: Object.keys(STATUSES), description: '`validated` means `verified`' },
  recipient: {
    type: 'string',
    pattern: '^[ .()+-]*([0-9][ .()+-]*){1,15}$',
    description: 'punctuation is dropped',
  },
  app_uuid: { type: 'string', format: 'uuid', description: 'the application' },
  alias: { type: 'string', description: "the application's, to the letter" },
  country: { type: 'string', pattern: '^[A-Za-z]{2}$', description: 'ISO 3166-1 alpha-2, in either case' },
  brand_name: BRAND,
  BrandName: { ...BRAND, description: 'the same as `brand_name`, as the Go SDK spells it' },
  app_hash: HASH,
  AppHash: { ...HASH, description: 'the same as `app_hash`, as the Go SDK spells it' },
  subaccount: {
    type: 'string',
    pattern: '^[MS]A[A-Z0-9]{18}$',
    description: "a subaccount of this main account, or the account's own auth id for only its own",
  },
  session_time: { ...TIME, description: 'within this minute, second or fraction, UTC' },
  session_time__gt: { ...TIME, description: 'after' },
  session_time__gte: { ...TIME, description: 'from then on' },
  session_time__lt: { ...TIME, description: 'before' },
  session_time__lte: { ...TIME, description: 'until then' },
  session_time_gt: { ...TIME, description: 'after, as the Node SDK spells it' },
  session_time_gte: { ...TIME, description: 'from then on, as the Node SDK spells it' },
  session_time_lt: { ...TIME, description: 'before, as the Node SDK spells it' },
  session_time_lte: { ...TIME, description: 'until then, as the Node SDK spells it' },
};

/**
 * The list that the query parameters ask for. Unknown and empty parameters are ignored.
 * @param oldest what was created before is not shown any more, milliseconds since 1970
 */
export function listQuery(account: Account, query: unknown, now: number, oldest: number): SessionQuery {
  const application = parameter(query, 'app_uuid')?.toLowerCase();
  if (application !== undefined && !isUuid(application)) {
    throw badRequest('app_uuid must be the UUID of an application');
  }
  const { since, until } = sessionTimeRange(query, now);
  return {
    main: account.parent ?? account.authId,
    account: listedAccount(account, parameter(query, 'subaccount')),
    since: Math.max(since, oldest),
    until,
    status: readStatus(parameter(query, 'status')),
    recipient: recipientParameter(query),
    application,
    alias: parameter(query, 'alias'),
    country: readCountry(parameter(query, 'country')),
    // The second spelling is the Go SDK's (contract §8).
    brandName: parameterOf(query, 'brand_name', 'BrandName'),
    // A plus sign that was not escaped arrives as a space, which no hash has.
    appHash: parameterOf(query, 'app_hash', 'AppHash')?.replaceAll(' ', '+'),
    now,
    limit: integerParameter(query, 'limit', { min: 1, max: MAX_LIMIT, otherwise: MAX_LIMIT }),
    offset: integerParameter(query, 'offset', { min: 0, max: MAX_OFFSET, otherwise: 0 }),
  };
}

/** The path of another page of the same list. The bounds of its time are fixed, so that pages do not shift. */
export function pagePath(account: Account, query: SessionQuery, offset: number): string {
  const parameters = new URLSearchParams({ limit: String(query.limit), offset: String(offset) });
  if (query.status) parameters.set('status', query.status);
  if (query.recipient) parameters.set('recipient', query.recipient);
  if (query.application) parameters.set('app_uuid', query.application);
  if (query.alias) parameters.set('alias', query.alias);
  if (query.country) parameters.set('country', query.country);
  if (query.brandName) parameters.set('brand_name', query.brandName);
  if (query.appHash) parameters.set('app_hash', query.appHash);
  if (query.account && account.parent === null) parameters.set('subaccount', query.account);
  parameters.set('session_time__gte', formatTime(query.since));
  parameters.set('session_time__lt', formatTime(query.until));
  return `/v1/Account/${account.authId}/Verify/Session/?${parameters}`;
}

function readStatus(text: string | undefined): SessionStatus | undefined {
  if (text === undefined) return undefined;
  if (!Object.hasOwn(STATUSES, text)) throw badRequest('status must be in-progress, verified or expired');
  return STATUSES[text];
}

function readCountry(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!/^[A-Za-z]{2}$/.test(text))
    throw badRequest('country must be a code of ISO 3166-1 alpha-2 such as US');
  return text.toUpperCase();
}

/**
 * The only account whose rows are listed; none: those of a main account and all its subaccounts. A main account may
 * ask for one, which may be deleted by now; a subaccount sees none but itself.
 */
export function listedAccount(account: Account, subaccount: string | undefined): AccountId | undefined {
  const isMain = account.parent === null;
  if (subaccount === undefined) return isMain ? undefined : account.authId;
  if (subaccount === account.authId) return account.authId;
  if (!isMain || !/^SA[A-Z0-9]{18}$/.test(subaccount)) {
    throw badRequest('subaccount must be the auth id of a subaccount of this account');
  }
  return subaccount as AccountId;
}
