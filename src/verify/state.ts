import type { Command } from './commands.js';
import type {
  Account,
  AccountId,
  Application,
  ApplicationId,
  Attempt,
  AttemptId,
  Callback,
  CallbackTry,
  Hop,
  IdempotencyRow,
  LiveSession,
  MasterKeyRow,
  OptOut,
  Recipient,
  RecipientBudget,
  Session,
  SessionId,
} from './model.js';

/** What `decide` may read: the rows that the command's look-ups named, as earlier commands left them. */
export interface State {
  account(authId: AccountId): Account | undefined;
  application(uuid: ApplicationId): Application | undefined;
  /** All applications of an account, in no order. */
  applicationsOf(account: AccountId): readonly Application[];
  /** Whether the application has a session that is live at a moment. */
  hasLive(application: ApplicationId, now: number): boolean;
  session(uuid: SessionId): Session | undefined;
  live(application: ApplicationId, recipient: Recipient): LiveSession | undefined;
  attempt(uuid: AttemptId): Attempt | undefined;
  /** All attempts of a session, by sequence. */
  attemptsOf(session: SessionId): readonly Attempt[];
  hop(attempt: AttemptId, number: number): Hop | undefined;
  /** The newest hop with this message id, as SMSCs use ids again. */
  hopByMessage(carrier: string, messageId: string): Hop | undefined;
  callback(attempt: AttemptId, sequence: number): Callback | undefined;
  budget(account: AccountId, recipient: Recipient): RecipientBudget | undefined;
  /** Whether a recipient is on the opt-out list of a main account. */
  optOut(account: AccountId, recipient: Recipient): OptOut | undefined;
  idempotency(key: string): IdempotencyRow | undefined;
  keys(): readonly MasterKeyRow[];
}

/**
 * What a command needs loaded before it is decided. Each names a closed set of rows, so that a store can load
 * a whole batch in one go:
 * - `live`: the live row, its session, that session's attempts; the recipient's budget; where a main account is named,
 *   the recipient's place on its opt-out list; and the idempotency key
 * - `session`: the session, its attempts, its live row, its recipient's budget
 * - `attempt`: the attempt with all its hops, and its session; with `confirmByKey`, that as `session` names it
 * - `message`: the newest hop of a carrier with this message id, and the attempt as above
 * - `callback`: that callback, the one after it, and its attempt
 * - `idempotency`: those keys
 * - `opt-out`: that row
 * - `account`, `keys`: those rows (all master keys)
 * - `applications`: the account and all its applications; of the one named in `live`, or of every one, so many
 *   live rows that the rest of a batch cannot remove them all (`LIVE_SAMPLE`)
 */
export type Lookup =
  | {
      readonly kind: 'live';
      readonly application: ApplicationId;
      readonly account: AccountId;
      readonly recipient: Recipient;
      readonly main?: AccountId;
      readonly idempotency?: string;
    }
  | { readonly kind: 'session'; readonly session: SessionId }
  | { readonly kind: 'attempt'; readonly attempt: AttemptId }
  | { readonly kind: 'message'; readonly carrier: string; readonly messageId: string; readonly since: number }
  | { readonly kind: 'callback'; readonly attempt: AttemptId; readonly sequence: number }
  | { readonly kind: 'opt-out'; readonly account: AccountId; readonly recipient: Recipient }
  | { readonly kind: 'idempotency'; readonly keys: readonly string[] }
  | { readonly kind: 'account'; readonly authId: AccountId }
  | {
      readonly kind: 'applications';
      readonly account: AccountId;
      readonly live: ApplicationId | 'every' | null;
      readonly now: number;
    }
  | { readonly kind: 'keys' };

/** New rows, or rows to be removed. A row replaces the one with the same key. */
export type Change =
  | { readonly table: 'account'; readonly row: Account }
  | { readonly table: 'account'; readonly remove: Account }
  | { readonly table: 'application'; readonly row: Application }
  | { readonly table: 'application'; readonly remove: Application }
  | { readonly table: 'session'; readonly row: Session }
  | { readonly table: 'live'; readonly row: LiveSession }
  | { readonly table: 'live'; readonly remove: Pick<LiveSession, 'application' | 'recipient'> }
  | { readonly table: 'attempt'; readonly row: Attempt }
  | { readonly table: 'hop'; readonly row: Hop }
  | { readonly table: 'callback'; readonly row: Callback }
  | { readonly table: 'callbackTry'; readonly row: CallbackTry }
  | { readonly table: 'budget'; readonly row: RecipientBudget }
  | { readonly table: 'optOut'; readonly row: OptOut }
  | { readonly table: 'optOut'; readonly remove: OptOut }
  | { readonly table: 'idempotency'; readonly row: IdempotencyRow }
  | { readonly table: 'idempotency'; readonly remove: Pick<IdempotencyRow, 'key'> }
  | { readonly table: 'key'; readonly row: MasterKeyRow };

/** How long a carrier's message id can still be meant by a receipt; SMSCs use ids again. Milliseconds. */
export const RECEIPT_VALIDITY = 72 * 3600 * 1000;

/** More live rows of an application than the other commands of one batch can remove. */
export const LIVE_SAMPLE = 1024;

/** The rows that a command names. */
export function lookupOf(command: Command): Lookup {
  switch (command.type) {
    case 'start-attempt':
      return {
        kind: 'live',
        application: command.application.uuid,
        account: command.application.account,
        recipient: command.recipient,
        // Who wants no messages may still be called.
        main: command.channel === 'sms' ? command.main : undefined,
        idempotency: command.idempotency?.key,
      };
    case 'validate':
    case 'expire':
      return { kind: 'session', session: command.session };
    case 'hop-accepted':
    case 'hop-failed':
    case 'give-up':
    case 'reroute':
      return { kind: 'attempt', attempt: command.attempt };
    case 'receipt':
      return command.by.kind === 'hop'
        ? { kind: 'attempt', attempt: command.by.attempt }
        : {
            kind: 'message',
            carrier: command.carrier,
            messageId: command.by.messageId,
            since: command.now - RECEIPT_VALIDITY,
          };
    case 'callback-tried':
    case 'redeliver-callback':
      return { kind: 'callback', attempt: command.attempt, sequence: command.sequence };
    case 'opt-out':
      return { kind: 'opt-out', account: command.optOut.account, recipient: command.optOut.recipient };
    case 'opt-in':
      return { kind: 'opt-out', account: command.account, recipient: command.recipient };
    case 'forget-requests':
      return { kind: 'idempotency', keys: command.keys };
    case 'create-account':
      return { kind: 'account', authId: command.account.authId };
    case 'update-account':
      return { kind: 'account', authId: command.authId };
    case 'delete-account':
      return { kind: 'applications', account: command.authId, live: 'every', now: command.now };
    case 'create-application':
      return { kind: 'applications', account: command.application.account, live: null, now: 0 };
    case 'update-application':
      return { kind: 'applications', account: command.account, live: null, now: command.now };
    case 'delete-application':
      return {
        kind: 'applications',
        account: command.account,
        live: command.application,
        now: command.now,
      };
    case 'add-key':
    case 'activate-key':
    case 'close-key':
      return { kind: 'keys' };
    case 'reseal':
      return command.row.kind === 'account'
        ? { kind: 'account', authId: command.row.authId }
        : { kind: 'session', session: command.row.session };
  }
}
