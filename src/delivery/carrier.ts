import type { FastifyPluginAsync } from 'fastify';
import type { TObject } from 'typebox';
import type { Environment } from '../environment.js';
import type { Log } from '../telemetry/log.js';
import type { AttemptStatus, Channel, Recipient } from '../verify/model.js';

/** What a carrier is asked to bring to a recipient. Holds the code: never logged, never kept. */
export interface OutboundMessage {
  /** The hop's id: the same for every try of this hop, so that a carrier can tell a repeat. */
  readonly hopId: string;
  readonly attempt: string;
  readonly session: string;
  readonly channel: Channel;
  readonly recipient: Recipient;
  /** What the recipient reads or hears, to be sent as it is. */
  readonly text: string;
  readonly code: string;
  readonly locale: string;
  readonly brandName: string;
  /** Voice only: the key that the callee presses before the code is spoken. */
  readonly dtmf: number | null;
  /** Sender id or caller id that the caller asked for; null leaves it to the carrier. */
  readonly src: string | null;
  /** Sender id that route or country give, where the caller asked for none; null: the carrier's own. */
  readonly sender: string | null;
  /** Further values that the route gives, by name, such as India's `entity_id` and `template_id`. */
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
  | { readonly kind: 'accepted'; readonly messageId: string | null; readonly status?: AttemptStatus }
  /** It will never take this message; another carrier would not either. */
  | { readonly kind: 'refused'; readonly errorCode: number; readonly reason: string }
  /** It cannot now, or did not answer, and the same hop may be tried again. */
  | {
      readonly kind: 'unavailable';
      readonly errorCode: number;
      readonly reason: string;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
      /** Earliest useful time of the next try, milliseconds from now, where the carrier says. */
      readonly retryAfter?: number;
    }
  /** It was sent, but no answer came: the other side may have it or not. What follows is `Carrier.unanswered`. */
  | {
      readonly kind: 'unanswered';
      readonly errorCode: number;
      readonly reason: string;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
    };

/** What a carrier reports about a message that it took. */
export interface CarrierReport {
  readonly by:
    | { readonly kind: 'hop'; readonly hopId: string }
    | { readonly kind: 'message'; readonly messageId: string };
  /** Channel status of contract §6. */
  readonly status: string;
  /** Channel error code of contract §7; null when there is none. */
  readonly errorCode: number | null;
}

/**
 * `recorded`: committed, acknowledge it. `unknown`: no hop of this carrier is meant. `invalid`: the channel has
 * no such status. `unavailable`: the database is away; the carrier should report again.
 */
export type ReportResult = 'recorded' | 'unknown' | 'invalid' | 'unavailable';

/** An SMS that a recipient sent. */
export interface InboundMessage {
  /** Digits of E.164, or what the network gave. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** How a carrier fares, for `countersign carriers`. */
export interface CarrierStatus {
  readonly state: 'up' | 'down' | 'connecting';
  /** What there is to know besides, in a few words. */
  readonly detail: string | null;
  /** Submits without an answer, and the most there may be. */
  readonly inFlight: number;
  readonly window: number;
  /** Messages a second at present; null: no limit. */
  readonly rate: number | null;
  /** Counts since the start, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A configured connection to the outside. */
export interface Carrier {
  readonly name: string;
  readonly type: string;
  readonly channels: readonly Channel[];
  /** Most submits that may be without an answer at a time. */
  readonly window: number;
  /** After an unanswered submit: send it again (default), or wait for a receipt first. */
  readonly unanswered?: 'resend' | 'wait';
  /** Called once, when the server is ready for what the carrier reports. */
  start?(): void;
  status?(): CarrierStatus;
  /** Submits one message. Never rejects for what the other side did; rejects only on a defect of ours. */
  submit(message: OutboundMessage): Promise<SubmitResult>;
  /** The HTTP routes that take its receipts, mounted under `/carriers/{name}`. */
  readonly routes?: FastifyPluginAsync;
  stop(): Promise<void>;
}

export interface CarrierContext {
  readonly name: string;
  readonly environment: Environment;
  readonly log: Log;
  /** Records what the carrier reports; resolves after the commit. */
  readonly report: (report: CarrierReport) => Promise<ReportResult>;
  /** Takes an SMS that came in; resolves after the commit. */
  readonly inbound: (message: InboundMessage) => Promise<'recorded' | 'unavailable'>;
  /** This node's place among all: totals of a carrier are shared out by it. */
  readonly share: { readonly index: number; readonly count: number };
}

/** One finding of a doctor's check. */
export interface Finding {
  readonly ok: boolean;
  /** What was found; when not ok, also how to mend it. */
  readonly text: string;
}

/** A kind of carrier: what its configuration looks like, and how one is made from it. */
export interface CarrierType<Settings = unknown> {
  readonly type: string;
  /** The keys of its entry under `carriers:` in `countersign.yaml`, besides `type`; closed to others. */
  readonly settings: TObject;
  /** The channels that a carrier with these settings serves. */
  channels(settings: Settings): readonly Channel[];
  create(settings: Settings, context: CarrierContext): Carrier;
  /** Checks the settings against the real counterpart without sending a message. */
  check(settings: Settings): Promise<Finding[]>;
}
