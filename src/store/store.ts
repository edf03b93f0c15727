import type { Command, Delivery, Effect, OutcomeOf } from '../verify/commands.js';
import type { KeyringData } from '../verify/keyring.js';
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
  KeyId,
  MasterKeyRow,
  OptOut,
  Recipient,
  Session,
  SessionId,
  SessionStatus,
} from '../verify/model.js';

/**
 * Durability. A store runs `decide` inside its transactions, so that every database has one and the same
 * logic; many commands share one commit. Nothing here assumes that only one process uses the database.
 */
export interface Store {
  /** Identifies this start of this node among all starts of all nodes; it owns the work that it begins. */
  readonly epoch: number;

  /**
   * Decides a command and makes what it changed durable; resolves after the commit.
   * @throws StoreError `unavailable`: nothing was changed, try again later. `failed`: nothing was changed, and
   * trying again will not help.
   */
  submit<C extends Command>(command: C): Promise<OutcomeOf<C>>;

  /** Sets who is told, after each commit and before its commands are answered, what is to be done. */
  onEffects(listener: (effects: readonly Effect[]) => void): void;

  /** Whether this node still owns its work, by the monotonic clock; asked before every side effect. */
  holds(): boolean;

  /** Proves that this node lives. Called every few seconds; does nothing where the database is held alone. */
  heartbeat(): Promise<void>;

  /** Makes the unfinished work of dead nodes this node's own. Resolves to how much there was. */
  takeOver(): Promise<number>;

  /** The keys that `decide` uses from the next commit on. */
  useKeyring(keyring: KeyringData): Promise<void>;

  readonly read: Reader;

  /**
   * Deletes what is too old to keep, the oldest first, in one short transaction between commits: sessions that
   * have ended, with their attempts, hops, callbacks and their tries, none of which is still to be done; budgets; and nodes that
   * ended and left no work behind.
   * @param limit most sessions, and most budgets, of one call
   */
  purge(before: PurgeTimes, limit: number): Promise<Purged>;

  /** Commands that wait for a commit, and what the commits so far were like. */
  load(): StoreLoad;

  /** Writes a consistent copy of a database that is in use. Only an embedded database can. */
  backup?(path: string): Promise<void>;

  /** Waits for what was submitted, says that this node stopped in good order, and lets go of the database. */
  close(): Promise<void>;
}

/** What is older goes; milliseconds since 1970. */
export interface PurgeTimes {
  /** By creation; for nodes, by start. */
  readonly sessions: number;
  /** By the latest failed validation of a recipient. */
  readonly budgets: number;
}

/** What one call deleted. Where it is the limit, there may be more. */
export interface Purged {
  readonly sessions: number;
  readonly budgets: number;
}

export interface StoreLoad {
  readonly waiting: number;
}

/** What a commit was like; for metrics. */
export interface CommitObservation {
  readonly commands: number;
  /** Milliseconds from handing the batch over until it was durable. */
  readonly duration: number;
}

/** `too-wide`: a list whose filters match too few of too many sessions to be searched; ask for less time. */
export class StoreError extends Error {
  constructor(
    readonly kind: 'unavailable' | 'failed' | 'too-wide',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StoreError';
  }
}

export interface SessionView {
  readonly session: Session;
  /** By sequence. */
  readonly attempts: readonly Attempt[];
}

/** A callback with its log. */
export interface CallbackRecord {
  readonly callback: Callback;
  /** The latest tries, oldest first. */
  readonly tries: readonly CallbackTry[];
}

/** Which sessions a list shows; all conditions hold together. Newest first. */
export interface SessionQuery {
  /** The main account whose sessions and subaccounts' sessions are meant. */
  readonly main: AccountId;
  /** Only those of this account; absent: of the main account and every subaccount. */
  readonly account?: AccountId;
  /** By creation: from `since` on and before `until`, milliseconds. */
  readonly since: number;
  readonly until: number;
  readonly status?: SessionStatus;
  readonly recipient?: string;
  readonly application?: string;
  readonly alias?: string;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  /** Of any attempt of the session. Neither is empty. */
  readonly brandName?: string;
  readonly appHash?: string;
  /** At which moment the status is meant. */
  readonly now: number;
  /** 1–21 (a page of contract §5, and one more to know whether another follows) and 0–100,000. */
  readonly limit: number;
  readonly offset: number;
}

/** A page of applications, newest first. */
export interface ApplicationQuery {
  /** The account whose applications are meant. */
  readonly account: AccountId;
  /** Whether those of its subaccounts are too. */
  readonly withSubaccounts: boolean;
  readonly limit: number;
  readonly offset: number;
}

/** A page of the opt-out list of a main account, newest first. */
export interface OptOutQuery {
  readonly account: AccountId;
  readonly limit: number;
  readonly offset: number;
}

/** Work of one lane: the carrier of deliveries, the host of callbacks. */
export interface LaneDue {
  readonly lane: string;
  /** When the earliest is due. */
  readonly nextAt: number;
}

/** Rows of a lane that are due, earliest first, and when the next one that is not will be (null: none). */
export interface Due<Item> {
  readonly items: readonly Item[];
  readonly nextAt: number | null;
}

/** A message that a carrier took. */
export interface TakenMessage {
  readonly session: Session;
  readonly attempt: Attempt;
  readonly hop: Hop;
}

/** An SMS that a carrier has, and may still report on; with what its route is chosen by. */
export interface HandedMessage extends Pick<Session, 'recipient' | 'country' | 'application' | 'alias'> {
  readonly attempt: AttemptId;
  readonly carrier: string;
  /** When the carrier took it, milliseconds since 1970. */
  readonly handedAt: number;
  readonly src: string | null;
}

/** Reads see everything that was committed before they were asked for. They never hold up a commit. */
export interface Reader {
  account(authId: AccountId): Promise<Account | null>;
  accounts(): Promise<Account[]>;
  /** A page of the subaccounts of a main account, newest first, and how many there are. */
  subaccounts(
    main: AccountId,
    limit: number,
    offset: number,
  ): Promise<{ accounts: Account[]; total: number }>;
  application(uuid: ApplicationId): Promise<Application | null>;
  defaultApplication(account: AccountId): Promise<Application | null>;
  applications(query: ApplicationQuery): Promise<Application[]>;
  session(uuid: SessionId): Promise<SessionView | null>;
  /**
   * One filter is answered exactly, whatever it matches. Of several together, no more than some 100,000 sessions
   * are looked at that match the rarest.
   * @throws StoreError `too-wide` when those do not fill the page and there are more
   */
  sessions(query: SessionQuery): Promise<SessionView[]>;
  /** The callbacks of a session in the order of their events, each with its latest tries, so many at most. */
  callbacks(session: SessionId, triesOfEach: number): Promise<CallbackRecord[]>;
  /** What a carrier took of an account's messages (a main account's: its subaccounts' too) since a time, newest first. Its message ids are UUIDv7. */
  taken(query: {
    readonly carrier: string;
    readonly account: AccountId;
    readonly recipient?: Recipient;
    readonly since: number;
    readonly limit: number;
  }): Promise<TakenMessage[]>;

  optOut(account: AccountId, recipient: Recipient): Promise<OptOut | null>;
  optOuts(query: OptOutQuery): Promise<OptOut[]>;
  /** A recipient's places on the opt-out lists of all main accounts. */
  optOutsOf(recipient: Recipient): Promise<OptOut[]>;
  /** The main account that sent the newest of the messages that went to a recipient through a carrier. */
  lastSender(carrier: string, recipient: Recipient): Promise<AccountId | null>;

  /**
   * Calls that a carrier marked in an earlier life of this node, and whose end was never told: the attempt, and the hop
   * that has it.
   */
  lostCalls(
    carrier: string,
    limit: number,
  ): Promise<{ readonly attempt: AttemptId; readonly number: number }[]>;
  /**
   * The messages that carriers have and may still report on, of all nodes, among the newest attempts.
   * @param since looks at no attempt that was accepted earlier, by the time in its key
   * @param limit looks at so many attempts at most, whatever became of them
   */
  handedMessages(since: number, limit: number): Promise<HandedMessage[]>;
  /** Attempts that were dropped at `before` and earlier, oldest first, and of which nobody has told how they ended (`isDropped`). */
  droppedAttempts(before: number, limit: number): Promise<AttemptId[]>;
  /** Pending deliveries of this node in one lane that are due, without the first `skip`. */
  dueDeliveries(lane: string, now: number, limit: number, skip?: number): Promise<Due<Delivery>>;
  /** Lanes in which this node has pending deliveries. */
  deliveryLanes(): Promise<LaneDue[]>;
  dueCallbacks(lane: string, now: number, limit: number): Promise<Due<Callback>>;
  callbackLanes(): Promise<LaneDue[]>;
  /** Live sessions whose time has passed. */
  overdueSessions(now: number, limit: number): Promise<SessionId[]>;
  /** What is remembered of an idempotency key, even when its time has passed. */
  idempotency(key: string): Promise<IdempotencyRow | null>;
  /** Idempotency keys from `before` and earlier, oldest first. */
  overdueRequests(before: number, limit: number): Promise<string[]>;

  keys(): Promise<MasterKeyRow[]>;
  /** Accounts and live sessions that need the key. */
  keyReferences(key: KeyId): Promise<number>;
  /** Accounts and live sessions that hold something sealed under a key other than `active`. */
  sealedUnderOthers(active: KeyId): Promise<{ accounts: AccountId[]; sessions: SessionId[] }>;
  /** Live sessions whose code needs the key. */
  liveSessionsOf(key: KeyId, limit: number): Promise<SessionId[]>;

  /** Deliveries, and callbacks that no earlier one holds back, that wait in rows or in memory, of all nodes. */
  backlog(): Promise<{ deliveries: number; callbacks: number }>;
}
