import type { Environment } from '../environment.js';
import { type Store, StoreError } from '../store/store.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Recipient } from '../verify/model.js';
import { type InboundKind, inboundKind } from '../verify/opt-out-words.js';
import { maskRecipient, parseRecipient } from '../verify/recipients.js';
import type { CarrierContext, InboundMessage, InboundResult, OutboundMessage } from './carrier.js';
import { plainMessage } from './plain-message.js';
import type { Router } from './router.js';

export interface InboundOptions {
  readonly store: Pick<Store, 'submit' | 'read'>;
  readonly environment: Environment;
  /** What HELP is answered with; null: it is not answered. */
  readonly helpText: string | null;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'inbound'>;
}

/** Brings a plain message to the recipient through one carrier. */
type Send = (carrier: string, message: OutboundMessage) => Promise<unknown>;

export interface Inbound {
  /** The `inbound` function of one carrier. Resolves after the commit; never rejects. */
  forCarrier(carrier: string): CarrierContext['inbound'];
  /** Says how answers go out; before it is called, HELP is not answered. */
  answerWith(send: Send, router: Router): void;
}

/** One answer to HELP for each recipient in this time, in milliseconds; so many recipients are remembered. */
const HELP_EVERY = 3_600_000;
const MAX_REMEMBERED = 10_000;
/** Answers that are being sent at a time; who asks meanwhile gets none. */
const MAX_ANSWERS = 50;

/**
 * What people send to our numbers. STOP puts the sender on the opt-out list of the main account that sent the newest of
 * the messages that went to this number through the carrier; START takes it off every list that a STOP through this
 * carrier put it on; HELP is answered, once an hour. Nobody is answered to whom nothing was sent.
 */
export function createInbound({ store, environment, helpText, log, metrics }: InboundOptions): Inbound {
  const helped = new Map<Recipient, number>();
  let answering = 0;
  let answer: { readonly send: Send; readonly router: Router } | null = null;

  async function stop(carrier: string, recipient: Recipient): Promise<boolean> {
    const account = await store.read.lastSender(carrier, recipient);
    if (account === null) return false;
    const createdAt = environment.now();
    const optOut = { account, recipient, source: 'message', carrier, createdAt } as const;
    await store.submit({ type: 'opt-out', optOut });
    return true;
  }

  async function start(carrier: string, recipient: Recipient): Promise<boolean> {
    const own = (await store.read.optOutsOf(recipient)).filter((each) => each.carrier === carrier);
    for (const { account } of own) await store.submit({ type: 'opt-in', account, recipient });
    return own.length > 0;
  }

  async function help(carrier: string, recipient: Recipient, to: string): Promise<boolean> {
    if (helpText === null || !answer || isHelped(recipient)) return false;
    if ((await store.read.lastSender(carrier, recipient)) === null) return false;
    // Asked again while the database was.
    if (isHelped(recipient) || answering >= MAX_ANSWERS) return false;
    remember(recipient);
    const choice = answer.router.choose({
      channel: 'sms',
      recipient,
      country: parseRecipient(recipient)?.country,
    });
    // From the number that was asked, so that the answer is in the same conversation.
    const addressed = { recipient, src: to, sender: to, parameters: choice?.parameters ?? {} };
    const message = plainMessage(environment, helpText, addressed);
    // The question is taken care of, whatever becomes of the answer.
    answering++;
    answer
      .send(carrier, message)
      .catch((error: unknown) => log.error({ err: error, carrier }, 'HELP could not be answered'))
      .finally(() => answering--);
    return true;
  }

  function isHelped(recipient: Recipient): boolean {
    const at = helped.get(recipient);
    return at !== undefined && at > environment.monotonic() - HELP_EVERY;
  }

  function remember(recipient: Recipient): void {
    helped.delete(recipient);
    if (helped.size >= MAX_REMEMBERED) helped.delete(helped.keys().next().value!);
    helped.set(recipient, environment.monotonic());
  }

  async function take(carrier: string, { from, to, text }: InboundMessage): Promise<InboundResult> {
    const recipient = parseRecipient(from)?.recipient;
    const kind: InboundKind = recipient === undefined ? 'other' : inboundKind(text);
    try {
      const works = { stop, start, help, other: async () => false };
      const done = recipient !== undefined && (await works[kind](carrier, recipient, to));
      metrics.inbound.inc({ carrier, kind });
      log.info({ carrier, from: maskRecipient(from.slice(0, 64)), kind, done }, 'a message from a person');
      return 'recorded';
    } catch (error) {
      log.error({ err: error, carrier, kind }, 'a message from a person could not be recorded');
      if (!(error instanceof StoreError)) throw error;
      return 'unavailable';
    }
  }

  return {
    forCarrier: (carrier) => (message) => take(carrier, message),
    answerWith: (send, router) => {
      answer = { send, router };
    },
  };
}
