import type { Timer } from '../../../../environment.js';
import { type Agent, ALLOW, type CallEnd } from '../agent.js';
import {
  type Header,
  headerOf,
  listOf,
  lists,
  type SipRequest,
  type SipResponse,
  secondsOf,
  sequenceOf,
} from '../message/message.js';
import { parseAddress, parseUri, tagOf } from '../message/uri.js';
import { fields, request } from '../message/write.js';
import type { ClientTransaction, Failure } from '../transaction/client.js';
import { token } from '../transaction/layer.js';
import type { ServerTransaction } from '../transaction/server.js';
import { TRANSACTION_TIME } from '../transaction/timers.js';
import { type Peer, peerKey } from '../transport/transport.js';
import type { Authenticator } from '../trunk/authenticator.js';
import { Confirmed, type DialogMedia } from './confirmed.js';
import { Dialog } from './dialog.js';
import { type CallEnding, causeOf, sdpOf } from './reading.js';
import { intervalOf, MAX_SE, MIN_SE } from './session-timer.js';

/** Why no call came about. */
export type InviteFailure =
  /** The final response, and what its `Reason` header says of Q.850. */
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly cause: number | null;
      /** Milliseconds, where the other side asked for a pause. */
      readonly retryAfter: number | null;
    }
  /** No peer answered in time, or none could be reached. */
  | { readonly kind: 'no-response' }
  | { readonly kind: 'unreachable'; readonly error: unknown }
  /** The trunk's user name and password were refused, or it has none. */
  | { readonly kind: 'credentials'; readonly given: boolean }
  /** It rang until the time was up. */
  | { readonly kind: 'ring-timeout' }
  /** We cancelled it. */
  | { readonly kind: 'cancelled' }
  /** It was answered with media that we cannot use. */
  | { readonly kind: 'media'; readonly why: string };

export interface InvitationEvents {
  /** Once: a provisional response says that the phone rings, or that the call goes on. */
  onRinging(): void;
  /** The call stands, and media was agreed. */
  onAnswered(): void;
  /** Called once, instead of `onAnswered`. */
  onFailed(failure: InviteFailure): void;
  /** Called once, after `onAnswered`. */
  onEnded(ending: CallEnding): void;
  /** A key press by SIP INFO. */
  onDigit(digit: string): void;
}

export interface InvitationOptions {
  readonly agent: Agent;
  /** Peers of one trunk, in the order in which they are tried; at least one. */
  readonly peers: readonly Peer[];
  readonly uri: string;
  /** What `Route` says to these peers: the proxies that the trunk wants calls to pass. Redirects lead past them. */
  readonly routes: readonly string[];
  /** `From` without a tag, and `To`. */
  readonly from: string;
  readonly to: string;
  /** User part of `Contact`. */
  readonly contactUser: string;
  /** What else the INVITE says, such as `P-Asserted-Identity`. */
  readonly headers: readonly Header[];
  readonly authenticator: Authenticator;
  readonly media: DialogMedia;
  /** Milliseconds within which a peer must say anything at all. */
  readonly responseTimeout: number;
  /** Milliseconds within which the call must be answered. */
  readonly ringTimeout: number;
  /** Seconds that we offer as session interval; 0: none. */
  readonly sessionInterval: number;
  /** The peers of a redirect's target; empty: it is not allowed. */
  readonly redirect: (uri: string) => Promise<readonly Peer[]>;
  readonly events: InvitationEvents;
}

/** One INVITE on its way. */
interface Leg {
  readonly transaction: ClientTransaction;
  readonly peer: Peer;
  /** How often its request was sent again for a challenge. */
  readonly tries: number;
  /** The peer over UDP, when this goes over TCP for its size alone. */
  readonly fallback: Peer | null;
  provisional: boolean;
  /** We want no call of it any more: a late 2xx is ended at once. */
  abandoned: boolean;
  cancelSent: boolean;
  final: boolean;
  /** Ends what does not end after a CANCEL. */
  guard: Timer | null;
}

/** An early dialog (RFC 3261 §12.1) by its remote tag. */
interface Early {
  readonly dialog: Dialog;
  /** Our own, as the INVITE had it. */
  readonly contact: string | null;
  /** The last reliable provisional response taken (RFC 3262 §4). */
  rseq: number | null;
  sdp: string | null;
  /** That SDP came reliably, and so is the answer. */
  reliable: boolean;
}

const MAX_REDIRECTS = 5;
const MAX_INTERVAL_RETRIES = 2;
const MAX_EARLY = 16;
/** Phones that may answer one call; what more of them send is passed over. */
const MAX_ANSWERS = 16;

/**
 * A call that we make, from the INVITE to the end: authentication, redirects, peers that do not answer, provisional
 * responses that must be acknowledged, cancelling, and 2xx responses of more than one phone. Early media is no answer.
 */
export class Invitation implements CallEnd {
  readonly callId: string;
  readonly #tag: string;
  readonly #options: InvitationOptions;
  readonly #legs = new Set<Leg>();
  readonly #early = new Map<string, Early>();
  /** The ACK of each 2xx, by the INVITE's number and the remote tag: sent again when the 2xx comes again. */
  readonly #acknowledged = new Map<string, () => void>();
  readonly #waitingPeers: Peer[];
  /** Where else a redirect led to, the most wanted first. */
  #contacts: string[] = [];
  #uri: string;
  #interval: number;
  #number = 0;
  #redirects = 0;
  #intervalRetries = 0;
  #state: 'inviting' | 'answered' | 'over' = 'inviting';
  #rang = false;
  #responseTimer: Timer | null = null;
  #ringTimer: Timer | null = null;
  #confirmed: Confirmed | null = null;

  constructor(options: InvitationOptions) {
    const { environment } = options.agent;
    this.#options = options;
    this.callId = token(environment, 16);
    this.#tag = token(environment, 8);
    this.#waitingPeers = [...options.peers];
    this.#uri = options.uri;
    this.#interval = options.sessionInterval;
  }

  /** Sends the INVITE. What follows comes as events. */
  start(): void {
    const { agent, ringTimeout } = this.#options;
    agent.remember(this.callId, this.#tag, this);
    this.#ringTimer = agent.environment.after(ringTimeout, () => this.#giveUp({ kind: 'ring-timeout' }));
    void this.#next();
  }

  /** Ends the call, whatever its state: CANCEL before the answer, BYE after it. */
  hangUp(): void {
    if (this.#state === 'inviting') this.#giveUp({ kind: 'cancelled' });
    else this.#confirmed?.hangUp();
  }

  onRequest(transaction: ServerTransaction): void {
    const { agent } = this.#options;
    const tag = tagOf(headerOf(transaction.request, 'from'));
    if (this.#confirmed?.dialog.remoteTag === tag) this.#confirmed.onRequest(transaction);
    // A phone that another one was faster than has no say in the call's sound.
    else if (this.#state === 'inviting' && this.#early.has(tag))
      this.#earlyRequest(transaction, this.#early.get(tag)!);
    else agent.answer(transaction, 481);
  }

  onAck(ack: SipRequest): void {
    if (this.#confirmed?.dialog.remoteTag === tagOf(headerOf(ack, 'from'))) this.#confirmed.onAck(ack);
  }

  onUnacknowledged(): void {
    this.#confirmed?.onUnacknowledged();
  }

  /** Tries the next peer, or the next contact of a redirect, or fails with the reason of the last one. */
  async #next(failure: InviteFailure = { kind: 'no-response' }): Promise<void> {
    const peer = this.#waitingPeers.shift();
    if (this.#state !== 'inviting') return;
    if (!peer) await this.#follow(failure);
    else await this.#invite(peer, 0);
  }

  async #invite(peer: Peer, tries: number, fallback: Peer | null = null): Promise<void> {
    const { agent, authenticator, from, to, contactUser, headers, media, responseTimeout } = this.#options;
    let sentBy: Awaited<ReturnType<Agent['sentBy']>>;
    try {
      sentBy = await agent.sentBy(peer);
    } catch (error) {
      return this.#next({ kind: 'unreachable', error });
    }
    if (this.#state !== 'inviting') return;
    const interval = this.#interval;
    const invite = request(
      'INVITE',
      this.#uri,
      [
        ...this.#routesTo(fallback ?? peer).map((value) => ({ name: 'route', value })),
        ...fields({
          'max-forwards': 70,
          from: `${from};tag=${this.#tag}`,
          to,
          'call-id': this.callId,
          cseq: `${++this.#number} INVITE`,
          contact: `<${agent.contact(contactUser, sentBy, peer.protocol)}>`,
          allow: ALLOW,
          supported: 'timer, 100rel',
          'user-agent': agent.userAgent,
          'session-expires': interval > 0 ? interval : null,
          'min-se': interval > 0 && this.#intervalRetries > 0 ? interval : null,
          'content-type': 'application/sdp',
        }),
        ...headers,
      ],
      media.offer(),
    );
    const signed = authenticator.sign(invite);
    const overTcp = agent.large.wayFor(signed, peer);
    if (overTcp) return this.#invite(overTcp, tries, peer);
    const transaction = agent.transactions.start(signed, peer, sentBy, {
      onResponse: (response) => this.#response(leg, response),
      onFailure: (failure) => this.#lost(leg, failure),
    });
    const leg: Leg = {
      transaction,
      peer,
      tries,
      fallback,
      provisional: false,
      abandoned: false,
      cancelSent: false,
      final: false,
      guard: null,
    };
    this.#legs.add(leg);
    this.#responseTimer?.cancel();
    this.#responseTimer = agent.environment.after(responseTimeout, () => {
      this.#abandon(leg);
      this.#fallBack(leg);
      void this.#next({ kind: 'no-response' });
    });
  }

  #routesTo(peer: Peer): readonly string[] {
    const { peers, routes } = this.#options;
    return peers.some((one) => peerKey(one) === peerKey(peer)) ? routes : [];
  }

  /** RFC 3261 §18.1.1: what TCP did not bring is tried over UDP, though it is large. */
  #fallBack({ peer, fallback }: Leg): void {
    if (!fallback) return;
    this.#options.agent.large.avoid(peer);
    this.#waitingPeers.unshift(fallback);
  }

  #response(leg: Leg, response: SipResponse): void {
    const { status } = response;
    if (status < 200) this.#provisional(leg, response);
    else if (status < 300) this.#success(leg, response);
    else {
      this.#ended(leg);
      if (this.#state === 'inviting' && !leg.abandoned) void this.#refused(leg, response);
      this.#releaseWhenDone();
    }
  }

  #lost(leg: Leg, failure: Failure): void {
    this.#ended(leg);
    if (this.#state === 'inviting' && !leg.abandoned) {
      this.#responseTimer?.cancel();
      this.#fallBack(leg);
      void this.#next(failure.kind === 'unreachable' ? failure : { kind: 'no-response' });
    }
    this.#releaseWhenDone();
  }

  #provisional(leg: Leg, response: SipResponse): void {
    leg.provisional = true;
    if (leg.abandoned) {
      this.#cancel(leg);
      return;
    }
    this.#responseTimer?.cancel();
    if (response.status === 100 || this.#state !== 'inviting') return;
    const tag = tagOf(headerOf(response, 'to'));
    if (tag !== '' && !this.#earlyResponse(leg, response, tag)) return;
    if (this.#rang) return;
    this.#rang = true;
    this.#options.events.onRinging();
  }

  /** False for a reliable response that came again or out of order (RFC 3262 §4). */
  #earlyResponse(leg: Leg, response: SipResponse, tag: string): boolean {
    const known = this.#early.get(tag);
    if (!known && this.#early.size >= MAX_EARLY) return true;
    const early: Early = known ?? {
      dialog: new Dialog(leg.transaction.request, response),
      contact: headerOf(leg.transaction.request, 'contact'),
      rseq: null,
      sdp: null,
      reliable: false,
    };
    this.#early.set(tag, early);
    const rseq = secondsOf(response, 'rseq');
    const isReliable = rseq !== null && lists(response, 'require', '100rel');
    if (isReliable) {
      if (early.rseq !== null && rseq !== early.rseq + 1) return false;
      early.rseq = rseq;
      void this.#acknowledgeEarly(leg, response, early, rseq);
    }
    const sdp = sdpOf(response);
    if (sdp !== null && !early.reliable) {
      early.sdp = sdp;
      early.reliable = isReliable;
    }
    return true;
  }

  /** RFC 3262 §4. Whether the PRACK arrives shows in whether the response comes again. */
  async #acknowledgeEarly(leg: Leg, response: SipResponse, early: Early, rseq: number): Promise<void> {
    const { agent, authenticator, contactUser } = this.#options;
    const invite = sequenceOf(response)!;
    try {
      const peer = await agent.locate(early.dialog.nextHop, leg.peer);
      const sentBy = await agent.sentBy(peer);
      const contact = `<${agent.contact(contactUser, sentBy, peer.protocol)}>`;
      const rack = `${rseq} ${invite.number} INVITE`;
      const send = (tries: number) => {
        const prack = authenticator.sign(early.dialog.request('PRACK', fields({ rack, contact })));
        agent.transactions.start(prack, peer, sentBy, {
          onResponse: (answer) => {
            const asked = answer.status === 401 || answer.status === 407;
            if (asked && authenticator.learn(prack, answer, tries) === 'again') send(tries + 1);
          },
          onFailure: () => {},
        });
      };
      send(0);
    } catch {
      // The peer repeats what was not acknowledged, and gives the call up in the end.
    }
  }

  /** What a peer may ask before the answer. */
  #earlyRequest(transaction: ServerTransaction, early: Early): void {
    const { agent, media } = this.#options;
    const { contact } = early;
    const asked = transaction.request;
    if (asked.method === 'BYE') agent.answer(transaction, 200);
    else if (asked.method === 'UPDATE') {
      if (!early.dialog.admits(asked)) agent.answer(transaction, 500, { 'retry-after': 1 });
      else if (asked.body === '') agent.answer(transaction, 200, { contact, allow: ALLOW });
      else if (!early.reliable) agent.answer(transaction, 500, { 'retry-after': 1 });
      else {
        // Media of a call that is not answered is not begun: agreeing on another one comes to the same.
        const agreed = early.sdp === null || media.answer(early.sdp) === 'ok';
        const answered = agreed ? media.answerOffer(asked.body) : null;
        early.sdp = null;
        if (answered === null) agent.answer(transaction, 488);
        else agent.answer(transaction, 200, { contact, 'content-type': 'application/sdp' }, answered);
      }
    } else if (asked.method === 'INVITE') agent.answer(transaction, 491);
    else agent.answerOutside(transaction);
  }

  #success(leg: Leg, response: SipResponse): void {
    leg.provisional = true;
    const tag = tagOf(headerOf(response, 'to'));
    const key = `${sequenceOf(response)!.number}|${tag}`;
    const again = this.#acknowledged.get(key);
    if (again) {
      again();
      return;
    }
    if (this.#acknowledged.size >= MAX_ANSWERS) return;
    this.#ended(leg);
    const wanted = this.#state === 'inviting' && !leg.abandoned;
    const early = this.#early.get(tag);
    const { request: invite } = leg.transaction;
    const dialog = early ? early.dialog.confirm(invite, response) : new Dialog(invite, response);
    const confirmed = this.#confirm(leg, dialog, response);
    this.#acknowledged.set(key, () => confirmed.acknowledge());
    confirmed.acknowledge();
    // Another phone answered as well, or we had given up: that call ends at once (RFC 3261 §13.2.2.4, §15).
    if (!wanted) {
      confirmed.hangUp();
      this.#releaseWhenDone();
      return;
    }
    this.#stopTimers();
    this.#cancelOthers(leg);
    const sdp = sdpOf(response) ?? early?.sdp ?? null;
    const agreedEarly = early?.reliable === true && early.sdp === null;
    const answer = agreedEarly
      ? 'ok'
      : sdp === null
        ? { refused: 'no SDP' }
        : this.#options.media.answer(sdp);
    if (answer !== 'ok') {
      this.#state = 'over';
      confirmed.hangUp();
      this.#releaseWhenDone();
      this.#options.events.onFailed({ kind: 'media', why: answer.refused });
      return;
    }
    this.#state = 'answered';
    this.#confirmed = confirmed;
    confirmed.watch(intervalOf(response), listOf(response, 'allow').includes('UPDATE'));
    this.#options.events.onAnswered();
  }

  #confirm(leg: Leg, dialog: Dialog, response: SipResponse): Confirmed {
    const { agent, authenticator, contactUser, media, events } = this.#options;
    return new Confirmed({
      agent,
      dialog,
      flow: leg.peer,
      contactUser,
      authenticator,
      media,
      invite: leg.transaction.request,
      number: sequenceOf(response)!.number,
      onDigit: (digit) => events.onDigit(digit),
      onEnded: (ending) => {
        if (this.#confirmed?.dialog !== dialog) return;
        this.#state = 'over';
        this.#release();
        events.onEnded(ending);
      },
    });
  }

  async #refused(leg: Leg, response: SipResponse): Promise<void> {
    const { authenticator } = this.#options;
    this.#responseTimer?.cancel();
    const { status } = response;
    if (status === 401 || status === 407) {
      const judgement = authenticator.learn(leg.transaction.request, response, leg.tries);
      if (judgement === 'again') return this.#invite(leg.peer, leg.tries + 1, leg.fallback);
      return this.#fail({ kind: 'credentials', given: judgement === 'refused' });
    }
    if (status === 422 && this.#intervalRetries < MAX_INTERVAL_RETRIES) {
      const least = secondsOf(response, 'min-se') ?? 0;
      if (least > this.#interval && least <= MAX_SE) {
        this.#intervalRetries++;
        this.#interval = Math.max(least, MIN_SE);
        return this.#invite(leg.peer, leg.tries, leg.fallback);
      }
    }
    const failure = failureOf(response);
    if (status < 400) return this.#redirected(response, failure);
    // RFC 3263 §4.3: a 503 is the peer's own; the others speak for the whole trunk.
    if (status === 503) return this.#next(failure);
    this.#fail(failure);
  }

  /** RFC 3261 §8.1.3.4: the contacts in the order of their preference, those that are allowed. */
  async #redirected(response: SipResponse, failure: InviteFailure): Promise<void> {
    const contacts = listOf(response, 'contact')
      .flatMap((value) => parseAddress(value) ?? [])
      .map(({ uri, parameters }) => ({ uri, q: Number(parameters.get('q') ?? 1) || 0 }))
      .sort((a, b) => b.q - a.q);
    this.#contacts = contacts.slice(0, MAX_REDIRECTS).map(({ uri }) => uri.replace(/\?.*$/s, ''));
    return this.#follow(failure);
  }

  /** Calls the next contact that is allowed, or fails. */
  async #follow(failure: InviteFailure): Promise<void> {
    for (let uri = this.#contacts.shift(); uri !== undefined; uri = this.#contacts.shift()) {
      if (this.#redirects >= MAX_REDIRECTS) break;
      if (!parseUri(uri)) continue;
      const peers = await this.#options.redirect(uri);
      if (this.#state !== 'inviting') return;
      const [first, ...rest] = peers;
      if (!first) continue;
      this.#redirects++;
      this.#uri = uri;
      this.#waitingPeers.splice(0, this.#waitingPeers.length, ...rest);
      return this.#invite(first, 0);
    }
    this.#fail(failure);
  }

  #giveUp(failure: InviteFailure): void {
    if (this.#state !== 'inviting') return;
    this.#fail(failure);
  }

  #fail(failure: InviteFailure): void {
    if (this.#state !== 'inviting') return;
    this.#state = 'over';
    this.#stopTimers();
    for (const leg of this.#legs) this.#abandon(leg);
    this.#releaseWhenDone();
    this.#options.events.onFailed(failure);
  }

  /** A provisional response that still comes is cancelled, a late 2xx ended. */
  #abandon(leg: Leg): void {
    leg.abandoned = true;
    if (leg.provisional) this.#cancel(leg);
    else leg.transaction.quieten();
  }

  #cancelOthers(answered: Leg): void {
    for (const leg of this.#legs) if (leg !== answered) this.#abandon(leg);
  }

  #cancel(leg: Leg): void {
    if (leg.cancelSent || leg.final) return;
    leg.cancelSent = true;
    const { agent } = this.#options;
    agent.goodbyes.say(
      () =>
        new Promise((resolve) => {
          if (leg.final) resolve('told');
          else
            agent.transactions.cancel(leg.transaction, null, {
              onResponse: ({ status }) => status >= 200 && resolve('told'),
              onFailure: ({ kind }) => resolve(kind === 'unreachable' ? 'lost' : 'told'),
            });
        }),
    );
    // RFC 3261 §9.1: what has not ended long after the CANCEL never will.
    leg.guard = agent.environment.after(TRANSACTION_TIME, () => {
      leg.transaction.destroy();
      this.#ended(leg);
      this.#releaseWhenDone();
    });
  }

  #ended(leg: Leg): void {
    leg.final = true;
    leg.guard?.cancel();
    this.#legs.delete(leg);
  }

  #stopTimers(): void {
    this.#responseTimer?.cancel();
    this.#ringTimer?.cancel();
  }

  /** Late responses need no entry in the agent: their transactions know this call. */
  #releaseWhenDone(): void {
    if (this.#state === 'over' && this.#legs.size === 0) this.#release();
  }

  #release(): void {
    const { agent } = this.#options;
    // A BYE that the peer repeats, since our answer was lost, is answered by its transaction.
    agent.forget(this.callId, this.#tag);
  }
}

/** What a final response says of why. */
function failureOf(response: SipResponse): InviteFailure {
  const seconds = secondsOf(response, 'retry-after');
  return {
    kind: 'response',
    status: response.status,
    cause: causeOf(response),
    retryAfter: seconds === null ? null : Math.min(seconds, 3_600) * 1000,
  };
}
