import type { Environment, Timer } from '../../../environment.js';
import { BindRefused, openBind, type Role, unbind } from './bind.js';
import type { Connection, Reply, RequestOptions } from './connection.js';
import type { Pdu } from './pdu.js';
import type { BindSettings, ConnectionSettings } from './settings.js';
import { NOT_BOUND } from './status.js';

export interface LinkOptions {
  readonly connection: ConnectionSettings;
  readonly bind: BindSettings;
  readonly role: Role;
  /** Most `submit_sm` without an answer; 0 for a receiver. */
  readonly window: number;
  readonly environment: Environment;
  onRequest(pdu: Pdu, connection: Connection): void;
  /** Its state changed, or a place of its window came free. */
  onChange(): void;
  /** It came up, or went down and why. `lasting`: until somebody changes a setting, here or there. */
  onState(state: 'up' | 'down', why: string | null, lasting: boolean): void;
}

/** Wait before the next try, in milliseconds: doubling from first to last, a quarter of jitter either way. */
const WAIT_FIRST = 1_000;
const WAIT_LAST = 30_000;
/** A bind that held so long begins with the first wait again. */
const STABLE = 10_000;

/** One bind, kept up for as long as the carrier lives. */
export class Link {
  readonly #options: LinkOptions;
  readonly #abort = new AbortController();
  #state: 'connecting' | 'up' | 'down' = 'connecting';
  #connection: Connection | null = null;
  /** As long as it is open, also when it takes no more messages. */
  #held: Connection | null = null;
  #outstanding = 0;
  #failures = 0;
  #upAt = 0;
  #waiting: { readonly until: number; readonly timer: Timer } | null = null;
  #isIdle: (() => void) | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get role(): Role {
    return this.#options.role;
  }

  get state(): 'connecting' | 'up' | 'down' {
    return this.#state;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  get window(): number {
    return this.#options.window;
  }

  /** Places of its window that are free now. */
  get room(): number {
    return this.#state === 'up' ? this.#options.window - this.#outstanding : 0;
  }

  /** Milliseconds until it is tried again; 0 when it is up or being tried. */
  get retryIn(): number {
    return this.#waiting ? Math.max(0, this.#waiting.until - this.#options.environment.monotonic()) : 0;
  }

  start(): void {
    void this.#open();
  }

  async submit(options: RequestOptions): Promise<Reply> {
    const connection = this.#connection;
    if (!connection) return { kind: 'none', sent: false, why: 'not bound' };
    this.#outstanding++;
    // What cannot be written is a defect, which must not cost a place of the window.
    const reply = await connection.request('submit_sm', options).finally(() => this.#outstanding--);
    // It forgot the bind: only a new one helps.
    if (reply.kind === 'reply' && reply.pdu.status === NOT_BOUND)
      connection.close('the SMSC says that it is not bound');
    if (this.#outstanding === 0) this.#isIdle?.();
    this.#options.onChange();
    return reply;
  }

  /** Takes no further message, waits for the answers that are still to come, unbinds and closes. */
  async stop(): Promise<void> {
    this.#waiting?.timer.cancel();
    this.#waiting = null;
    const connection = this.#connection;
    this.#connection = null;
    this.#state = 'down';
    if (connection && this.#outstanding > 0) await new Promise<void>((resolve) => (this.#isIdle = resolve));
    if (connection) await unbind(connection);
    this.kill();
  }

  /** Ends it without waiting. */
  kill(): void {
    this.#abort.abort();
    this.#held?.close('stopped');
  }

  async #open(): Promise<void> {
    const { connection, bind, role, environment, onRequest } = this.#options;
    const { signal } = this.#abort;
    this.#state = 'connecting';
    let opened: Connection | null = null;
    try {
      opened = await openBind({
        connection,
        bind,
        role,
        environment,
        signal,
        handlers: {
          onRequest,
          onClose: (why) => this.#closed(opened, why),
          onIdle: () => void (opened && this.#renew(opened)),
        },
      });
    } catch (error) {
      if (signal.aborted) return;
      this.#down((error as Error).message, error instanceof BindRefused && error.isLasting);
      return;
    }
    if (signal.aborted) {
      opened.close('stopped');
      return;
    }
    // The SMSC may have closed in the same breath as it answered.
    if (!opened.isOpen) {
      this.#down('connection closed', false);
      return;
    }
    this.#connection = this.#held = opened;
    this.#state = 'up';
    this.#upAt = environment.monotonic();
    this.#options.onState('up', null, false);
    this.#options.onChange();
  }

  #closed(connection: Connection | null, why: string): void {
    if (connection === null || connection !== this.#connection) return;
    this.#connection = null;
    if (this.#options.environment.monotonic() - this.#upAt >= STABLE) this.#failures = 0;
    this.#down(why, false);
  }

  #down(why: string, lasting: boolean): void {
    const { environment } = this.#options;
    this.#state = 'down';
    const backoff = lasting ? WAIT_LAST : Math.min(WAIT_FIRST * 2 ** Math.min(this.#failures, 10), WAIT_LAST);
    this.#failures++;
    const jitter = 0.75 + (environment.randomBytes(1)[0]! / 255) * 0.5;
    const wait = Math.round(backoff * jitter);
    const timer = environment.after(wait, () => {
      this.#waiting = null;
      void this.#open();
    });
    this.#waiting = { until: environment.monotonic() + wait, timer };
    this.#options.onState('down', why, lasting);
    this.#options.onChange();
  }

  /** Unbinds, and binds anew at once. */
  async #renew(connection: Connection): Promise<void> {
    if (connection !== this.#connection || this.#outstanding > 0) return;
    this.#connection = null;
    this.#state = 'connecting';
    await unbind(connection);
    if (!this.#abort.signal.aborted && this.#state === 'connecting') void this.#open();
  }
}
