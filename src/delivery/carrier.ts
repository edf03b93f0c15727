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
  /** Sender id that the route chose; null leaves it to the carrier. What the caller asked for goes before it. */
  readonly sender: string | null;
  /** Further values of the route, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** When the code stops being good, UTC milliseconds: later delivery is worthless. */
  readonly expiresAt: number;
}

/** What a carrier takes for a message, as it said. */
export interface Cost {
  /** A decimal number. */
  readonly amount: string;
  /** ISO 4217. */
  readonly currency: string;
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
  /** It will never take this message; another carrier would not either. */
  | { readonly kind: 'refused'; readonly errorCode: number; readonly reason: string }
  /** It may or may not have the message: time ran out, or the connection was lost, after the request was written. */
  | {
      readonly kind: 'unanswered';
      readonly reason: string;
      readonly errorCode: number;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
    }
  /** It cannot now, and the same hop may be tried again. */
  | {
      readonly kind: 'unavailable';
      readonly errorCode: number;
      readonly reason: string;
      /** Whether the carrier as such is in trouble, rather than this message. */
      readonly down: boolean;
      /** Earliest useful time of the next try, milliseconds from now, where the carrier says. */
      readonly retryAfter?: number;
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
  readonly cost?: Cost;
}

/** An SMS from outside, such as STOP. Numbers as the carrier writes them. */
export interface InboundMessage {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** How a carrier is doing. */
export interface CarrierStatus {
  readonly state: 'up' | 'down' | 'connecting';
  /** Why it is not up; null when there is nothing to say. */
  readonly detail: string | null;
  readonly inFlight: number;
  readonly window: number;
  /** Messages a second that it may take; null: no limit of ours. */
  readonly rate: number | null;
  /** What was counted since the start, by name. */
  readonly counts: Record<string, number>;
}

/**
 * `recorded`: committed, acknowledge it. `unknown`: no hop of this carrier is meant. `invalid`: the channel has
 * no such status. `unavailable`: the database is away; the carrier should report again.
 */
export type ReportResult = 'recorded' | 'unknown' | 'invalid' | 'unavailable';

/** A configured connection to the outside. */
export interface Carrier {
  readonly name: string;
  readonly type: string;
  readonly channels: readonly Channel[];
  /** Most submits that may be without an answer at a time. */
  readonly window: number;
  /** Submits one message. Never rejects for what the other side did; rejects only on a defect of ours. */
  submit(message: OutboundMessage): Promise<SubmitResult>;
  /** What becomes of a message whose submit was not answered: sent again, or held until a receipt tells. */
  readonly unanswered?: 'resend' | 'wait';
  /** The HTTP routes that take its receipts, mounted under `/carriers/{name}`. */
  readonly routes?: FastifyPluginAsync;
  /** Opens its connections, if it keeps any before the first message. */
  start?(): void;
  status?(): CarrierStatus;
  stop(): Promise<void>;
}

export interface CarrierContext {
  readonly name: string;
  readonly environment: Environment;
  /** Records what the carrier reports; resolves after the commit. */
  readonly report: (report: CarrierReport) => Promise<ReportResult>;
  /** Takes a message that somebody sent to us; resolves after what it changes is committed. */
  readonly inbound: (message: InboundMessage) => Promise<'recorded' | 'unavailable'>;
  readonly log: Log;
  /** Which of how many nodes this is: windows, rates and connections are a carrier's totals. */
  readonly share: { readonly index: number; readonly count: number };
  /** Where providers reach this server, without a slash at its end; null: nowhere. */
  readonly publicUrl: string | null;
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
