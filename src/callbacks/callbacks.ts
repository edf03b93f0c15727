import type { CallbackSettings } from '../config.js';
import type { Environment, Timer } from '../environment.js';
import type { Directory } from '../store/directory.js';
import { type Store, StoreError } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { retryWait } from '../verify/callbacks.js';
import type { CallbackTried, ReportOutcome } from '../verify/commands.js';
import type { AccountId, Callback } from '../verify/model.js';
import { Lanes, type Verdict } from '../work/lanes.js';
import { callbackRequest } from './request.js';
import type { Signers } from './signature.js';
import type { CallbackAnswer, CallbackTransport } from './transport.js';

export interface CallbacksOptions {
  readonly store: Store;
  readonly directory: Directory;
  readonly environment: Environment;
  readonly transport: CallbackTransport;
  readonly settings: CallbackSettings;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'callbacks' | 'callbackTime'>;
}

/** A callback that could not be tried for so long is of no use any more. Milliseconds. */
const MAX_AGE = 24 * 3_600_000;
/** Wait before a callback is looked at again whose account could not be read, in milliseconds. */
const ACCOUNT_RETRY = 10_000;
/** Waits between tries to record a result while the database is away: doubling from first to last. */
const RECORD_FIRST = 1_000;
const RECORD_LAST = 30_000;
const NONCE_BYTES = 16;

/**
 * Status callbacks (contract §6): signed, at least once, in order per attempt, one lane per host. What is due is
 * sent from memory; retries and what a dead host leaves behind wait in rows.
 */
export class Callbacks {
  readonly #options: CallbacksOptions;
  readonly #lanes: Lanes<Callback>;
  /** Waits for the database that end early when the server stops. */
  readonly #pauses = new Map<Timer, () => void>();
  #closing = false;

  constructor(options: CallbacksOptions) {
    this.#options = options;
    const { store, environment, settings, log } = options;
    this.#lanes = new Lanes<Callback>({
      environment,
      keyOf: (callback) => `${callback.attempt}|${callback.sequence}`,
      laneOf: (callback) => callback.host,
      versionOf: (callback) => callback.tries,
      perform: (callback) => this.#perform(callback),
      due: (lane, now, limit) => store.read.dueCallbacks(lane, now, limit),
      lanes: () => store.read.callbackLanes(),
      holds: () => store.holds(),
      concurrency: () => settings.perHost,
      maxInFlight: settings.total,
      onError: (error) => log.error({ err: error }, 'callback work failed'),
    });
  }

  /** Callbacks being sent, and waiting in memory. */
  get depth() {
    return this.#lanes.depth;
  }

  /** Takes on a callback that is durable and ready. */
  offer(callback: Callback): void {
    this.#lanes.offer(callback);
  }

  /** Looks for callbacks that wait in rows: at the start, and after a takeover. */
  refill(): Promise<void> {
    return this.#lanes.refill();
  }

  /**
   * Begins nothing more; resolves when the answers that are awaited have come, or their time is over, and the
   * transport is closed.
   */
  async close(): Promise<void> {
    this.#closing = true;
    for (const [timer, end] of this.#pauses) {
      timer.cancel();
      end();
    }
    await this.#lanes.close();
    await this.#options.transport.close();
  }

  async #perform(callback: Callback): Promise<Verdict> {
    const { environment } = this.#options;
    const since = callback.triesBefore === 0 ? callback.createdAt : callback.updatedAt;
    if (environment.now() - since > MAX_AGE) {
      return this.#failed(callback, 'not sent within 24 hours');
    }
    let signers: Signers | null;
    try {
      signers = await this.#signersOf(callback.account);
    } catch (error) {
      this.#options.log.error(
        { err: error, account: callback.account },
        'a callback waits: the tokens of its account cannot be read',
      );
      return { health: 'unknown', postponed: environment.now() + ACCOUNT_RETRY };
    }
    if (!signers) return this.#failed(callback, 'the account is gone');
    const { answer, latency } = await this.#send(callback, signers);
    return this.#answered(callback, answer, latency);
  }

  /**
   * The tokens to sign with; null when the account, or its main account, is gone. A disabled account may not ask
   * for anything, but is still told what became of what it asked for.
   */
  async #signersOf(authId: AccountId): Promise<Signers | null> {
    const { directory } = this.#options;
    const own = await directory.account(authId);
    if (!own) return null;
    const { parent } = own.account;
    const main = parent === null ? own : await directory.account(parent);
    return main && { own: own.tokens, main: main.tokens };
  }

  async #send(callback: Callback, signers: Signers): Promise<{ answer: CallbackAnswer; latency: number }> {
    const { environment, transport, metrics } = this.#options;
    const nonce = Buffer.from(environment.randomBytes(NONCE_BYTES)).toString('hex');
    const started = environment.monotonic();
    const answer = await transport.send(callbackRequest(callback, nonce, signers));
    const latency = environment.monotonic() - started;
    if (answer.kind !== 'refused') metrics.callbackTime.observe(latency / 1000);
    return { answer, latency: Math.round(latency) };
  }

  #answered(callback: Callback, answer: CallbackAnswer, latency: number): Promise<Verdict> {
    switch (answer.kind) {
      case 'status': {
        const { status } = answer;
        const ok = status >= 200 && status < 300;
        const reason = ok ? null : `answered ${status}`;
        const health = status >= 500 || status === 429 ? 'down' : 'up';
        return this.#settle(callback, { ok, retriable: true, httpStatus: status, reason, latency }, health);
      }
      case 'none': {
        const { reason } = answer;
        return this.#settle(
          callback,
          { ok: false, retriable: true, httpStatus: null, reason, latency },
          'down',
        );
      }
      case 'refused':
        return this.#failed(callback, answer.reason, 'refused');
    }
  }

  /** It was not sent and never will be. */
  #failed(callback: Callback, reason: string, result = 'failed'): Promise<Verdict> {
    return this.#settle(
      callback,
      { ok: false, retriable: false, httpStatus: null, reason, latency: null },
      'unknown',
      result,
    );
  }

  async #settle(
    callback: Callback,
    tried: Pick<CallbackTried, 'ok' | 'retriable' | 'httpStatus' | 'reason' | 'latency'>,
    health: Verdict['health'],
    failure = 'failed',
  ): Promise<Verdict> {
    const { store, environment, log, metrics } = this.#options;
    const { session, attempt, sequence, host, triesBefore } = callback;
    const now = environment.now();
    const wait = tried.ok || !tried.retriable ? undefined : retryWait(callback);
    metrics.callbacks.inc({ result: tried.ok ? 'delivered' : wait === undefined ? failure : 'retried' });
    if (!tried.ok) {
      const line = { session, attempt, sequence, host, reason: tried.reason, tries: callback.tries + 1 };
      if (wait === undefined) log.warn(line, 'a callback failed for good');
      else log.debug(line, 'a callback failed and will be tried again');
    }
    let outcome: ReportOutcome | null;
    try {
      outcome = await this.#record({
        type: 'callback-tried',
        now,
        owner: store.epoch,
        attempt,
        sequence,
        triesBefore,
        ...tried,
      });
    } catch (error) {
      log.error({ err: error, session, attempt, sequence }, 'the result of a callback cannot be recorded');
      return { health, stuck: true };
    }
    // Another node settled what this one knew, and it may be due again by now: its row says.
    if (outcome?.kind === 'stale') return { health, later: now };
    return outcome?.kind === 'recorded' && wait !== undefined ? { health, later: now + wait } : { health };
  }

  /**
   * Records a result, however long the database is away: what was delivered must not be sent again in vain. Null
   * when the server stops first.
   * @throws StoreError `failed`
   */
  async #record(command: CallbackTried): Promise<ReportOutcome | null> {
    for (let wait = RECORD_FIRST; ; wait = Math.min(wait * 2, RECORD_LAST)) {
      try {
        return await this.#options.store.submit(command);
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind !== 'unavailable') throw error;
      }
      if (this.#closing) return null;
      await this.#pause(wait);
    }
  }

  #pause(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.environment.after(wait, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }
}
