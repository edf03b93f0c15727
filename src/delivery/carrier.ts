import type { FastifyPluginAsync } from 'fastify';
import type { TObject } from 'typebox';
import type { Environment } from '../environment.js';
import type { Speech } from '../speech/prompts.js';
import type { Log } from '../telemetry/log.js';
import type { AttemptStatus, Channel, Cost, Recipient, UnansweredPolicy } from '../verify/model.js';

export type { Cost } from '../verify/model.js';

/** What a carrier is asked to bring to a recipient. Holds the code: never logged, never kept. */
export interface OutboundMessage {
  /** The hop's id: the same for every try of this hop, so that a carrier can tell a repeat. */
  readonly hopId: string;
  readonly attempt: string;
  readonly session: string;
  readonly channel: Channel;
  readonly recipient: Recipient;
  /** What the recipient reads or hears, to be sent as it is; empty with `confirmByKey`. */
  readonly text: string;
  /** Empty with `confirmByKey`: what is not there cannot be spoken. */
  readonly code: string;
  readonly locale: string;
  readonly brandName: string;
  /** Voice only: the key that the callee presses before the code is spoken. */
  readonly dtmf: number | null;
  /**
   * Voice only: the call speaks no code but asks for key 1, and `claim` is the confirmation: once it resolves true the
   * session is verified. `dtmf` is null then.
   */
  readonly confirmByKey: boolean;
  /** Sender id or caller id that the caller asked for, which comes before `sender`; null leaves it to the route. */
  readonly src: string | null;
  /** Sender id or caller id of the route, by country where it says so; null leaves it to the carrier. */
  readonly sender: string | null;
  /** What the route adds for its carriers, such as `entity_id` and `template_id` of India's DLT rules. */
  readonly parameters: Readonly<Record<string, string>>;
  /** When the code stops being good, UTC milliseconds: later delivery is worthless. */
  readonly expiresAt: number;
}

/** How a submit ended. */
export type SubmitResult =
  /**
   * The carrier has the message, under this id of its own if it tells one; `status` if it knows already how the
   * message fared.
   */
  | {
      readonly kind: 'accepted';
      readonly messageId: string | null;
      readonly status?: AttemptStatus;
      readonly cost?: Cost;
    }
  /**
   * It will never take this message, and another carrier would not either: the recipient or the content is wrong. What
   * is the carrier's own trouble (no credit, a sender that it does not allow, no route) is `unavailable`.
   */
  | {
      readonly kind: 'refused';
      readonly errorCode: number;
      readonly reason: string;
      /** What the attempt comes to, where that is not `failed`: a call may be `busy`. */
      readonly status?: AttemptStatus;
    }
  /** It cannot now, and the same hop may be tried again. */
  | {
      readonly kind: 'unavailable';
      readonly errorCode: number;
      readonly reason: string;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
      /** It was never asked: it is not known from this how the carrier fares. */
      readonly untried?: boolean;
      /** It was stopped, or its claim refused: nothing failed. */
      readonly unwanted?: true;
      /** Earliest useful time of the next try, milliseconds from now, where the carrier says. */
      readonly retryAfter?: number;
    }
  /**
   * It may or may not have the message: time ran out, or the connection was lost, after the request was written.
   * `Carrier.unanswered` says what follows.
   */
  | {
      readonly kind: 'unanswered';
      readonly errorCode: number;
      readonly reason: string;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
    };

/** The result of a submit that was stopped, or whose claim was refused. */
export const UNWANTED = {
  kind: 'unavailable',
  errorCode: 5010,
  reason: 'the attempt is not wanted any more',
  down: false,
  untried: true,
  unwanted: true,
} as const satisfies SubmitResult;

/**
 * Of a carrier that brings messages itself, and for which a repeat matters: commits that this message is brought now, and
 * never again. False: it must not be brought, since another node has it, its session has ended, or the database did not
 * take it, though it was asked again for six seconds. Of a call that asks to press 1: commits that it was pressed, and
 * that the session is verified by it.
 * @param messageId the carrier's own id, for reports
 * @param over aborted when the call is over, and nobody there to hear: a database that is away is not asked again
 */
export type Claim = (messageId: string | null, over?: AbortSignal) => Promise<boolean>;

/** What a carrier reports about a message that it took. */
export interface CarrierReport {
  readonly by:
    | { readonly kind: 'hop'; readonly hopId: string }
    | { readonly kind: 'message'; readonly messageId: string };
  /** By hop: the carrier's own id of the message, where that came too late for the result of the submit. */
  readonly messageId?: string;
  /** Channel status of contract §6. */
  readonly status: string;
  /** Channel error code of contract §7; null when there is none. */
  readonly errorCode: number | null;
  /**
   * The submit still goes on, and nothing is claimed: the attempt shows the status, and is tried again if the submit
   * fails. Only by hop, and not with a status that ends an attempt.
   */
  readonly underWay?: boolean;
  /** Of a completed call: the seconds it lasted, a whole number; absent where the carrier does not tell. */
  readonly duration?: number;
  /** With `completed`, of a message with `confirmByKey` that was not claimed: the callee pressed 1. */
  readonly confirmed?: boolean;
  readonly cost?: Cost;
}

/** What somebody sent to one of the carrier's numbers. Its text is never logged. */
export interface InboundMessage {
  /** Who sent it: a number in international format, with or without `+`. */
  readonly from: string;
  /** The number or sender id that it was sent to. */
  readonly to: string;
  readonly text: string;
}

/** `recorded`: what followed from it is committed, acknowledge it. `unavailable`: it should be sent again. */
export type InboundResult = 'recorded' | 'unavailable';

/**
 * `recorded`: committed, acknowledge it. `unknown`: no hop of this carrier is meant. `invalid`: the channel has
 * no such status. `unavailable`: the database is away; the carrier should report again.
 */
export type ReportResult = 'recorded' | 'unknown' | 'invalid' | 'unavailable';

/** How a carrier's connection stands, for the operator. */
export interface CarrierStatus {
  readonly state: 'up' | 'down' | 'connecting';
  /** What to know about it, in a few words; null when all is well. */
  readonly detail: string | null;
  /** Submits without an answer. */
  readonly inFlight: number;
  readonly window: number;
  /** Most submits a second; null when nothing limits them. */
  readonly rate: number | null;
  /** What the carrier counts, by name, since the start. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A configured connection to the outside. */
export interface Carrier {
  readonly name: string;
  readonly type: string;
  readonly channels: readonly Channel[];
  /** Most submits that may be without an answer at a time. */
  readonly window: number;
  /**
   * What follows a submit without an answer. `resend` (the default): the next try, now; the recipient may get the code
   * twice. `wait`: a receipt is waited for first, for the route's `unanswered_wait_seconds`.
   */
  readonly unanswered?: UnansweredPolicy;
  /**
   * Milliseconds after which a submit counts as unanswered; a receipt by message id may come as long before the answer.
   * Absent: a moment.
   */
  readonly answerWithin?: number;
  /** What it brings ends with this process, and nobody else ever tells how that went. */
  readonly endsWithProcess?: true;
  /** Called once, when the server is ready: receipts can be taken and connections made. */
  start?(): void;
  /**
   * Submits one message. Never rejects for what the other side did; rejects only on a defect of ours. A carrier that
   * brings it itself may take as long as that takes; once it has called `claim` with success, it resolves `accepted`.
   * `unwanted` is aborted when the session has ended meanwhile: such a carrier then stops what nobody has answered yet.
   */
  submit(message: OutboundMessage, claim?: Claim, unwanted?: AbortSignal): Promise<SubmitResult>;
  /** The HTTP routes that take its receipts, mounted under `/carriers/{name}`. */
  readonly routes?: FastifyPluginAsync;
  /** How it stands now; absent where there is no connection to tell of. */
  status?(): CarrierStatus;
  stop(): Promise<void>;
}

export interface CarrierContext {
  readonly name: string;
  readonly environment: Environment;
  readonly log: Log;
  /** What calls say. */
  readonly speech: Speech;
  /** Records what the carrier reports; resolves after the commit. */
  readonly report: (report: CarrierReport) => Promise<ReportResult>;
  /** Takes what somebody sent to one of the carrier's numbers; resolves after the commit. */
  readonly inbound: (message: InboundMessage) => Promise<InboundResult>;
  /** This node's share of the carrier's totals (connections, window, rate): number `index` (from 0) of `count`. */
  readonly share: { readonly index: number; readonly count: number };
  /** Where the outside reaches this server, without a trailing slash; null when it was not told. */
  readonly publicUrl: string | null;
}

/** One finding of a doctor's check. */
export interface Finding {
  readonly ok: boolean;
  /** What was found; when not ok, also how to mend it. */
  readonly text: string;
}

/** A port of this machine that a carrier listens on. */
export interface Binding {
  /** An IP address; `0.0.0.0` and `::` are all of them. */
  readonly address: string;
  readonly port: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
}

/** A kind of carrier: what its configuration looks like, and how one is made from it. */
export interface CarrierType<Settings = unknown> {
  readonly type: string;
  /** The keys of its entry under `carriers:` in `countersign.yaml`, besides `type`; closed to others. */
  readonly settings: TObject;
  /** The channels that a carrier with these settings serves. */
  channels(settings: Settings): readonly Channel[];
  create(settings: Settings, context: CarrierContext): Carrier;
  /** Seconds that a stopping server should wait for what such a carrier has in flight; absent: the usual ones do. */
  drain?(settings: Settings): number;
  /** What such a carrier listens on by a setting `port` of its own; absent or null: nothing. No two may share it. */
  binding?(settings: Settings): Binding | null;
  /** Checks the settings against the real counterpart without sending a message. */
  check(settings: Settings): Promise<Finding[]>;
}
