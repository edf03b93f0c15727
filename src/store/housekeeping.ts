import { type Environment, sleep, type Timer } from '../environment.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { UNEXPLAINED } from '../verify/channel-errors.js';
import { IDEMPOTENCY_WINDOW } from '../verify/idempotency.js';
import { BUDGET_WINDOW } from '../verify/model.js';
import type { Store } from './store.js';

export interface HousekeepingOptions {
  readonly store: Store;
  readonly environment: Environment;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Called when this node took over the work of dead ones: it waits in rows. */
  readonly onTakenOver: () => void;
  /** Age past which a session and what belongs to it is deleted, in milliseconds; at least `BUDGET_WINDOW`. */
  readonly retention: number;
  /** Milliseconds between sweeps; a second when absent. */
  readonly sweepEvery?: number;
}

/** Milliseconds between sweeps for sessions whose time has passed, and most sessions of one sweep. */
const SWEEP_EVERY = 1_000;
const SWEEP_SIZE = 512;
/** Milliseconds between purges of idempotency keys, and most keys of one command. */
const FORGET_EVERY = 60_000;
const FORGET_SIZE = 256;
/**
 * Milliseconds between looks for dropped messages whose node did not live to tell how they ended, how long it had for that,
 * and most of one look.
 */
const CONCLUDE_EVERY = 60_000;
const CONCLUDE_AFTER = 300_000;
const CONCLUDE_SIZE = 256;
/** Milliseconds between heartbeats, each followed by a look for the work of dead nodes. */
const HEARTBEAT_EVERY = 3_000;
/**
 * Milliseconds between looks for what is too old to keep; most sessions that one transaction deletes, and the
 * milliseconds that commits have the database for themselves before the next.
 */
const PURGE_EVERY = 60_000;
const PURGE_SIZE = 50;
const PURGE_PAUSE = 50;

/** What a node does by the clock: it expires and deletes sessions, ends what was left behind, proves that it lives, takes over from the dead. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #timers = new Map<string, Timer>();
  #stopped = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#every('sweep', options.sweepEvery ?? SWEEP_EVERY, () => this.#sweep());
    this.#every('forget', FORGET_EVERY, () => this.#forget());
    this.#every('conclude', CONCLUDE_EVERY, () => this.#conclude());
    this.#every('purge', PURGE_EVERY, () => this.#purge());
    this.#every('heartbeat', HEARTBEAT_EVERY, () => this.#beat());
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  async #sweep(): Promise<void> {
    const { store, environment, metrics } = this.#options;
    while (!this.#stopped && store.holds()) {
      const now = environment.now();
      const overdue = await store.read.overdueSessions(now, SWEEP_SIZE);
      const outcomes = await Promise.all(
        overdue.map((session) =>
          store.submit({ type: 'expire', now, owner: store.epoch, session, force: false }),
        ),
      );
      metrics.sessions.inc({ event: 'expired' }, outcomes.filter((each) => each.kind === 'recorded').length);
      if (overdue.length < SWEEP_SIZE) return;
    }
  }

  async #forget(): Promise<void> {
    const { store, environment } = this.#options;
    while (!this.#stopped && store.holds()) {
      const now = environment.now();
      const keys = await store.read.overdueRequests(now - IDEMPOTENCY_WINDOW, FORGET_SIZE);
      if (keys.length > 0) await store.submit({ type: 'forget-requests', now, keys });
      if (keys.length < FORGET_SIZE) return;
    }
  }

  async #conclude(): Promise<void> {
    const { store, environment } = this.#options;
    while (!this.#stopped && store.holds()) {
      const now = environment.now();
      const attempts = await store.read.droppedAttempts(now - CONCLUDE_AFTER, CONCLUDE_SIZE);
      const { epoch: owner } = store;
      const unknown = { type: 'give-up', now, owner, errorCode: UNEXPLAINED.sms } as const;
      await Promise.all(attempts.map((attempt) => store.submit({ ...unknown, attempt })));
      if (attempts.length < CONCLUDE_SIZE) return;
    }
  }

  async #purge(): Promise<void> {
    const { store, environment, metrics, retention } = this.#options;
    while (!this.#stopped && store.holds()) {
      const now = environment.now();
      const before = { sessions: now - retention, budgets: now - BUDGET_WINDOW };
      const { sessions, budgets } = await store.purge(before, PURGE_SIZE);
      metrics.sessions.inc({ event: 'deleted' }, sessions);
      if (sessions < PURGE_SIZE && budgets < PURGE_SIZE) return;
      await sleep(environment, PURGE_PAUSE);
    }
  }

  async #beat(): Promise<void> {
    await this.#options.store.heartbeat();
    if ((await this.#options.store.takeOver()) > 0) this.#options.onTakenOver();
  }

  /** Runs a task again and again, never twice at a time; a failure is logged and the next round tries again. */
  #every(name: string, interval: number, task: () => Promise<void>): void {
    const round = async () => {
      try {
        await task();
      } catch (error) {
        this.#options.log.error({ err: error, task: name }, 'housekeeping failed and will try again');
      }
      if (!this.#stopped) this.#timers.set(name, this.#options.environment.after(interval, round));
    };
    this.#timers.set(name, this.#options.environment.after(interval, round));
  }
}
