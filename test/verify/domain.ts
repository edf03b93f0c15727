import { decideAll, WorkingSet } from '#store/working-set.js';
import { defaultApplication } from '#verify/applications.js';
import { lastTry } from '#verify/callbacks.js';
import { revealCode } from '#verify/codes.js';
import type {
  CallbackTried,
  Command,
  Effect,
  HopAccepted,
  HopFailed,
  OutcomeOf,
  Receipt,
  RedeliverCallback,
  Reroute,
  StartAttempt,
  Validate,
} from '#verify/commands.js';

import { Keyring, masterKey } from '#verify/keyring.js';
import type {
  AccountId,
  Application,
  ApplicationId,
  Attempt,
  AttemptId,
  Callback,
  CallbackTry,
  OptOut,
  Recipient,
  SessionId,
} from '#verify/model.js';

import { uuidv7 } from '#verify/uuid.js';

/** A moment to start from: 2026-01-31T08:52:39.363Z. */
export const NOW = Date.UTC(2026, 0, 31, 8, 52, 39, 363);
export const OWNER = 7;
export const ACCOUNT = 'MAAAAAAAAAAAAAAAAAAA' as AccountId;
export const RECIPIENT = '14155550123' as Recipient;
export const URL_OF_CUSTOMER = 'https://customer.example/status';
export const MINUTE = 60_000;

/** A key whose 32 bytes are all `byte`. */
export function fixedKey(byte: number) {
  return masterKey(new Uint8Array(32).fill(byte));
}

export function fixedKeyring(active = 1, ...others: number[]): Keyring {
  const keys = [active, ...others].map(fixedKey);
  return new Keyring({ active: keys[0]!.id, keys });
}

/** The `index`th id of a fixed row of ids, in time order. */
export function idOf<Id extends string>(index: number, kind = 0): Id {
  const random = new Uint8Array(10).fill(kind);
  random[8] = index >> 8;
  random[9] = index & 0xff;
  return uuidv7(NOW, random) as Id;
}

export function application(changes: Partial<Application> = {}): Application {
  return { ...defaultApplication(idOf<ApplicationId>(0, 9), ACCOUNT, NOW), ...changes };
}

/** Applies commands one by one and keeps the rows, as a store with batches of one would. */
export class Domain {
  readonly rows = new WorkingSet();
  keyring = fixedKeyring();
  /** What the latest command asked to be done. */
  effects: readonly Effect[] = [];
  #ids = 0;

  run<C extends Command>(command: C): OutcomeOf<C> {
    const [result] = decideAll(this.rows, [command], this.keyring);
    if (!result?.ok) throw new Error(result?.message ?? 'no result');
    this.effects = result.effects;
    return result.outcome as OutcomeOf<C>;
  }

  /** Starts an attempt that must be accepted. */
  start(changes: Partial<StartAttempt> = {}): { session: SessionId; attempt: AttemptId; isNew: boolean } {
    const command = this.startCommand(changes);
    const outcome = this.run(command);
    if (outcome.kind !== 'started') throw new Error(`not started: ${JSON.stringify(outcome)}`);
    return { session: outcome.session, attempt: command.attempt, isNew: outcome.isNew };
  }

  startCommand(changes: Partial<StartAttempt> = {}): StartAttempt {
    const index = ++this.#ids;
    return {
      type: 'start-attempt',
      now: NOW,
      owner: OWNER,
      session: idOf(index, 1),
      attempt: idOf(index, 2),
      application: application(),
      main: ACCOUNT,
      recipient: RECIPIENT,
      country: 'US',
      channel: 'sms',
      locale: 'en',
      brandName: 'Acme',
      appHash: '',
      codeLength: 6,
      otp: null,
      test: false,
      nonce: new Uint8Array(12).fill(index),
      url: null,
      method: null,
      dtmf: null,
      fraudCheck: 'enabled',
      src: null,
      requestorIp: '192.0.2.10',
      price: null,
      validationPrice: 0,
      carrier: 'one',
      failedValidationsLimit: 50,
      ...changes,
    };
  }

  /** The right code of a session. */
  code(session: SessionId): string {
    return revealCode(this.keyring, session, this.session(session).code);
  }

  validate(session: SessionId, otp: string, changes: Partial<Validate> = {}): string {
    return this.run({
      type: 'validate',
      now: NOW,
      owner: OWNER,
      account: ACCOUNT,
      session,
      otp,
      numeric: false,
      failedValidationsLimit: 50,
      ...changes,
    } satisfies Validate).kind;
  }

  accepted(attempt: AttemptId, changes: Partial<HopAccepted> = {}) {
    return this.run({
      type: 'hop-accepted',
      now: NOW,
      owner: OWNER,
      attempt,
      number: 1,
      carrier: 'one',
      messageId: 'message-1',
      ...changes,
    } satisfies HopAccepted);
  }

  failed(attempt: AttemptId, changes: Partial<HopFailed> = {}) {
    return this.run({
      type: 'hop-failed',
      now: NOW,
      owner: OWNER,
      attempt,
      number: 1,
      carrier: 'one',
      errorCode: 20,
      reason: 'no answer',
      next: { kind: 'fail' },
      ...changes,
    } satisfies HopFailed);
  }

  /** A receipt of the attempt's hop `number`, or (with `by`) of whatever is named. */
  receipt(attempt: AttemptId, status: Receipt['status'], changes: Partial<Receipt> = {}, number = 1) {
    return this.run({
      type: 'receipt',
      now: NOW,
      owner: OWNER,
      carrier: 'one',
      by: { kind: 'hop', attempt, number },
      status,
      errorCode: null,
      ...changes,
    } satisfies Receipt);
  }

  expire(session: SessionId, now: number, force = false) {
    return this.run({ type: 'expire', now, owner: OWNER, session, force });
  }

  reroute(attempt: AttemptId, changes: Partial<Reroute> = {}) {
    const { hop: number, tries } = this.attempt(attempt);
    const command = {
      type: 'reroute',
      now: NOW,
      owner: OWNER,
      attempt,
      number,
      tries,
      carrier: 'two',
    } as const;
    return this.run({ ...command, ...changes } satisfies Reroute);
  }

  optOut(changes: Partial<OptOut> = {}) {
    const row = {
      account: ACCOUNT,
      recipient: RECIPIENT,
      source: 'api',
      carrier: null,
      createdAt: NOW,
    } as const;
    return this.run({ type: 'opt-out', optOut: { ...row, ...changes } });
  }

  optIn(account = ACCOUNT, recipient = RECIPIENT) {
    return this.run({ type: 'opt-in', account, recipient });
  }

  giveUp(attempt: AttemptId, owner = OWNER, errorCode: number | null = 20) {
    return this.run({ type: 'give-up', now: NOW, owner, attempt, errorCode });
  }

  called(attempt: AttemptId, sequence: number, changes: Partial<CallbackTried> = {}) {
    return this.run({
      type: 'callback-tried',
      now: NOW,
      owner: OWNER,
      attempt,
      sequence,
      ok: true,
      retriable: true,
      httpStatus: 200,
      reason: null,
      latency: 12,
      triesBefore: this.rows.callback(attempt, sequence)?.triesBefore ?? 0,
      ...changes,
    } satisfies CallbackTried);
  }

  redeliver(attempt: AttemptId, sequence: number, changes: Partial<RedeliverCallback> = {}) {
    return this.run({
      type: 'redeliver-callback',
      now: NOW,
      owner: OWNER,
      account: ACCOUNT,
      session: this.rows.attempt(attempt)?.session ?? idOf(99, 1),
      attempt,
      sequence,
      ...changes,
    } satisfies RedeliverCallback);
  }

  /** The log of a callback. */
  tries(attempt: AttemptId, sequence: number): CallbackTry[] {
    const earlier = [...this.rows.writes()]
      .flatMap((write) => (write.table === 'callbackTry' && write.kind === 'insert' ? [write.row] : []))
      .filter((each) => each.attempt === attempt && each.sequence === sequence);
    const callback = this.rows.callback(attempt, sequence);
    const last = callback && lastTry(callback);
    return last ? [...earlier, last] : earlier;
  }

  session(uuid: SessionId) {
    return must(this.rows.session(uuid), 'session');
  }
  attempt(uuid: AttemptId): Attempt {
    return must(this.rows.attempt(uuid), 'attempt');
  }
  hop(attempt: AttemptId, number: number) {
    return must(this.rows.hop(attempt, number), 'hop');
  }
  callback(attempt: AttemptId, sequence: number): Callback {
    return must(this.rows.callback(attempt, sequence), 'callback');
  }
  callbacks(attempt: AttemptId): Callback[] {
    return Array.from({ length: this.attempt(attempt).callbacksMade }, (_, i) =>
      this.callback(attempt, i + 1),
    );
  }
  /** The parameters of each callback of an attempt, in order. */
  bodies(attempt: AttemptId): Record<string, string>[] {
    return this.callbacks(attempt).map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  }
  /** The channel statuses that were called back, in order. */
  calledBack(attempt: AttemptId): (string | undefined)[] {
    return this.bodies(attempt).map((body) => body.ChannelStatus);
  }
  failures(account: AccountId = ACCOUNT, recipient: Recipient = RECIPIENT): readonly number[] {
    return this.rows.budget(account, recipient)?.failures ?? [];
  }
  get effectKinds(): string[] {
    return this.effects.map(({ kind }) => kind);
  }
}

function must<Row>(row: Row | undefined, what: string): Row {
  if (!row) throw new Error(`there is no such ${what}`);
  return row;
}

/** Any code but the right one. */
export function wrongFor(code: string): string {
  return code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);
}
