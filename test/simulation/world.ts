import { Callbacks } from '#callbacks/callbacks.js';
import type { CarrierReport, ReportResult } from '#delivery/carrier.js';
import { Dispatcher } from '#delivery/dispatcher.js';
import { createReporter, type Reporter } from '#delivery/receipts.js';
import { createRouter } from '#delivery/router.js';
import { Directory } from '#store/directory.js';
import { Housekeeping } from '#store/housekeeping.js';
import { KeyringHolder } from '#store/keys.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { StoreError } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { masterKey } from '#verify/keyring.js';
import type { AttemptId, Channel, Recipient, SessionId } from '#verify/model.js';
import { uuidv7 } from '#verify/uuid.js';
import { codeOf, type Fixture, seed as seedStore, start, validation, wrongCode } from '../support/rows.js';
import { settle, VirtualEnvironment } from '../support/virtual-time.js';
import { SimulatedNetwork } from './carriers.js';
import { contentOf, SimulatedCustomer } from './customer.js';
import { Dice } from './dice.js';
import { SimulatedLine } from './line.js';
import { NodeEnvironment } from './node-environment.js';
import { must, WatchedDatabase } from './watched-database.js';

const log = createLog('silent');
export const metrics = createMetrics();
const RECIPIENTS = ['14155551230', '14155551231', '14155551232', '14155551233'] as Recipient[];
/** Seconds that a session lives here: short, so that many begin and end. */
const EXPIRY = 60;
const MASTER = masterKey(new Uint8Array(32).fill(7));
const KEY = { active: MASTER.id, keys: [MASTER] };

interface Node {
  readonly environment: NodeEnvironment;
  readonly store: MemoryStore;
  readonly reporter: Reporter;
  readonly dispatcher: Dispatcher;
  readonly callbacks: Callbacks;
}

/** One or two nodes on a database, carriers that misbehave, a customer that sometimes answers, and chance. */
export class World {
  readonly clock: VirtualEnvironment;
  readonly database = new WatchedDatabase();
  readonly dice: Dice;
  readonly networks: SimulatedNetwork[];
  /** Calls go over it first, in most worlds. */
  readonly line: SimulatedLine;
  readonly customer: SimulatedCustomer;
  /** Messages over both networks, in order or sharing; calls over the line, and then over those. */
  readonly routes: Parameters<typeof createRouter>[0];
  readonly nodes: Node[] = [];
  fixture!: Fixture;
  /** Sessions and attempts that were answered with 202. */
  readonly accepted = new Map<string, SessionId>();
  /** Answers `validated` per session. */
  readonly verified = new Map<SessionId, number>();
  /** Sessions that were sent a code that may be right. */
  readonly guessed = new Set<SessionId>();
  /** Redeliveries answered 202. */
  redelivered = 0;
  crashes = 0;

  constructor(seed: number) {
    this.clock = new VirtualEnvironment({ seed });
    this.dice = new Dice(seed);
    const faults = () => ({
      lost: this.dice.roll() * 0.3,
      answerLost: this.dice.roll() * 0.3,
      unanswered: this.dice.roll(),
      refused: this.dice.roll() * 0.1,
      throttled: this.dice.roll() * 0.3,
      undelivered: this.dice.roll() * 0.2,
      silent: this.dice.roll() * 0.2,
      repeated: this.dice.roll() * 0.3,
    });
    this.networks = ['east', 'west'].map(
      (name) =>
        new SimulatedNetwork(
          name,
          this.clock,
          this.dice,
          faults(),
          this.dice.pick(['resend', 'wait', undefined]),
          (report) => this.#report(name, report),
        ),
    );
    this.line = new SimulatedLine('line', this.dice, (environment, report) =>
      this.#reportAs(environment, report),
    );
    this.customer = new SimulatedCustomer(this.dice, (params) => this.#isAskedFor(params));
    const shared = this.networks.map(({ name }) => ({ carrier: name, weight: this.dice.between(1, 3) }));
    const ranks = this.dice.chance(0.5) ? [shared] : shared.map((each) => [each]);
    const carriers = shared.map(({ carrier }) => carrier);
    const unansweredWait = this.dice.between(1, 20);
    const { name } = this.line;
    const over = this.dice.chance(0.8) ? [name, ...carriers] : carriers;
    const overRanks = over.includes(name) ? [[{ carrier: name, weight: 1 }], ...ranks] : ranks;
    this.routes = [
      { channel: 'sms', prefix: '', carriers, ranks, unansweredWait },
      { channel: 'voice', prefix: '', carriers: over, ranks: overRanks, unansweredWait },
    ];
  }

  /** Lives through a few minutes of creates, validations, faults and crashes, then lets everything settle. */
  async run(): Promise<void> {
    const size = this.dice.between(1, 2);
    for (let index = 0; index < size; index++) await this.#startNode();
    const steps = this.dice.between(20, 60);
    for (let step = 0; step < steps; step++) {
      await this.#act();
      await this.clock.advance(this.dice.between(0, 6_000));
    }
    await this.#settle();
  }

  async #startNode(): Promise<void> {
    const environment = new NodeEnvironment(this.clock);
    const store = openMemoryStore({
      environment,
      database: this.database,
      alone: false,
      latency: () => ({ before: this.dice.between(0, 20), after: this.dice.between(0, 20) }),
    });
    if (this.fixture) await store.useKeyring(KEY);
    else {
      const seeded = seedStore(store, KEY);
      await this.clock.advance(1_000);
      this.fixture = await seeded;
    }
    const keyring = new KeyringHolder();
    keyring.use(KEY);
    const connected = [...this.networks, this.line].map((one) => one.connect(environment));
    const carriers = new Map(connected.map((carrier) => [carrier.name, carrier]));
    const reporter = createReporter({ store, environment, log, metrics });
    const dispatcher = new Dispatcher({
      store,
      keyring,
      environment,
      carriers,
      router: createRouter(this.routes, [...carriers.values()]),
      onAccepted: reporter.accepted,
      log,
      metrics,
    });
    const callbacks = new Callbacks({
      store,
      directory: new Directory(store.read, () => keyring.current, environment),
      environment,
      transport: this.customer.connect(environment),
      settings: { perHost: 4, total: 16 },
      log,
      metrics,
    });
    store.onEffects((effects) => {
      for (const effect of effects) {
        if (effect.kind === 'deliver') dispatcher.offer(effect.delivery);
        else if (effect.kind === 'drop') dispatcher.drop(effect.attempt);
        else callbacks.offer(effect.callback);
      }
    });
    new Housekeeping({
      store,
      environment,
      log,
      metrics,
      sweepEvery: 7_000,
      retention: 86_400_000,
      onTakenOver: () => {
        void dispatcher.refill();
        void callbacks.refill();
      },
    });
    await store.takeOver();
    void dispatcher.refill();
    void callbacks.refill();
    this.nodes.push({ environment, store, reporter, dispatcher, callbacks });
  }

  async #act(): Promise<void> {
    const roll = this.dice.roll();
    if (roll < 0.45) this.#create();
    else if (roll < 0.65) this.#validate();
    else if (roll < 0.75) this.#redeliver();
    else if (roll < 0.83) await this.#crash();
    else if (roll < 0.9) this.#outage();
    else if (roll < 0.95) this.customer.downUntil = this.clock.now() + this.dice.between(1, 200_000);
    else await this.#databaseAway();
  }

  #create(recipient = this.dice.pick(RECIPIENTS)): void {
    const node = this.dice.pick(this.nodes);
    const channel: Channel = this.dice.chance(0.6) ? 'sms' : 'voice';
    const command = start(this.fixture, node.store, {
      now: this.clock.now(),
      session: this.#newId() as SessionId,
      attempt: this.#newId() as AttemptId,
      nonce: this.clock.randomBytes(12),
      application: { ...this.fixture.application, expiry: EXPIRY, confirmByKey: this.dice.chance(0.5) },
      recipient,
      channel,
      otp: this.dice.chance(0.1) ? '4711' : null,
      url: this.dice.chance(0.7) ? `http://customer-${this.dice.between(1, 2)}.example/status` : null,
      method: this.dice.chance(0.5) ? 'POST' : 'GET',
      carrier: this.dice.pick(this.networks).name,
    });
    // As the API does: past a carrier that is down.
    const { attempt } = command;
    const planned = this.dice.chance(0.7)
      ? node.dispatcher.plan({ channel, recipient, attempt })
      : command.carrier;
    node.store.submit({ ...command, carrier: planned }).then(
      (outcome) => {
        if (node.environment.alive && outcome.kind === 'started') {
          this.accepted.set(command.attempt, outcome.session);
        }
      },
      (error) => must(error instanceof StoreError && error.kind === 'unavailable', String(error)),
    );
  }

  /** A carrier dies for a while, now and then with many messages on their way to it. */
  #outage(): void {
    this.dice.pick(this.networks).downUntil = this.clock.now() + this.dice.between(1, 60_000);
    const crowd = this.dice.chance(0.3) ? this.dice.between(5, 15) : 0;
    for (let index = 0; index < crowd; index++) this.#create(String(14155552000 + index) as Recipient);
  }

  #newId(): string {
    return uuidv7(this.clock.now(), this.clock.randomBytes(10));
  }

  #validate(): void {
    const node = this.dice.pick(this.nodes);
    const sessions = [...this.database.tables.session.values()];
    const session = sessions.length > 0 && this.dice.pick(sessions.slice(-4));
    if (!session) return;
    const code = codeOf(this.fixture, session);
    const copies = this.dice.chance(0.3) ? 3 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const otp = this.dice.chance(0.5) ? code : wrongCode(code);
      if (otp === code || session.code.sealed !== null) this.guessed.add(session.uuid);
      const command = validation(this.fixture, session.uuid, otp, {
        now: this.clock.now(),
        owner: node.store.epoch,
      });
      node.store.submit(command).then(
        ({ kind }) => {
          must(
            kind !== 'validated' || otp === code || session.code.sealed !== null,
            'a wrong code was right',
          );
          if (kind === 'validated')
            this.verified.set(session.uuid, (this.verified.get(session.uuid) ?? 0) + 1);
        },
        (error) => must(error instanceof StoreError && error.kind === 'unavailable', String(error)),
      );
    }
  }

  /** Asks for some callbacks once more, twice at once now and then; those that are still tried are refused. */
  #redeliver(): void {
    for (const callback of [...this.database.tables.callback.values()].slice(-6)) {
      const copies = this.dice.between(0, 2);
      for (let copy = 0; copy < copies; copy++) {
        const node = this.dice.pick(this.nodes);
        const { account, session, attempt, sequence } = callback;
        const asked = { account, session, attempt, sequence, now: this.clock.now(), owner: node.store.epoch };
        node.store.submit({ type: 'redeliver-callback', ...asked }).then(
          ({ kind }) => {
            must(kind === 'accepted' || kind === 'unsettled', `a redelivery was ${kind}`);
            if (node.environment.alive && kind === 'accepted') this.redelivered++;
          },
          (error) => must(error instanceof StoreError && error.kind === 'unavailable', String(error)),
        );
      }
    }
  }

  /** Whether somebody has asked for a callback that says this once more. */
  #isAskedFor(params: URLSearchParams): boolean {
    const attempt = this.database.attempt(params.get('AttemptUUID')!)!;
    return this.database
      .callbacksOf(attempt)
      .some(
        ({ triesBefore, body }) =>
          triesBefore > 0 && contentOf(new URLSearchParams(body)) === contentOf(params),
      );
  }

  /** Kills a node between any two of its steps; another starts at once or a while later. */
  async #crash(): Promise<void> {
    this.crashes++;
    const node = this.nodes.splice(this.dice.between(0, this.nodes.length - 1), 1)[0]!;
    node.environment.kill();
    if (this.nodes.length > 0) await this.clock.advance(this.dice.between(0, 40_000));
    await this.#startNode();
  }

  async #databaseAway(): Promise<void> {
    const { store } = this.dice.pick(this.nodes);
    store.failure = 'away';
    await this.clock.advance(this.dice.between(1, 5_000));
    store.failure = null;
  }

  async #report(carrier: string, report: CarrierReport): Promise<ReportResult | 'nobody'> {
    if (this.nodes.length === 0) return 'nobody';
    const node = this.dice.pick(this.nodes);
    return node.reporter.forCarrier(carrier)(report);
  }

  /** What a node itself learns of a call that it makes. */
  async #reportAs(environment: NodeEnvironment, report: CarrierReport): Promise<ReportResult> {
    const node = this.nodes.find((one) => one.environment === environment);
    return node ? node.reporter.forCarrier(this.line.name)(report) : new Promise(() => {});
  }

  /** No more faults; time enough for every expiry, retry and takeover. */
  async #settle(): Promise<void> {
    for (const network of this.networks) {
      network.calm = true;
      network.downUntil = 0;
    }
    this.line.calm = true;
    this.customer.calm = true;
    this.customer.downUntil = 0;
    for (const { store } of this.nodes) store.failure = null;
    await this.clock.advance(EXPIRY * 1_000 + 900_000);
    await settle();
  }
}
