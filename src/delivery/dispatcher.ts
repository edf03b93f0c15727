import { type Environment, sleep } from '../environment.js';
import type { KeyringHolder } from '../store/keys.js';
import { type Store, StoreError } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { OPTED_OUT, UNEXPLAINED } from '../verify/channel-errors.js';
import { revealCode } from '../verify/codes.js';
import type { Command, Delivery, HopAccepted, HopFailed, OutcomeOf } from '../verify/commands.js';
import { UnknownKeyError } from '../verify/keyring.js';
import { renderText } from '../verify/messages/render.js';
import { type AttemptId, hopId } from '../verify/model.js';
import { maskRecipient } from '../verify/recipients.js';
import { isFailure, isSuccess } from '../verify/statuses.js';
import { Lanes, type Verdict } from '../work/lanes.js';
import type { Carrier, Claim, OutboundMessage, SubmitResult } from './carrier.js';
import { checkCost } from './cost.js';
import { type Choice, RECEIPT_WITHIN, type Router, UNANSWERED_WAIT, type Wanted } from './router.js';

export interface DispatcherOptions {
  readonly store: Store;
  readonly keyring: KeyringHolder;
  readonly environment: Environment;
  readonly carriers: ReadonlyMap<string, Carrier>;
  readonly router: Router;
  /** How a message goes through a carrier; absent: by its own `submit`. */
  readonly submit?: (
    carrier: Carrier,
    message: OutboundMessage,
    claim: Claim,
    unwanted?: AbortSignal,
  ) => Promise<SubmitResult>;
  /** Told when a hop with a message id is recorded: receipts that came early may join it. */
  readonly onAccepted: (carrier: string, messageId: string) => void;
  /** Told when a carrier has a message whose fate it still has to report, within so many milliseconds. */
  readonly onHanded?: (carrier: string, attempt: AttemptId, within: number) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Back-off of an attempt whose carriers cannot take it now, in milliseconds: doubling, a quarter of jitter. */
const BACKOFF_FIRST = 1_000;
const BACKOFF_LAST = 30_000;
/** An attempt that so many nodes died with is not given to another. */
const MAX_TAKEOVERS = 10;
const MAX_HOPS = 50;
const RECORD_RETRY = 1_000;
/** Wait before an attempt is looked at again whose master key this node lacks, in milliseconds. */
const KEY_RETRY = 10_000;
/** An attempt that has waited for so long is looked up on the opt-out list again, in milliseconds. */
const STOP_WITHIN = 1_000;
/**
 * How long whoever is on the phone is held while the database is away, and the pauses between two tries of the claim, in
 * milliseconds: doubling. Providers wait some ten seconds for what a call says.
 */
const CLAIM_WITHIN = 6_000;
const CLAIM_RETRY_FIRST = 100;
const CLAIM_RETRY_LAST = 1_000;
/** Channel error codes (contract §7) of what the dispatcher itself decides. */
const NO_ROUTE = { sms: 90, voice: 5020 } as const;

/** An attempt that is being done. */
interface Begun {
  /** Stops a call. A submit of a message is over too soon to be stopped. */
  readonly call: AbortController | null;
  /** It is not wanted any more. */
  isDropped: boolean;
  /** Its carrier has shown that it is well. */
  onHealthy: ((carrier: string) => void) | null;
  isAccepted: boolean;
}

/**
 * Delivers attempts: from memory at once, one lane per carrier, and records how each try ended. What a carrier
 * took is recorded whatever it takes: while the database is away the results wait here, and once they are many, their
 * lane with them.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes: Lanes<Delivery>;
  readonly #begun = new Map<AttemptId, Begun>();
  #closing = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { store, environment, carriers, log } = options;
    this.#lanes = new Lanes<Delivery>({
      environment,
      keyOf: (delivery) => delivery.attempt,
      laneOf: (delivery) => delivery.carrier,
      versionOf: (delivery) => delivery.tries,
      perform: (delivery, onAnswered, onHealthy) => this.#begin(delivery, onAnswered, onHealthy),
      divert: (delivery) => this.#wayRound(delivery),
      due: (lane, now, limit, skip) => store.read.dueDeliveries(lane, now, limit, skip),
      lanes: () => store.read.deliveryLanes(),
      holds: () => store.holds(),
      concurrency: (lane) => carriers.get(lane)?.window ?? 16,
      maxInFlight: 4096,
      onError: (error) => log.error({ err: error }, 'delivery work failed'),
    });
  }

  get depth() {
    return this.#lanes.depth;
  }

  /**
   * The carrier of an attempt's first hop; null when there is no route. A carrier behind an open breaker is
   * passed over while another of the route answers.
   */
  plan(wanted: Wanted): string | null {
    return this.#firstUnbroken(this.#options.router(wanted));
  }

  /** How a carrier's breaker stands. */
  breakerOf(carrier: string): 'closed' | 'open' | 'half-open' {
    return this.#lanes.breakerOf(carrier);
  }

  /** Takes on an attempt whose row is durable and due. */
  offer(delivery: Delivery): void {
    this.#lanes.offer(delivery);
  }

  /**
   * Forgets an attempt that is no longer wanted, unless a carrier has it already. A call that rings stops ringing. That a
   * message was not handed over is recorded, at once or when its try has ended.
   */
  drop(attempt: AttemptId): void {
    this.#lanes.drop(attempt);
    const begun = this.#begun.get(attempt);
    if (!begun) {
      void this.#conclude(attempt);
      return;
    }
    begun.isDropped = true;
    begun.call?.abort();
  }

  /** A call that a carrier is making goes on: the carrier is well, and others need not wait for the end of this one. */
  goesOn(carrier: string, attempt: AttemptId): void {
    this.#begun.get(attempt)?.onHealthy?.(carrier);
  }

  /** Looks for attempts that wait in rows: at the start, and after a takeover. */
  refill(): Promise<void> {
    return this.#lanes.refill();
  }

  /** Begins nothing more and waits for what carriers are being asked. */
  close(): Promise<void> {
    this.#closing = true;
    return this.#lanes.close();
  }

  async #begin(delivery: Delivery, onAnswered: () => void, onHealthy: () => void): Promise<Verdict> {
    const call = delivery.channel === 'voice' ? new AbortController() : null;
    const begun: Begun = { call, isDropped: false, onHealthy: null, isAccepted: false };
    this.#begun.set(delivery.attempt, begun);
    try {
      return await this.#perform(delivery, begun, onAnswered, onHealthy);
    } finally {
      this.#begun.delete(delivery.attempt);
      if (begun.isDropped && !begun.isAccepted && !call) await this.#conclude(delivery.attempt);
    }
  }

  async #perform(
    delivery: Delivery,
    begun: Begun,
    onAnswered: () => void,
    onHealthy: () => void,
  ): Promise<Verdict> {
    const { store, environment, carriers, router } = this.#options;
    const now = environment.now();
    if (delivery.expiresAt <= now) {
      const { session } = delivery;
      await this.#record({ type: 'expire', now, owner: store.epoch, session, force: false });
      return { health: 'unknown' };
    }
    if (delivery.takeovers > MAX_TAKEOVERS) return this.#giveUp(delivery, UNEXPLAINED[delivery.channel]);
    if (this.#hasWaited(delivery, now)) {
      const optedOut = await this.#isOptedOut(delivery);
      if (optedOut === null) return { health: 'unknown', postponed: now + RECORD_RETRY };
      if (optedOut) return this.#giveUp(delivery, OPTED_OUT);
    }
    // The configuration may have changed since the carrier was chosen.
    const choice = router.choose(delivery);
    const name = carriers.has(delivery.carrier) ? delivery.carrier : choice?.carriers[0];
    const carrier = name === undefined ? undefined : carriers.get(name);
    if (!carrier) return this.#giveUp(delivery, NO_ROUTE[delivery.channel]);

    const message = this.#messageOf(delivery, choice);
    if (!message) return { health: 'unknown', postponed: now + KEY_RETRY };
    // While the database was asked.
    if (begun.isDropped) return { health: 'unknown' };
    const { submit } = this.#options;
    begun.onHealthy = (name) => {
      if (name === carrier.name && name === delivery.carrier) onHealthy();
    };
    let claimed = false;
    const claim: Claim = async (messageId, over) => {
      claimed = await this.#claim(delivery, carrier, messageId, over);
      if (claimed) begun.onHealthy?.(carrier.name);
      return claimed;
    };
    const unwanted = begun.call?.signal;
    const result = await (submit
      ? submit(carrier, message, claim, unwanted)
      : carrier.submit(message, claim, unwanted));
    begun.isAccepted = result.kind === 'accepted';
    this.#options.metrics.hops.inc({ carrier: carrier.name, status: result.kind });
    // What came of it has been reported: the submit lasted until the end, which says nothing of how the carrier fares.
    if (claimed) return { health: 'unknown' };
    // Its place in the carrier's window is free while the result is being committed. A result that says that the
    // carrier is in trouble is judged first.
    if (result.kind === 'accepted' || result.kind === 'refused') onAnswered();
    return result.kind === 'accepted'
      ? this.#accepted(delivery, carrier, result, choice?.receiptWithin ?? RECEIPT_WITHIN * 1000)
      : this.#failed(delivery, carrier, result, choice);
  }

  /** Whether the recipient may have opted out since the attempt was accepted. */
  #hasWaited({ channel, tries, takeovers, nextAt }: Delivery, now: number): boolean {
    return channel === 'sms' && (tries > 0 || takeovers > 0 || now - nextAt >= STOP_WITHIN);
  }

  /** Null: the database cannot say now. */
  async #isOptedOut({ main, recipient }: Delivery): Promise<boolean | null> {
    try {
      return (await this.#options.store.read.optOut(main, recipient)) !== null;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return null;
    }
  }

  #messageOf(delivery: Delivery, choice: Choice | null): OutboundMessage | null {
    const { attempt, session, channel, recipient, locale, brandName, dtmf, confirmByKey, src, expiresAt } =
      delivery;
    const content = confirmByKey ? { text: '', code: '' } : this.#contentOf(delivery);
    if (!content) return null;
    return {
      hopId: hopId(attempt, delivery.hop),
      attempt,
      session,
      channel,
      recipient,
      ...content,
      locale,
      brandName,
      dtmf: confirmByKey ? null : dtmf,
      confirmByKey,
      src,
      sender: choice?.sender ?? null,
      parameters: choice?.parameters ?? {},
      expiresAt,
    };
  }

  /** Null: the code is derived under a master key that is not here. */
  #contentOf(delivery: Delivery): Pick<OutboundMessage, 'text' | 'code'> | null {
    try {
      const code = revealCode(this.#options.keyring.current, delivery.session, delivery.code);
      return { text: renderText(delivery, code), code };
    } catch (error) {
      if (!(error instanceof UnknownKeyError)) throw error;
      this.#options.log.error(
        { attempt: delivery.attempt, key: error.keyId },
        'an attempt waits for a master key that this node does not hold',
      );
      return null;
    }
  }

  /** Marks the attempt as brought, before it is: whoever looks for work from now on passes it over. */
  async #claim(
    delivery: Delivery,
    carrier: Carrier,
    messageId: string | null,
    over?: AbortSignal,
  ): Promise<boolean> {
    const { environment, log, metrics, onAccepted } = this.#options;
    const { attempt, channel } = delivery;
    const until = environment.monotonic() + CLAIM_WITHIN;
    let pause = CLAIM_RETRY_FIRST;
    let outcome = await this.#tryClaim(delivery, carrier, messageId);
    while (outcome instanceof StoreError) {
      const isAway = outcome.kind === 'unavailable' && environment.monotonic() + pause <= until;
      if (!isAway || over?.aborted) {
        log.warn({ attempt, err: outcome }, 'an attempt could not be claimed, and is not brought');
        return false;
      }
      await sleep(environment, pause);
      pause = Math.min(pause * 2, CLAIM_RETRY_LAST);
      if (!over?.aborted) outcome = await this.#tryClaim(delivery, carrier, messageId);
    }
    if (outcome?.kind !== 'recorded') return false;
    if (outcome.verified) {
      metrics.sessions.inc({ event: 'verified' });
      metrics.attempts.inc({ channel, status: 'completed' });
    }
    if (messageId !== null) onAccepted(carrier.name, messageId);
    return true;
  }

  /** Null: it may not be claimed, whatever the database says. */
  async #tryClaim(delivery: Delivery, carrier: Carrier, messageId: string | null) {
    const { store, environment } = this.#options;
    const now = environment.now();
    if (!store.holds() || delivery.expiresAt <= now) return null;
    try {
      return await store.submit<HopAccepted>({
        type: 'hop-accepted',
        now,
        owner: store.epoch,
        attempt: delivery.attempt,
        number: delivery.hop,
        carrier: carrier.name,
        messageId,
        claim: true,
      });
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  async #accepted(
    delivery: Delivery,
    carrier: Carrier,
    { messageId, status, cost }: Extract<SubmitResult, { kind: 'accepted' }>,
    receiptWithin: number,
  ): Promise<Verdict> {
    const { store, environment, metrics, onAccepted, onHanded } = this.#options;
    const outcome = await this.#record({
      type: 'hop-accepted',
      now: environment.now(),
      owner: store.epoch,
      attempt: delivery.attempt,
      number: delivery.hop,
      carrier: carrier.name,
      messageId,
      status,
      cost: checkCost(cost),
    });
    if (!outcome) return { health: 'up', stuck: true };
    // A receipt that came first has been counted with the status that it brought.
    if (outcome.status && outcome.status === (status ?? 'sent')) {
      metrics.attempts.inc({ channel: delivery.channel, status: outcome.status });
    }
    if (outcome.status && !isSuccess(outcome.status) && !isFailure(outcome.status)) {
      onHanded?.(carrier.name, delivery.attempt, receiptWithin);
    }
    if (messageId !== null) onAccepted(carrier.name, messageId);
    return { health: 'up' };
  }

  async #failed(
    delivery: Delivery,
    carrier: Carrier,
    result: Exclude<SubmitResult, { kind: 'accepted' }>,
    choice: Choice | null,
  ): Promise<Verdict> {
    const { store, environment, metrics, log } = this.#options;
    const now = environment.now();
    const unanswered = result.kind === 'unanswered' ? (carrier.unanswered ?? 'resend') : undefined;
    const next: HopFailed['next'] =
      result.kind === 'refused' || delivery.hop >= MAX_HOPS
        ? { kind: 'fail' }
        : unanswered === 'wait'
          ? this.#afterWait(carrier, choice, now)
          : this.#retry(delivery, carrier, now, result.kind === 'unavailable' ? (result.retryAfter ?? 0) : 0);
    const outcome = await this.#record({
      type: 'hop-failed',
      now,
      owner: store.epoch,
      attempt: delivery.attempt,
      number: delivery.hop,
      carrier: carrier.name,
      errorCode: result.errorCode,
      reason: result.reason,
      status: result.kind === 'refused' ? result.status : undefined,
      unanswered,
      unwanted: result.kind === 'unavailable' && result.unwanted,
      next,
    });
    log.warn(
      {
        attempt: delivery.attempt,
        hop: delivery.hop,
        carrier: carrier.name,
        recipient: maskRecipient(delivery.recipient),
        errorCode: result.errorCode,
        reason: result.reason,
        next: next.kind,
        ...(unanswered ? { unanswered } : {}),
      },
      unanswered ? 'a carrier did not answer' : 'a carrier did not take an attempt',
    );
    const down = result.kind !== 'refused' && result.down && carrier.name === delivery.carrier;
    const untried = result.kind === 'unavailable' && result.untried === true;
    const health = down ? 'down' : untried ? 'unknown' : 'up';
    if (!outcome) return { health, stuck: true };
    if (next.kind === 'fail' && outcome.status) {
      metrics.attempts.inc({ channel: delivery.channel, status: outcome.status });
    }
    return next.kind === 'retry' && next.at > now
      ? { health, later: next.at, lane: next.carrier }
      : { health };
  }

  /**
   * The next carrier of the route at once, past those that are down; after the last, from the first again, later. That
   * other carriers are down is no failure of theirs with this attempt: only those that were tried have a hop.
   */
  #retry(delivery: Delivery, carrier: Carrier, now: number, retryAfter: number): HopFailed['next'] {
    const order = this.#options.router(delivery);
    const place = order.indexOf(carrier.name);
    const following =
      place < 0 ? undefined : order.slice(place + 1).find((name) => !this.#lanes.isBroken(name));
    if (following !== undefined) return { kind: 'retry', carrier: following, at: now, sameHop: false };
    const first = this.#firstUnbroken(order) ?? carrier.name;
    // Once round the route is one failure, however many carriers it has.
    const rounds = Math.floor(delivery.tries / Math.max(order.length, 1));
    const backoff = Math.min(BACKOFF_FIRST * 2 ** Math.min(rounds, 10), BACKOFF_LAST);
    const jitter = 0.875 + (this.#options.environment.randomBytes(1)[0]! / 255) * 0.25;
    const at = now + Math.max(Math.round(backoff * jitter), retryAfter);
    return { kind: 'retry', carrier: first, at, sameHop: first === carrier.name };
  }

  /** The next carrier of the route, or the same one, when a receipt has been waited for. */
  #afterWait(carrier: Carrier, choice: Choice | null, now: number): HopFailed['next'] {
    const order = choice?.carriers ?? [];
    const following = order[order.indexOf(carrier.name) + 1] ?? order[0] ?? carrier.name;
    const at = now + (choice?.unansweredWait ?? UNANSWERED_WAIT * 1000);
    return { kind: 'retry', carrier: following, at, sameHop: following === carrier.name };
  }

  #firstUnbroken(order: readonly string[]): string | null {
    return order.find((name) => !this.#lanes.isBroken(name)) ?? order[0] ?? null;
  }

  /** The way past a carrier that is down: the next of the route, going round, that is not. Null: there is none. */
  #wayRound(delivery: Delivery): (() => Promise<void>) | null {
    const { store, environment, carriers, router, metrics } = this.#options;
    if (this.#closing || delivery.hop >= MAX_HOPS) return null;
    // It would not be moved, and be found here again and again.
    if (delivery.expiresAt <= environment.now()) return null;
    const { attempt, hop: number, tries } = delivery;
    const order = router(delivery);
    const place = order.indexOf(delivery.carrier) + 1;
    const carrier = [...order.slice(place), ...order.slice(0, place)].find(
      (name) => name !== delivery.carrier && carriers.has(name) && this.#lanes.isHealthy(name),
    );
    if (carrier === undefined) return null;
    return async () => {
      const now = environment.now();
      const command = { type: 'reroute', now, owner: store.epoch, attempt, number, tries, carrier } as const;
      const outcome = await this.#record(command);
      if (outcome?.kind === 'recorded') metrics.reroutes.inc({ carrier: delivery.carrier });
    };
  }

  async #giveUp(delivery: Delivery, errorCode: number): Promise<Verdict> {
    const { attempt } = delivery;
    this.#options.log.error({ attempt, carrier: delivery.carrier, errorCode }, 'an attempt was given up');
    await this.#recordGivenUp(attempt, errorCode);
    return { health: 'unknown' };
  }

  /** Records of an attempt that was dropped that it was not handed over; changes nothing if it was, or its end is known. */
  #conclude(attempt: AttemptId): Promise<void> {
    return this.#recordGivenUp(attempt, null);
  }

  async #recordGivenUp(attempt: AttemptId, errorCode: number | null): Promise<void> {
    const { store, environment, metrics } = this.#options;
    const now = environment.now();
    const outcome = await this.#record({ type: 'give-up', now, owner: store.epoch, attempt, errorCode });
    if (outcome?.kind !== 'recorded') return;
    metrics.attempts.inc({ channel: outcome.channel!, status: outcome.status! });
  }

  /**
   * Submits until the database takes it. Null: it never will (a defect, logged), or the server stops; the row
   * still says what is to be done.
   */
  async #record<C extends Command>(command: C): Promise<OutcomeOf<C> | null> {
    const { store, environment, log } = this.#options;
    while (true) {
      try {
        return await store.submit(command);
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind === 'failed' || this.#closing) {
          log.error({ err: error, command: command.type }, 'the result of a delivery could not be recorded');
          return null;
        }
        await sleep(environment, RECORD_RETRY);
      }
    }
  }
}
