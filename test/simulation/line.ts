import type {
  Carrier,
  CarrierReport,
  Claim,
  OutboundMessage,
  ReportResult,
  SubmitResult,
} from '#delivery/carrier.js';
import { UNWANTED } from '#delivery/carrier.js';
import type { Dice } from './dice.js';
import type { NodeEnvironment } from './node-environment.js';
import { must } from './watched-database.js';

/**
 * A carrier that brings calls itself, as SIP trunks do: a submit lasts as long as its call, and nothing of a call outlives
 * the node that makes it.
 */
export class SimulatedLine {
  /** Hop ids of calls that were begun. */
  readonly taken: string[] = [];
  /** Attempts whose code was spoken, or whose callee was thanked for confirming; a repeat is there twice. */
  readonly brought: string[] = [];
  /** Attempts whose callee pressed the key that confirms, whatever came of it. */
  readonly pressed = new Set<string>();
  /** Of those brought, the ones that were confirmed. */
  readonly confirmed = new Set<string>();
  /** Calls that stopped ringing since nobody wanted them any more. */
  cancelled = 0;
  calm = false;

  constructor(
    readonly name: string,
    private readonly dice: Dice,
    private readonly report: (environment: NodeEnvironment, report: CarrierReport) => Promise<ReportResult>,
  ) {}

  /** The line as one node sees it. */
  connect(environment: NodeEnvironment): Carrier {
    return {
      name: this.name,
      type: 'simulated',
      channels: ['voice'],
      window: 3,
      submit: (message, claim, unwanted) => this.#call(environment, message, claim!, unwanted!),
      stop: async () => {},
    };
  }

  async #call(
    environment: NodeEnvironment,
    message: OutboundMessage,
    claim: Claim,
    unwanted: AbortSignal,
  ): Promise<SubmitResult> {
    const pause = (longest: number) => environment.arrives(this.dice.between(1, longest), () => null);
    const tell = (status: string) =>
      void this.report(environment, {
        by: { kind: 'hop', hopId: message.hopId },
        status,
        errorCode: null,
        underWay: true,
      });
    this.taken.push(message.hopId);
    must((message.code === '') === message.confirmByKey, 'a call has a code that it must not speak, or none');
    await pause(500);
    if (this.#happens(0.2)) {
      return { kind: 'unavailable', errorCode: 3090, reason: 'congestion', down: this.#happens(0.5) };
    }
    if (this.#happens(0.1)) return { kind: 'refused', errorCode: 3010, reason: 'busy', status: 'busy' };
    tell('ringing');
    await pause(8_000);
    if (unwanted.aborted) {
      this.cancelled++;
      return UNWANTED;
    }
    tell('in-progress');
    await pause(6_000);
    if (message.confirmByKey && this.#happens(0.3)) {
      return { kind: 'refused', errorCode: 9110, reason: 'not pressed' };
    }
    if (message.confirmByKey) this.pressed.add(message.attempt);
    if (!(await claim(null))) return UNWANTED;
    this.brought.push(message.attempt);
    if (message.confirmByKey) this.confirmed.add(message.attempt);
    await pause(10_000);
    await this.#reportEnd(environment, message);
    return { kind: 'accepted', messageId: null };
  }

  async #reportEnd(environment: NodeEnvironment, { hopId }: OutboundMessage): Promise<void> {
    const by = { kind: 'hop', hopId } as const;
    const duration = this.dice.between(1, 60);
    const ended = { by, status: 'completed', errorCode: null, duration };
    while ((await this.report(environment, ended)) === 'unavailable') {
      await environment.arrives(1_000, () => null);
    }
  }

  #happens(probability: number): boolean {
    return !this.calm && this.dice.chance(probability);
  }
}
