import type {
  Account,
  AccountId,
  Application,
  ApplicationId,
  Attempt,
  AttemptId,
  AttemptStatus,
  Callback,
  CallbackMethod,
  Channel,
  Cost,
  KeyId,
  MasterKeyRow,
  OptOut,
  Recipient,
  Session,
  SessionCode,
  SessionId,
  UnansweredPolicy,
} from './model.js';
import type { Price } from './rate-card.js';

/**
 * Commands are the only thing that changes state. A command carries its own ids, time and randomness, so that
 * `decide` is a pure function of rows and command. `owner` is the epoch of the node that sends it: that node
 * does the work which follows, and only an intention (a retry, giving up) is refused when it no longer owns.
 */
export type Command =
  | StartAttempt
  | Validate
  | HopAccepted
  | HopFailed
  | Receipt
  | GiveUp
  | Reroute
  | OptOutRecipient
  | OptInRecipient
  | CallbackTried
  | RedeliverCallback
  | Expire
  | ForgetRequests
  | CreateAccount
  | UpdateAccount
  | DeleteAccount
  | CreateApplication
  | UpdateApplication
  | DeleteApplication
  | AddKey
  | ActivateKey
  | CloseKey
  | Reseal;

/** Starts a session, or adds an attempt to the live one of the application and recipient (contract §2). */
export interface StartAttempt {
  readonly type: 'start-attempt';
  readonly now: number;
  readonly owner: number;
  /** The id of the session if a new one starts. */
  readonly session: SessionId;
  readonly attempt: AttemptId;
  /** The application as the caller's node saw it; its rules are fixed in a new session. */
  readonly application: Pick<
    Application,
    | 'uuid'
    | 'account'
    | 'alias'
    | 'expiry'
    | 'maxAttempts'
    | 'resendCooldown'
    | 'template'
    | 'domain'
    | 'url'
    | 'method'
    | 'confirmByKey'
  >;
  /** The main account of the application's account, or that account itself. */
  readonly main: AccountId;
  readonly recipient: Recipient;
  readonly country: string | null;
  readonly channel: Channel;
  readonly locale: string;
  readonly brandName: string;
  readonly appHash: string;
  /** Length of a new session's code. */
  readonly codeLength: number;
  /** A code the caller chose, or a test number's; null to derive one. Never stored as it is. */
  readonly otp: string | null;
  /** The recipient is a test number of the application: a session that starts now sends nothing. */
  readonly test: boolean;
  /** 12 random bytes, used once to seal `otp`. */
  readonly nonce: Uint8Array;
  /** Callback URL and method of this request; null keeps the session's. */
  readonly url: string | null;
  readonly method: CallbackMethod | null;
  readonly dtmf: number | null;
  readonly fraudCheck: 'enabled' | 'disabled';
  readonly src: string | null;
  readonly requestorIp: string;
  /** What the attempt costs if a carrier takes it; null: nothing. */
  readonly price: Price | null;
  /** What a session that starts now costs when it is verified: an amount (see `amounts.ts`). */
  readonly validationPrice: number;
  /** The carrier of the first hop; null when no route serves this channel and recipient. */
  readonly carrier: string | null;
  /** Failed validations of a recipient in 24 h past which creates are refused. */
  readonly failedValidationsLimit: number;
  /** Absent: every create is one of its own. */
  readonly idempotency?: IdempotentRequest;
}

/** What tells whether a create is a repeat. */
export interface IdempotentRequest {
  /** SHA-256 of account and `Idempotency-Key`, base64url. */
  readonly key: string;
  /** SHA-256 of the body's canonical form. Never stored as it is: the body may have a code. */
  readonly digest: Uint8Array;
}

/** Asks whether the code that a person typed is right (contract §3). */
export interface Validate {
  readonly type: 'validate';
  readonly now: number;
  readonly owner: number;
  readonly account: AccountId;
  readonly session: SessionId;
  /** 1–8 digits. */
  readonly otp: string;
  /** The code came as a JSON number: leading zeros are restored to the session's length. */
  readonly numeric: boolean;
  readonly failedValidationsLimit: number;
}

/** A carrier took the message: a fact, recorded whoever learns it. */
export interface HopAccepted {
  readonly type: 'hop-accepted';
  readonly now: number;
  readonly owner: number;
  readonly attempt: AttemptId;
  readonly number: number;
  readonly carrier: string;
  readonly messageId: string | null;
  /** What the carrier said of the message in the same breath; absent: only that it took it. */
  readonly status?: AttemptStatus;
  /**
   * It is about to bring the message, and must not if the attempt is another's or no longer wanted: an intention, and the
   * mark that the attempt is never tried again. Of an attempt with `confirmByKey`: the callee pressed the key, and the
   * session is verified by it.
   */
  readonly claim?: boolean;
  readonly cost?: Cost;
}

/** A try on a carrier did not succeed: the fact, and what the owner intends next. */
export interface HopFailed {
  readonly type: 'hop-failed';
  readonly now: number;
  readonly owner: number;
  readonly attempt: AttemptId;
  readonly number: number;
  readonly carrier: string;
  readonly errorCode: number;
  readonly reason: string;
  /** What the attempt comes to if nothing follows; absent: `failed`. */
  readonly status?: AttemptStatus;
  /** It got no answer, so the carrier may have the message all the same; absent: it does not. */
  readonly unanswered?: UnansweredPolicy;
  /** It was stopped, or not begun, since it was not wanted: no failure of the carrier's. */
  readonly unwanted?: boolean;
  readonly next:
    | { readonly kind: 'fail' }
    /** Try again: on the same hop (its id repeats, so the carrier can tell) or on the next one. */
    | { readonly kind: 'retry'; readonly carrier: string; readonly at: number; readonly sameHop: boolean };
}

/** What a carrier reported later about a message it took. Found by hop, or by carrier and message id. */
export interface Receipt {
  readonly type: 'receipt';
  readonly now: number;
  readonly owner: number;
  readonly carrier: string;
  readonly by:
    | { readonly kind: 'hop'; readonly attempt: AttemptId; readonly number: number }
    | { readonly kind: 'message'; readonly messageId: string };
  /** By hop: the carrier's id of the message, for a hop that has none. */
  readonly messageId?: string;
  readonly status: AttemptStatus;
  readonly errorCode: number | null;
  /** The hop is still being tried: the status is shown, and the attempt stays to be delivered. */
  readonly underWay?: boolean;
  /** Of a completed call: its seconds, 0 to `MAX_CALL_SECONDS`; absent when the carrier does not tell. */
  readonly duration?: number;
  /** Of an attempt with `confirmByKey`: the callee pressed the key. It ends the attempt as `completed`. */
  readonly confirmed?: boolean;
  readonly cost?: Cost;
}

/** The owner moves an attempt that waits for a carrier which is down to another one: an intention. */
export interface Reroute {
  readonly type: 'reroute';
  readonly now: number;
  readonly owner: number;
  readonly attempt: AttemptId;
  /** As the attempt stood when that was decided; meanwhile it may have gone on. */
  readonly number: number;
  readonly tries: number;
  readonly carrier: string;
}

/** The owner stops trying: an intention. Of an attempt that was dropped, how it ended: a fact. */
export interface GiveUp {
  readonly type: 'give-up';
  readonly now: number;
  readonly owner: number;
  readonly attempt: AttemptId;
  /**
   * Null: that of the last try that failed, if one did. Of a dropped attempt null says that it is not being handed over, so
   * that one that got no answer may still have arrived; a code, that nobody will ever tell.
   */
  readonly errorCode: number | null;
}

/** One try of a callback ended. Success is a fact; the retry after a failure is an intention. */
export interface CallbackTried {
  readonly type: 'callback-tried';
  readonly now: number;
  readonly owner: number;
  readonly attempt: AttemptId;
  readonly sequence: number;
  readonly ok: boolean;
  /** False when trying again cannot help, such as for an address that is refused. */
  readonly retriable: boolean;
  readonly httpStatus: number | null;
  readonly reason: string | null;
  /** Milliseconds, whole; null when nothing was sent. */
  readonly latency: number | null;
  /** As the callback had it when it was tried: a try of an earlier schedule settles no later one. */
  readonly triesBefore: number;
}

/** Sends a settled callback once more, by the schedule of retries anew: asked for by hand. */
export interface RedeliverCallback {
  readonly type: 'redeliver-callback';
  readonly now: number;
  readonly owner: number;
  readonly account: AccountId;
  readonly session: SessionId;
  readonly attempt: AttemptId;
  readonly sequence: number;
}

/** Ends a session whose time has passed, or (with `force`) one whose key is compromised. */
export interface Expire {
  readonly type: 'expire';
  readonly now: number;
  readonly owner: number;
  readonly session: SessionId;
  readonly force: boolean;
}

/** Forgets idempotency keys whose time has passed. */
export interface ForgetRequests {
  readonly type: 'forget-requests';
  readonly now: number;
  readonly keys: readonly string[];
}

/** Puts a recipient on the opt-out list of a main account; one that is on it stays as it is. */
export interface OptOutRecipient {
  readonly type: 'opt-out';
  readonly optOut: OptOut;
}

/** Takes a recipient off the opt-out list of a main account. */
export interface OptInRecipient {
  readonly type: 'opt-in';
  readonly account: AccountId;
  readonly recipient: Recipient;
}

/** Adds an account and its default application. */
export interface CreateAccount {
  readonly type: 'create-account';
  readonly account: Account;
  readonly application: Application;
}

export interface UpdateAccount {
  readonly type: 'update-account';
  readonly now: number;
  readonly authId: AccountId;
  readonly changes: Partial<
    Pick<Account, 'name' | 'enabled' | 'token' | 'previousToken' | 'previousTokenUntil' | 'countries'>
  >;
}

/** Ends a subaccount with its applications; its sessions stay for the main account's lists. */
export interface DeleteAccount {
  readonly type: 'delete-account';
  readonly now: number;
  readonly authId: AccountId;
  /** The main account that it must belong to. */
  readonly parent: AccountId;
}

/** Adds an application; as the account's default it takes that place from the one before. */
export interface CreateApplication {
  readonly type: 'create-application';
  readonly application: Application;
}

/** Changes the rules of sessions that start from now on; live ones keep theirs. */
export interface UpdateApplication {
  readonly type: 'update-application';
  readonly now: number;
  readonly account: AccountId;
  readonly application: ApplicationId;
  readonly changes: ApplicationChanges;
}

export type ApplicationChanges = Partial<Omit<Application, 'uuid' | 'account' | 'createdAt' | 'updatedAt'>>;

/** Removes an application that is not the default and has no live session. */
export interface DeleteApplication {
  readonly type: 'delete-application';
  readonly now: number;
  readonly account: AccountId;
  readonly application: ApplicationId;
}

/** Makes a master key known; the first becomes active, later ones stand by. */
export interface AddKey {
  readonly type: 'add-key';
  readonly key: Omit<MasterKeyRow, 'state'>;
}

/** From now on seals and derives with this key; the active one stands by. */
export interface ActivateKey {
  readonly type: 'activate-key';
  readonly id: KeyId;
}

/** Retires a key that nothing refers to any more, or revokes a compromised one. */
export interface CloseKey {
  readonly type: 'close-key';
  readonly id: KeyId;
  readonly as: 'retired' | 'revoked';
  /** Rows still sealed or derived under the key, as counted by the caller just before. */
  readonly references: number;
}

/** Seals again, under the active key, what one row holds sealed under another. */
export interface Reseal {
  readonly type: 'reseal';
  readonly row:
    | { readonly kind: 'account'; readonly authId: AccountId }
    | { readonly kind: 'session'; readonly session: SessionId };
  /** Two times 12 random bytes. */
  readonly nonces: readonly [Uint8Array, Uint8Array];
}

/** What is to be done in the world after the commit. The row that demands it is already durable. */
export type Effect =
  | { readonly kind: 'deliver'; readonly delivery: Delivery }
  /** Work in memory on this attempt is no longer wanted. */
  | { readonly kind: 'drop'; readonly attempt: AttemptId }
  | { readonly kind: 'callback'; readonly callback: Callback };

/** One attempt to be delivered: what the dispatcher needs of the attempt and its session. */
export interface Delivery
  extends Pick<
      Attempt,
      | 'session'
      | 'account'
      | 'main'
      | 'sequence'
      | 'channel'
      | 'locale'
      | 'brandName'
      | 'appHash'
      | 'domain'
      | 'template'
      | 'dtmf'
      | 'confirmByKey'
      | 'src'
      | 'hop'
      | 'tries'
      | 'nextAt'
      | 'takeovers'
    >,
    Pick<Session, 'recipient' | 'country' | 'application' | 'alias' | 'expiresAt'> {
  readonly attempt: AttemptId;
  readonly carrier: string;
  readonly code: SessionCode;
}

export type StartAttemptOutcome =
  | { readonly kind: 'started'; readonly session: SessionId; readonly isNew: boolean }
  /** The same request was accepted before: its answer, and nothing is sent. */
  | { readonly kind: 'repeated'; readonly session: SessionId }
  | {
      readonly kind: 'refused';
      readonly reason: 'attempts' | 'validations' | 'recipient' | 'app-hash' | 'idempotency-key';
    }
  /** Too soon after the last attempt; `wait`: milliseconds until the next is allowed. */
  | { readonly kind: 'cooling'; readonly wait: number };

export type ValidateOutcome = {
  readonly kind:
    | 'validated'
    | 'invalid'
    | 'expired'
    | 'already-verified'
    | 'too-many-validations'
    | 'recipient-exhausted'
    | 'not-found'
    | 'unknown-key';
};

/** `recorded`: something changed. `stale`: nothing to change any more. `not-owner`: an intention was fenced. */
export type ReportOutcome = {
  readonly kind: 'recorded' | 'stale' | 'not-owner' | 'unknown';
  /** The attempt, its channel and status after the report; set when it was found. */
  readonly status?: AttemptStatus;
  readonly channel?: Channel;
  readonly attempt?: AttemptId;
  /** A receipt brought the attempt to another status: a repeat does not. */
  readonly moved?: true;
  /** The session became verified with it. */
  readonly verified?: true;
};

export type RedeliverOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'not-found' }
  /** It is not settled: `ready` is due at `nextAt`, `held` waits for an earlier one of its attempt. */
  | { readonly kind: 'unsettled'; readonly state: 'ready' | 'held'; readonly nextAt: number }
  /** It has been tried `MAX_CALLBACK_TRIES` times or more. */
  | { readonly kind: 'exhausted' };

export type ChangeOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'conflict'; readonly why: string }
  | { readonly kind: 'not-found' };

/** The outcome that belongs to a command. */
export type OutcomeOf<C extends Command> = C extends StartAttempt
  ? StartAttemptOutcome
  : C extends Validate
    ? ValidateOutcome
    : C extends HopAccepted | HopFailed | Receipt | GiveUp | Reroute | CallbackTried | Expire
      ? ReportOutcome
      : C extends RedeliverCallback
        ? RedeliverOutcome
        : ChangeOutcome;

export type Outcome = OutcomeOf<Command>;
