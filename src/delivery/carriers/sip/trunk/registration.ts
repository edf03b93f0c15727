import type { Environment, Timer } from '../../../../environment.js';
import { listOf, type SipResponse, secondsOf } from '../message/message.js';
import { parseAddress } from '../message/uri.js';
import { type Peer, peerKey } from '../transport/transport.js';
import { type Answered, type Asked, describeAnswer } from './exchange.js';
import { serviceRouteOf } from './service-route.js';

/** What was last found out: null while nothing was; in a few words why it is not well. */
export interface Finding {
  readonly ok: boolean | null;
  readonly detail: string | null;
}

export const NOTHING_YET: Finding = { ok: null, detail: null };

/** What a request outside of any call says of its own. */
export interface Question {
  /** Milliseconds that each peer has to answer. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly headers?: Asked['headers'];
  /** The `peerKey` of the peer that is asked before the others. */
  readonly first?: string | null;
}

export interface RegistrationOptions {
  readonly environment: Environment;
  /** Seconds that it is asked to last. */
  readonly registerFor: number;
  /** Milliseconds that each peer has to answer. */
  readonly timeout: number;
  /** Sends a REGISTER, always of one `Call-ID` (RFC 3261 §10.2.4). */
  readonly ask: (question: Question) => Promise<Answered>;
  /** Has a listener told of each connection that has ended. */
  readonly onLoss: (listener: (peer: Peer) => void) => void;
  /** Something new was found out. */
  readonly onFinding: () => void;
}

/** Waits before a failed registration is tried again, in milliseconds: doubling from first to last. */
const RETRY_FIRST = 5_000;
const RETRY_LAST = 300_000;
/** Milliseconds before a registration whose connection has ended is made again, and between two of them. */
const AFTER_LOSS = 1_000;
const LOSS_APART = 30_000;
/** Contacts of ours that a registrar may have, at most: those of connections that are gone. */
const MAX_CONTACTS = 4;

/** One trunk's registration (RFC 3261 §10): kept alive until it is taken back. */
export class Registration {
  readonly #options: RegistrationOptions;
  #finding = NOTHING_YET;
  /** When the registrar forgets us, unless it is asked again. */
  #until = Number.NEGATIVE_INFINITY;
  #serviceRoute: readonly string[] = [];
  #grantedBy: string | null = null;
  #expires: number;
  #retry = RETRY_FIRST;
  #timer: Timer | null = null;
  /** When a REGISTER was answered last, and when the next one is due. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #registering: Promise<void> | null = null;
  /** Contacts that the registrar may have of us: the last is the one that stands, the others are to be taken back. */
  #contacts: readonly string[] = [];
  /** Ends what is asked when it stops. */
  readonly #requests = new AbortController();
  #stopped = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#expires = options.registerFor;
  }

  get finding(): Finding {
    return this.#finding;
  }

  /** Whether the registrar knows us, as far as it has told. */
  get stands(): boolean {
    return this.#finding.ok === true && this.#until > this.#options.environment.monotonic();
  }

  /** The proxies that the registrar wants calls to pass, while the registration stands. */
  get serviceRoute(): readonly string[] {
    return this.stands ? this.#serviceRoute : [];
  }

  /** The `peerKey` of the peer that granted it last. */
  get grantedBy(): string | null {
    return this.#grantedBy;
  }

  start(): void {
    this.#options.onLoss((peer) => this.#lost(peer));
    void this.#register();
  }

  /** Registers at once: the registrar was away, and may have forgotten us. */
  again(): void {
    if (!this.#stopped && !this.#registering) this.#after(0);
  }

  /**
   * Takes it back, for `within` milliseconds at most. A REGISTER that is under way is given as long before, since there
   * may be one at a time (RFC 3261 §10.2), and is taken back whether or not its answer has come.
   */
  async stop(within: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#finding = NOTHING_YET;
    if (this.#registering) await this.#inTime(within, this.#registering);
    this.#requests.abort();
    if (this.#contacts.length === 0) return;
    const ending = new AbortController();
    // A connection that would have to be opened for it may take longer.
    await this.#inTime(within, this.#ask(0, within, ending.signal));
    ending.abort();
  }

  /** Waits for the end of something, for some milliseconds at most. */
  #inTime(within: number, what: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#options.environment.after(within, resolve);
      const done = () => {
        limit.cancel();
        resolve();
      };
      what.then(done, done);
    });
  }

  #register(): Promise<void> {
    this.#registering ??= this.#registerOnce().finally(() => {
      this.#registering = null;
    });
    return this.#registering;
  }

  async #registerOnce(): Promise<void> {
    const { environment, timeout } = this.#options;
    const before = this.#contacts;
    const answer = await this.#ask(this.#expires, timeout, this.#requests.signal);
    this.#answeredAt = environment.monotonic();
    this.#contacts = contactsAfter(answer, before, this.#contacts);
    if (this.#stopped) return;
    const now = environment.monotonic();
    if (answer.kind === 'response' && answer.response.status < 300) {
      this.#retry = RETRY_FIRST;
      const granted = grantedBy(answer.response, answer.contact) ?? this.#expires;
      this.#until = now + granted * 1000;
      this.#serviceRoute = serviceRouteOf(answer.response);
      this.#grantedBy = peerKey(answer.peer);
      this.#note({ ok: true, detail: null });
      // Soon enough for a few repeats before the registration is forgotten.
      this.#after(Math.max(granted * 850, granted * 1000 - 60_000, 5_000));
      return;
    }
    if (answer.kind === 'response' && answer.response.status === 423) {
      const least = secondsOf(answer.response, 'min-expires') ?? 0;
      if (least > this.#expires && least <= 604_800) {
        this.#expires = least;
        return this.#registerOnce();
      }
    }
    // What a registrar granted stands while it is only out of reach or unwell.
    const stands = this.stands && isPassing(answer);
    this.#note({ ok: stands, detail: `registration: ${describeAnswer(answer)}` });
    const asked = answer.kind === 'response' ? (secondsOf(answer.response, 'retry-after') ?? 0) * 1000 : 0;
    this.#after(Math.min(Math.max(this.#retry, asked), RETRY_LAST));
    this.#retry = Math.min(this.#retry * 2, RETRY_LAST);
  }

  #after(delay: number): void {
    const { environment } = this.#options;
    this.#timer?.cancel();
    this.#timer = environment.after(delay, () => void this.#register());
    this.#dueAt = environment.monotonic() + delay;
  }

  /** Many registrars forget who registered over a connection that has ended, and refuse calls then. */
  #lost(peer: Peer): void {
    if (this.#stopped || this.#registering || !this.stands) return;
    if (peerKey(peer) !== this.#grantedBy) return;
    const now = this.#options.environment.monotonic();
    const at = Math.max(now + AFTER_LOSS, this.#answeredAt + LOSS_APART);
    if (at < this.#dueAt) this.#after(at - now);
  }

  /** Whoever knows of the registration is asked first, to refresh it as to take it back. */
  #ask(expires: number, timeout: number, signal: AbortSignal): Promise<Answered> {
    const headers = (contact: string) => ({ contact: this.#binding(contact), expires });
    return this.#options.ask({ timeout, signal, headers, first: this.#grantedBy });
  }

  /**
   * What a REGISTER says of our contacts. One of a connection that is gone is taken back with it: some registrars keep one
   * contact only, and refuse the next.
   */
  #binding(contact: string): string {
    const others = this.#contacts.filter((one) => one !== contact).slice(1 - MAX_CONTACTS);
    this.#contacts = [...others, contact];
    return [contact, ...others.map((one) => `${one};expires=0`)].join(', ');
  }

  #note(finding: Finding): void {
    this.#finding = finding;
    this.#options.onFinding();
  }
}

/**
 * Contacts that the registrar may have of us after its answer: those that were told, the own one last, if it said nothing.
 * Who refuses changes nothing (RFC 3261 §10.3), and is not told those of before again: it may take no more than one.
 */
function contactsAfter(
  answer: Answered,
  before: readonly string[],
  told: readonly string[],
): readonly string[] {
  if (answer.kind === 'silent' || answer.kind === 'unreachable') return told;
  if (answer.kind === 'response' && answer.response.status < 300) return [answer.contact];
  const own = told.slice(-1);
  return isPassing(answer) ? own : own.filter((contact) => before.includes(contact));
}

function isPassing(answer: Answered): boolean {
  if (answer.kind === 'response') return answer.response.status === 408 || answer.response.status >= 500;
  return answer.kind !== 'credentials';
}

/** Seconds that a registrar granted: what it says of our own contact, where it is shown as we told it; else `Expires`. */
function grantedBy(response: SipResponse, contact: string): number | null {
  const all = listOf(response, 'contact').flatMap((value) => parseAddress(value) ?? []);
  const own = all.filter(({ uri }) => uri === parseAddress(contact)?.uri);
  const contacts = own.length > 0 ? own : all;
  const named = contacts.map(({ parameters }) => Number(parameters.get('expires'))).filter((one) => one > 0);
  const granted = named.length > 0 ? Math.min(...named) : secondsOf(response, 'expires');
  return granted === null ? null : Math.min(granted, 604_800);
}
