/**
 * The words of the house as plain rows. Rows are values: nothing changes one in place, a change is a new row.
 * Times are UTC milliseconds since 1970. Ids of sessions and attempts are UUIDv7, so key order is time order.
 */

type Branded<Base, Name extends string> = Base & { readonly __brand: Name };

/** `MA…` (main) or `SA…` (subaccount), 20 characters of `[A-Z0-9]` (contract §1). */
export type AccountId = Branded<string, 'AccountId'>;
export type ApplicationId = Branded<string, 'ApplicationId'>;
export type SessionId = Branded<string, 'SessionId'>;
export type AttemptId = Branded<string, 'AttemptId'>;
/** A phone number as E.164 digits without `+`, found valid by `parseRecipient`. */
export type Recipient = Branded<string, 'Recipient'>;
/** The id of a master key: 8 hexadecimal digits derived from the key itself. */
export type KeyId = Branded<string, 'KeyId'>;

export type Channel = 'sms' | 'voice';
export const CHANNELS: readonly Channel[] = ['sms', 'voice'];

export type CallbackMethod = 'POST' | 'GET';

/** Bytes sealed with AES-256-GCM under a subkey of master key `keyId` (see `keyring.ts`). */
export interface Sealed {
  readonly keyId: KeyId;
  readonly box: Uint8Array;
}

export interface Account {
  readonly authId: AccountId;
  /** The main account of a subaccount; null on a main account. */
  readonly parent: AccountId | null;
  readonly name: string;
  readonly enabled: boolean;
  readonly token: Sealed;
  /** The token before the last rotation, accepted until `previousTokenUntil`. */
  readonly previousToken: Sealed | null;
  readonly previousTokenUntil: number | null;
  /** ISO 3166-1 alpha-2 codes of the only countries that it may send to; null: no restriction of its own. */
  readonly countries: readonly string[] | null;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** A recipient with a fixed code, for reviewers and end-to-end tests: a setting that its account may read. */
export interface TestNumber {
  readonly recipient: Recipient;
  /** 4–8 digits. */
  readonly otp: string;
}

/** Kinds of numbers that no code is sent to unless the application allows them (see `recipients.ts`). */
export type RestrictedNumberType =
  | 'fixed-line'
  | 'company-number'
  | 'premium-rate'
  | 'shared-cost'
  | 'personal-number'
  | 'pager'
  | 'voicemail'
  | 'satellite'
  | 'international-network';

export type FraudShield = 'high' | 'medium' | 'low' | 'off';

/** How one use case of an account sends codes (contract §9). */
export interface Application {
  readonly uuid: ApplicationId;
  readonly account: AccountId;
  readonly alias: string;
  readonly brandName: string;
  /** Message text with `${brand_name}` and `${code}`; '' means the default one in the attempt's locale. */
  readonly template: string;
  /** 4–8. */
  readonly codeLength: number;
  /** Seconds that a session lives, 60–3600. */
  readonly expiry: number;
  /** 1–10. */
  readonly maxAttempts: number;
  readonly channels: readonly Channel[];
  readonly locale: string;
  readonly appHash: string;
  /** Host of the SMS's last line `@domain #code`, '' for none; never beside an `appHash`. */
  readonly domain: string;
  readonly url: string | null;
  readonly method: CallbackMethod;
  readonly fraudShield: FraudShield;
  /** Seconds between two attempts of one session, 0–3600; 0: none. */
  readonly resendCooldown: number;
  /** Recipients to which nothing is sent, each with the code that is right for it. */
  readonly testNumbers: readonly TestNumber[];
  /** Its calls ask the callee to press 1, which verifies the session, and never speak a code. */
  readonly confirmByKey: boolean;
  /** Restricted kinds of numbers that it sends to all the same. */
  readonly numberTypes: readonly RestrictedNumberType[];
  /** Exactly one application of an account is its default. */
  readonly isDefault: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type SessionStatus = 'in-progress' | 'verified' | 'expired';

/** How a session's code is found again: derived from the session's id, or unsealed when the caller chose it. */
export interface SessionCode {
  readonly keyId: KeyId;
  /** Digits, 4–8. */
  readonly length: number;
  /** The caller's own code, sealed to the session's row; null when the code is derived. */
  readonly sealed: Uint8Array | null;
}

/** One verification of one recipient. */
export interface Session {
  readonly uuid: SessionId;
  readonly account: AccountId;
  /** The main account of a subaccount's session; the account itself otherwise. Fixed at the creation. */
  readonly main: AccountId;
  readonly application: ApplicationId;
  readonly alias: string;
  readonly recipient: Recipient;
  /** ISO 3166-1 alpha-2, null for numbers that belong to no country. */
  readonly country: string | null;
  /** Channel and locale of the latest attempt. */
  readonly channel: Channel;
  readonly locale: string;
  /** What is stored; `sessionStatus` says what it is at a moment. */
  readonly status: SessionStatus;
  readonly code: SessionCode;
  readonly url: string | null;
  readonly method: CallbackMethod;
  readonly maxAttempts: number;
  /** Seconds between two attempts, as the application had it; 0: none. */
  readonly resendCooldown: number;
  /** To a test number: nothing is sent, and the code is the application's fixed one. */
  readonly test: boolean;
  /** What being verified costs, as the rate card had it when the session began: an amount (see `amounts.ts`). */
  readonly validationPrice: number;
  /** Number of attempts so far, which is also the sequence of the latest. */
  readonly attempts: number;
  /** Validations used, wrong and right, of `MAX_VALIDATIONS`. */
  readonly validations: number;
  readonly requestorIp: string;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The live session of an application and recipient; at most one, enforced by the key of its table. */
export interface LiveSession {
  readonly application: ApplicationId;
  readonly recipient: Recipient;
  readonly session: SessionId;
  readonly expiresAt: number;
}

export type SmsStatus = 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed';
export type VoiceStatus =
  | 'queued'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'failed';
export type AttemptStatus = SmsStatus | VoiceStatus;

/**
 * Where the work of delivering an attempt stands. `pending`: a hop is still to be tried. `handed`: a carrier
 * has it and may report. `done`: nothing more to do (failed for good, or no longer wanted).
 */
export type DeliveryState = 'pending' | 'handed' | 'done';

/** One delivery within a session. What it renders is fixed when it is accepted (contract §2). */
export interface Attempt {
  readonly uuid: AttemptId;
  readonly session: SessionId;
  readonly account: AccountId;
  /** The session's main account. */
  readonly main: AccountId;
  /** 1-based within the session. */
  readonly sequence: number;
  readonly channel: Channel;
  readonly status: AttemptStatus;
  /** Channel error code (contract §7), null when none. */
  readonly errorCode: number | null;
  readonly locale: string;
  readonly brandName: string;
  readonly appHash: string;
  /** The application's, or '' where `appHash` has the last line. */
  readonly domain: string;
  /** The application's, or the default one that its locale chose. */
  readonly template: string;
  /** The key the callee presses before the code is spoken; voice only. */
  readonly dtmf: number | null;
  /** Voice: the call asks to press 1, which verifies the session, and speaks no code. */
  readonly confirmByKey: boolean;
  readonly fraudCheck: 'enabled' | 'disabled';
  readonly src: string | null;
  /**
   * What one segment (SMS) or one started increment (voice) costs, as the rate card had it when the attempt was
   * accepted: an amount (see `amounts.ts`); null when it costs nothing whatever happens.
   */
  readonly price: number | null;
  /** SMS with a price: segments of the text. */
  readonly segments: number | null;
  /** Voice with a price: seconds of one increment. */
  readonly increment: number | null;
  /** Whether a carrier took it on any hop, which is what costs. */
  readonly taken: boolean;
  /** Voice: seconds that the completed call lasted, null until a carrier told them. */
  readonly duration: number | null;
  readonly delivery: DeliveryState;
  /** Epoch of the node that does the work; meaningful while `delivery` is `pending`. */
  readonly owner: number;
  /** Name of the carrier that is tried next, or that has the attempt. */
  readonly carrier: string | null;
  /** Number of the hop that is tried next, or that has the attempt; 1-based. */
  readonly hop: number;
  /** Tries so far, over all hops; grows the back-off. */
  readonly tries: number;
  /** When the next try is due. */
  readonly nextAt: number;
  /** How often a node took this work over from one that died; past a limit it fails. */
  readonly takeovers: number;
  /** Callbacks made, and of those settled; the next to be sent is `callbacksSettled + 1`. */
  readonly callbacksMade: number;
  readonly callbacksSettled: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * `retrying`: tried without success, to be tried again under the same id. `unanswered`: it may or may not have reached
 * the carrier. The others are final facts or reports.
 */
export type HopState = 'accepted' | 'retrying' | 'unanswered' | 'failed' | 'delivered' | 'undelivered';

/** What follows a submit without an answer: the next try now, or after a receipt was waited for. */
export type UnansweredPolicy = 'resend' | 'wait';

/** A price in a currency of ISO 4217; the amount is a decimal. */
export interface Cost {
  readonly amount: string;
  readonly currency: string;
}

/** One try of an attempt on one carrier. */
export interface Hop {
  readonly attempt: AttemptId;
  readonly number: number;
  readonly carrier: string;
  /** The carrier's own message id; null until it told one. */
  readonly messageId: string | null;
  readonly state: HopState;
  /** Why it did not succeed, in a few words without personal data; null otherwise. */
  readonly reason: string | null;
  readonly errorCode: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** What followed when a submit of it got no answer; null when none went unanswered. */
  readonly unanswered: UnansweredPolicy | null;
  /** What the carrier says that it cost; null when it does not say. */
  readonly cost: Cost | null;
}

/** `held`: an earlier callback of the same attempt is not settled yet. `failed`: the last retry failed. */
export type CallbackState = 'ready' | 'held' | 'delivered' | 'failed';

/** One HTTP call to the customer, its content fixed when the event happened (contract §6). */
export interface Callback {
  readonly attempt: AttemptId;
  /** 1-based within the attempt, in the order of the events. */
  readonly sequence: number;
  readonly session: SessionId;
  readonly account: AccountId;
  readonly url: string;
  readonly method: CallbackMethod;
  /** `host:port` of the URL: the lane that it waits in. */
  readonly host: string;
  /** The parameters, `application/x-www-form-urlencoded`. */
  readonly body: string;
  readonly state: CallbackState;
  readonly owner: number;
  /** Tries so far, redeliveries included; never goes back. */
  readonly tries: number;
  /** Tries made before the redelivery that was asked for last, by hand; 0 when none was. */
  readonly triesBefore: number;
  readonly nextAt: number;
  /** HTTP status of the last answer; null when there was none. */
  readonly httpStatus: number | null;
  /** Why the last try failed, in a few words; null when it did not. */
  readonly reason: string | null;
  /** When the last try ended; null when none did since the log was written (see `lastTry`). */
  readonly triedAt: number | null;
  /** Of that try, as in `CallbackTry`. */
  readonly latency: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * One try of a callback, as it ended: the log that an operator reads. A row of its own only when another try follows:
 * most callbacks succeed at once, and the last try stands in the callback's own row.
 */
export interface CallbackTry {
  readonly attempt: AttemptId;
  readonly sequence: number;
  /** 1-based within the callback. */
  readonly number: number;
  /** When it ended. */
  readonly at: number;
  /** HTTP status of the answer; null when there was none. */
  readonly httpStatus: number | null;
  /** Why it failed, in a few words; null when it did not. */
  readonly reason: string | null;
  /** Milliseconds until the answer, or until it was given up; null when nothing was sent. */
  readonly latency: number | null;
  /** When the callback is tried again; null when this was the last try of its schedule. */
  readonly nextAt: number | null;
  /** It belongs to a redelivery that was asked for by hand. */
  readonly byHand: boolean;
}

/** A recipient that wants no SMS of a main account and its subaccounts any more. */
export interface OptOut {
  readonly account: AccountId;
  readonly recipient: Recipient;
  /** `message`: the recipient's own STOP. `api`: the account. `operator`: the command line. */
  readonly source: 'message' | 'api' | 'operator';
  /** The carrier that the recipient's message came through; null for the other sources. */
  readonly carrier: string | null;
  readonly createdAt: number;
}

/** Times of the failed validations of a recipient within the last 24 h, oldest first (contract §3). */
export interface RecipientBudget {
  readonly account: AccountId;
  readonly recipient: Recipient;
  readonly failures: readonly number[];
}

/** An accepted create that had an `Idempotency-Key`: what a repeat is compared with, and its answer. */
export interface IdempotencyRow {
  /** SHA-256 of account and key, base64url. */
  readonly key: string;
  /** HMAC-SHA256 of the body's digest under a subkey of `keyId`. */
  readonly fingerprint: Uint8Array;
  readonly keyId: KeyId;
  readonly session: SessionId;
  readonly createdAt: number;
}

/** `active`: seals and derives. `standby`: opens and checks only. `retired`, `revoked`: no longer used at all. */
export type KeyState = 'active' | 'standby' | 'retired' | 'revoked';

/** What the store knows of a master key: never the key, only a value that proves it is the same. */
export interface MasterKeyRow {
  readonly id: KeyId;
  readonly check: Uint8Array;
  readonly state: KeyState;
  readonly createdAt: number;
}

/** Validations that a session allows, wrong and right together (contract §3). */
export const MAX_VALIDATIONS = 10;

/** The key that verifies the session, of a call with `confirmByKey`. */
export const CONFIRMING_KEY = 1;

/** The window of `RecipientBudget`, in milliseconds. */
export const BUDGET_WINDOW = 24 * 3600 * 1000;

/** A session whose time has passed reads `expired` at once, whether or not anything has swept it (contract §4). */
export function sessionStatus(session: Session, now: number): SessionStatus {
  return session.status === 'in-progress' && session.expiresAt <= now ? 'expired' : session.status;
}

/** Whether an account may see and validate a session: it is its own, or that of one of its subaccounts. */
export function mayUse(account: AccountId, session: Pick<Session, 'account' | 'main'>): boolean {
  return session.account === account || session.main === account;
}

/** The id of a hop as carriers see it: known before the submit, the same after a crash. */
export function hopId(attempt: AttemptId, number: number): string {
  return `${attempt}.${number}`;
}

/** The parts of a hop id, or null for what is none. */
export function parseHopId(id: string): { attempt: AttemptId; number: number } | null {
  return parseNumbered(id);
}

/** The id of a callback in the API. */
export function callbackId(attempt: AttemptId, sequence: number): string {
  return `${attempt}.${sequence}`;
}

/** The parts of a callback's id, or null for what is none. */
export function parseCallbackId(id: string): { attempt: AttemptId; sequence: number } | null {
  const parts = parseNumbered(id);
  return parts && { attempt: parts.attempt, sequence: parts.number };
}

function parseNumbered(id: string): { attempt: AttemptId; number: number } | null {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]{0,3})$/.exec(id);
  return match ? { attempt: match[1] as AttemptId, number: Number(match[2]) } : null;
}
