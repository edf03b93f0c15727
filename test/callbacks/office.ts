import { Callbacks } from '#callbacks/callbacks.js';
import { type CallbackTransport, createHttpTransport } from '#callbacks/transport.js';
import type { CallbackSettings } from '#config.js';
import { Directory } from '#store/directory.js';
import { KeyringHolder } from '#store/keys.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import type { Store } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { StartAttempt } from '#verify/commands.js';
import { tokenPlace } from '#verify/keyring.js';
import type { AccountId, Application, ApplicationId, AttemptId, Callback } from '#verify/model.js';
import { type Fixture, newId, newKey, seed, start } from '../support/rows.js';
import { stopAfter } from '../support/stops.js';
import { eventually, settle, VirtualEnvironment } from '../support/virtual-time.js';

export interface OfficeOptions {
  readonly settings?: CallbackSettings;
  readonly transport?: CallbackTransport;
  /** Stands between the callbacks and the store. */
  readonly wrap?: (store: MemoryStore) => Store;
  readonly allow?: string[];
}

/** Callbacks on a store in memory, in virtual time, over real HTTP; stopped after the test. */
export class Office {
  readonly environment = new VirtualEnvironment();
  readonly store: MemoryStore = openMemoryStore({ environment: this.environment });
  readonly holder = new KeyringHolder();
  readonly directory = new Directory(this.store.read, () => this.holder.current, this.environment);
  readonly metrics = createMetrics();
  readonly logged: string[] = [];
  readonly #options: OfficeOptions;
  callbacks: Callbacks;
  fixture!: Fixture;

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.callbacks = this.#hire();
  }

  #hire(): Callbacks {
    const { environment, directory, metrics, store } = this;
    const { settings = { perHost: 4, total: 16 }, allow = ['127.0.0.0/8'], transport, wrap } = this.#options;
    return new Callbacks({
      store: wrap?.(store) ?? store,
      directory,
      environment,
      transport: transport ?? createHttpTransport({ environment, settings, allow }),
      settings,
      log: createLog('debug', { write: (line) => this.logged.push(line) }),
      metrics,
    });
  }

  /** Stops the callbacks and starts others on the same rows. */
  async restart(): Promise<void> {
    await this.callbacks.close();
    this.callbacks = this.#hire();
    await this.callbacks.refill();
  }

  close(): Promise<void> {
    this.store.failure = null;
    return this.callbacks.close();
  }

  /** Starts a session whose first callback (`queued`) is due at once. */
  async call(url: string, changes: Partial<StartAttempt> = {}): Promise<AttemptId> {
    const command = start(this.fixture, this.store, { now: this.environment.now(), url, ...changes });
    await this.store.submit(command);
    return command.attempt;
  }

  /** Adds a subaccount of the account, with a token and an application of its own. */
  async addSubaccount(): Promise<{ token: string; application: Application }> {
    const { keyring, account: parent } = this.fixture;
    const authId = 'SA111111111111111111' as AccountId;
    const token = 'token-of-the-subaccount-that-owns-it-sub';
    const application = { ...this.fixture.application, uuid: newId() as ApplicationId, account: authId };
    await this.store.submit({
      type: 'create-account',
      account: {
        ...this.store.database.account(parent)!,
        authId,
        parent,
        token: keyring.seal(tokenPlace(authId), token, this.environment.randomBytes(12)),
      },
      application,
    });
    return { token, application };
  }

  /** The carrier took the attempt and delivered it: the callbacks `sent` and `delivered`. */
  async deliver(attempt: AttemptId): Promise<void> {
    const now = this.environment.now();
    const owner = this.store.epoch;
    const taken = { attempt, number: 1, carrier: 'inbox' };
    await this.store.submit({ type: 'hop-accepted', now, owner, ...taken, messageId: null });
    await this.store.submit({
      type: 'receipt',
      now,
      owner,
      carrier: 'inbox',
      by: { kind: 'hop', attempt, number: 1 },
      status: 'delivered',
      errorCode: null,
    });
  }

  row(attempt: AttemptId, sequence = 1): Callback {
    return this.store.database.callback(attempt, sequence)!;
  }

  rowsIn(state: Callback['state']): number {
    return [...this.store.database.tables.callback.values()].filter((row) => row.state === state).length;
  }

  /** Waits until a callback is as expected, while no virtual time passes. */
  async becomes(attempt: AttemptId, expected: Partial<Callback>, sequence = 1): Promise<void> {
    const holds = () =>
      Object.entries(expected).every(
        ([name, value]) => this.row(attempt, sequence)[name as keyof Callback] === value,
      );
    await eventually(`${JSON.stringify(expected)} of callback ${sequence}`, holds);
    await settle();
  }

  /** How often callbacks ended in which way. */
  async results(): Promise<Record<string, number>> {
    const { values } = await this.metrics.callbacks.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
  }
}

export async function openOffice(options: OfficeOptions = {}): Promise<Office> {
  const office = new Office(options);
  stopAfter('test', () => office.close());
  const key = newKey();
  office.fixture = await seed(office.store, key);
  office.holder.use(key);
  office.store.onEffects((effects) => {
    for (const effect of effects) if (effect.kind === 'callback') office.callbacks.offer(effect.callback);
  });
  return office;
}
