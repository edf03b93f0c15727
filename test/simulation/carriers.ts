import {
  type Carrier,
  type CarrierReport,
  type Claim,
  type OutboundMessage,
  type ReportResult,
  type SubmitResult,
  UNWANTED,
} from '#delivery/carrier.js';
import type { Environment } from '#environment.js';
import type { Dice } from './dice.js';
import type { NodeEnvironment } from './node-environment.js';
import { must } from './watched-database.js';

/** How often a carrier misbehaves; each a probability. */
export interface CarrierFaults {
  readonly lost: number;
  readonly answerLost: number;
  /** Of what gets no answer, how much the carrier calls unanswered rather than unavailable. */
  readonly unanswered: number;
  readonly refused: number;
  readonly throttled: number;
  readonly undelivered: number;
  readonly silent: number;
  readonly repeated: number;
}

/**
 * A carrier's network, which outlives the nodes that use it: loses, delays, refuses, repeats and reorders. It
 * reports a receipt again until a node acknowledges it, as SMSCs do.
 */
export class SimulatedNetwork {
  /** Hop ids of messages that the carrier took, in order, repeats included. */
  readonly taken: string[] = [];
  /** Attempts of which a `delivered` receipt was acknowledged. */
  readonly acknowledged = new Set<string>();
  /** Attempts whose callee pressed the key that confirms, whatever came of it. */
  readonly pressed = new Set<string>();
  /** Sessions of which a node was told that the pressed key verified them, once for each time. */
  readonly confirmed: string[] = [];
  /** Moments until which the carrier answers nobody. */
  downUntil = 0;
  calm = false;
  #ids = 0;

  constructor(
    readonly name: string,
    private readonly clock: Environment,
    private readonly dice: Dice,
    private readonly faults: CarrierFaults,
    /** What follows where it calls a submit unanswered. */
    private readonly policy: 'resend' | 'wait' | undefined,
    /** Whether its calls are made by the node itself, which marks them before they say what they are for. */
    private readonly isMarked: boolean,
    /** Where a receipt arrives: any node that lives, or nobody. */
    private readonly report: (report: CarrierReport) => Promise<ReportResult | 'nobody'>,
  ) {}

  /** The carrier as one node sees it. */
  connect(environment: NodeEnvironment): Carrier {
    return {
      name: this.name,
      type: 'simulated',
      channels: ['sms', 'voice'],
      window: 4,
      unanswered: this.policy,
      submit: (message, claim, unwanted) => {
        must(
          (message.code === '') === message.confirmByKey,
          'a call that asks to confirm has a code, or one that speaks it has none',
        );
        return this.isMarked && message.channel === 'voice'
          ? this.#call(environment, message, claim!, unwanted!)
          : this.#submit(environment, message);
      },
      stop: async () => {},
    };
  }

  #submit(environment: NodeEnvironment, message: OutboundMessage): Promise<SubmitResult> {
    const travel = this.dice.between(1, 200);
    const answer = this.dice.between(1, 200);
    const errorCode = message.channel === 'sms' ? 20 : 5000;
    const unavailable = { kind: 'unavailable', errorCode, reason: 'no answer', down: true } as const;
    const timeout: SubmitResult = this.dice.chance(this.faults.unanswered)
      ? { ...unavailable, kind: 'unanswered' }
      : unavailable;
    const gone = this.clock.now() < this.downUntil;
    if (gone || this.#happens(this.faults.lost)) return environment.arrives(5_000, () => timeout);
    if (this.#happens(this.faults.throttled)) {
      return environment.arrives(travel, () => ({ ...unavailable, reason: 'throttled', down: false }));
    }
    if (this.#happens(this.faults.refused)) {
      return environment.arrives(travel, () => ({ kind: 'refused', errorCode: 50, reason: 'refused' }));
    }
    const messageId = `${this.name}-${++this.#ids}`;
    // What is on its way arrives even if the node dies meanwhile.
    this.clock.after(travel, () => this.#take(message, messageId));
    return this.#happens(this.faults.answerLost)
      ? environment.arrives(5_000, () => timeout)
      : environment.arrives(travel + answer, () => ({ kind: 'accepted', messageId }));
  }

  /** A call that ends with its node. */
  async #call(
    environment: NodeEnvironment,
    message: OutboundMessage,
    claim: Claim,
    unwanted: AbortSignal,
  ): Promise<SubmitResult> {
    const { hopId, attempt, session, confirmByKey } = message;
    const by = { kind: 'hop', hopId } as const;
    const pass = (most: number) => environment.arrives(this.dice.between(1, most), () => undefined);
    await pass(2_000);
    if (this.clock.now() < this.downUntil || this.#happens(this.faults.lost)) {
      return { kind: 'unavailable', errorCode: 5000, reason: 'no answer', down: true };
    }
    this.taken.push(hopId);
    void this.report({ by, status: 'ringing', errorCode: null, underWay: true });
    await pass(8_000);
    if (unwanted.aborted) return UNWANTED;
    if (this.#happens(this.faults.refused)) {
      return { kind: 'refused', errorCode: 3000, reason: 'not answered', status: 'no-answer' };
    }
    if (confirmByKey) this.pressed.add(attempt);
    if (!(await claim(null))) return UNWANTED;
    if (confirmByKey) this.confirmed.push(session);
    await pass(8_000);
    for (const status of ['in-progress', 'completed']) {
      this.#deliver(message, { by, status, errorCode: null });
    }
    return { kind: 'accepted', messageId: null };
  }

  #take(message: OutboundMessage, messageId: string): void {
    this.taken.push(message.hopId);
    if (this.#happens(this.faults.silent)) return;
    const failed = this.#happens(this.faults.undelivered);
    const sms = message.channel === 'sms';
    const statuses = failed
      ? [sms ? 'undelivered' : 'no-answer']
      : sms
        ? ['delivered']
        : ['ringing', 'in-progress', 'completed'];
    const byHop = this.dice.chance(0.3);
    const confirmed = !failed && message.confirmByKey && this.dice.chance(0.7);
    if (confirmed) this.pressed.add(message.attempt);
    for (const status of statuses) {
      const copies = this.#happens(this.faults.repeated) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.clock.after(this.dice.between(1, 4_000), () =>
          this.#deliver(message, {
            by: byHop ? { kind: 'hop', hopId: message.hopId } : { kind: 'message', messageId },
            status,
            errorCode: failed ? (sms ? 80 : 3000) : null,
            ...(confirmed && status === 'completed' ? { confirmed } : {}),
          }),
        );
      }
    }
  }

  #deliver(message: OutboundMessage, report: CarrierReport, tries = 0): void {
    void this.report(report).then((result) => {
      if (result === 'recorded') {
        if (report.status === 'delivered' || report.status === 'completed')
          this.acknowledged.add(message.attempt);
      } else if (result !== 'invalid' && tries < 6) {
        this.clock.after(5_000, () => this.#deliver(message, report, tries + 1));
      }
    });
  }

  #happens(probability: number): boolean {
    return !this.calm && this.dice.chance(probability);
  }
}
