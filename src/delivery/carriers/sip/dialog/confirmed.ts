import type { Timer } from '../../../../environment.js';
import { type Agent, ALLOW } from '../agent.js';
import { headerOf, type SipRequest, type SipResponse, secondsOf, sequenceOf } from '../message/message.js';
import { fields } from '../message/write.js';
import type { ClientTransaction, Failure } from '../transaction/client.js';
import type { SentBy } from '../transaction/layer.js';
import type { ServerTransaction } from '../transaction/server.js';
import { TRANSACTION_TIME } from '../transaction/timers.js';
import { isReliable, type Peer } from '../transport/transport.js';
import type { Authenticator } from '../trunk/authenticator.js';
import type { Dialog } from './dialog.js';
import type { Farewell } from './goodbyes.js';
import { digitOf } from './info.js';
import { type CallEnding, causeOf, sdpOf } from './reading.js';
import {
  giveUpAfter,
  intervalOf,
  MAX_SE,
  MIN_SE,
  refreshAfter,
  type SessionInterval,
} from './session-timer.js';

/** The part of a call's media that signalling needs. */
export interface DialogMedia {
  offer(): string;
  answer(sdp: string): 'ok' | { readonly refused: string };
  answerOffer(sdp: string): string | null;
}

export interface ConfirmedOptions {
  readonly agent: Agent;
  readonly dialog: Dialog;
  /** Whom the INVITE went to. */
  readonly flow: Peer;
  readonly contactUser: string;
  readonly authenticator: Authenticator;
  readonly media: DialogMedia;
  readonly invite: SipRequest;
  /** Number of the INVITE that was answered. */
  readonly number: number;
  readonly onDigit: (digit: string) => void;
  readonly onEnded: (ending: CallEnding) => void;
}

/** How whom we reach was found. */
interface Reach {
  readonly peer: Peer;
  readonly sentBy: SentBy;
}

const MAX_REFRESH_TRIES = 5;

/** An answered call, until either side ends it: what the peer asks within it, session timers, and the BYE. */
export class Confirmed {
  readonly dialog: Dialog;
  readonly #options: ConfirmedOptions;
  #reach: Promise<Reach>;
  #over = false;
  #timer: Timer | null = null;
  /** Whether it is for us to refresh the session. */
  #refreshes = false;
  #usesUpdate = false;
  /** Our own re-INVITE or UPDATE has no final response yet. */
  #asking = false;
  #reinvite: ClientTransaction | null = null;
  /** The INVITE of the peer that awaits its ACK, and whether that ACK brings the answer to our offer. */
  #awaitingAck: { readonly transaction: ServerTransaction; readonly offered: boolean } | null = null;

  constructor(options: ConfirmedOptions) {
    this.#options = options;
    this.dialog = options.dialog;
    this.#reach = this.#find();
  }

  /** Sends the ACK of the INVITE's 2xx, each time that it comes (RFC 3261 §13.2.2.4), signed as the INVITE was (§22.1). */
  acknowledge(): void {
    this.#sendAck(this.#options.number, this.#options.invite);
  }

  /** Ends the call with a BYE, said again as long as that makes sense. Once. */
  hangUp(by: CallEnding['by'] = 'us'): void {
    if (this.#over) return;
    this.#end({ by, cause: null });
    let isRepeat = false;
    this.#options.agent.goodbyes.say(() => {
      // The way of before may have ended with its connection.
      if (isRepeat) this.#reach = this.#find();
      isRepeat = true;
      return this.#sayBye();
    });
  }

  #sayBye(): Promise<Farewell> {
    return new Promise((resolve) => {
      void this.#send('BYE', (answer) => {
        if (answer.kind === 'response') {
          if (answer.status < 500) resolve('told');
          else resolve({ again: Math.min(secondsOf(answer, 'retry-after') ?? 1, 5) * 1000 });
          return;
        }
        // Over UDP it has been repeated for as long as a peer has to answer.
        const isOver = answer.kind === 'timeout' && !isReliable(this.#options.flow.protocol);
        resolve(isOver ? 'told' : 'lost');
      });
    });
  }

  /** Keeps the session interval that the 2xx agreed on (RFC 4028 §7.2). */
  watch(interval: SessionInterval | null, usesUpdate: boolean): void {
    this.#usesUpdate = usesUpdate;
    // The INVITE was ours: its client, the `uac`, is us.
    this.#schedule(interval, interval?.refresher !== 'uas');
  }

  onRequest(transaction: ServerTransaction): void {
    const { agent } = this.#options;
    const { request } = transaction;
    if (this.#over) {
      agent.answer(transaction, 481);
      return;
    }
    if (!this.dialog.admits(request)) {
      agent.answer(transaction, 500, { 'retry-after': 1 });
      return;
    }
    switch (request.method) {
      case 'BYE':
        agent.answer(transaction, 200);
        this.#end({ by: 'peer', cause: causeOf(request) });
        return;
      case 'INVITE':
        this.#offered(transaction);
        return;
      case 'UPDATE':
        this.#offered(transaction);
        return;
      case 'INFO':
        this.#info(transaction);
        return;
      default:
        agent.answerOutside(transaction);
    }
  }

  onAck(ack: SipRequest): void {
    const waiting = this.#awaitingAck;
    const answered = waiting && sequenceOf(waiting.transaction.request)!.number === sequenceOf(ack)!.number;
    if (!waiting || !answered) return;
    this.#awaitingAck = null;
    waiting.transaction.acknowledged();
    const sdp = sdpOf(ack);
    if (!waiting.offered || this.#over) return;
    if (sdp === null || this.#options.media.answer(sdp) !== 'ok') this.hangUp('lost');
  }

  /** RFC 3261 §14.2: a 2xx that is never acknowledged ends the call. */
  onUnacknowledged(): void {
    this.hangUp('lost');
  }

  /** A re-INVITE or UPDATE of the peer: hold, another address, or only a refresh (RFC 3261 §14.2, RFC 3311 §5.2). */
  #offered(transaction: ServerTransaction): void {
    const { agent, media } = this.#options;
    const { request } = transaction;
    const isInvite = request.method === 'INVITE';
    const offer = sdpOf(request);
    if (this.#awaitingAck) {
      agent.answer(transaction, 500, { 'retry-after': 1 });
      return;
    }
    if (this.#asking && (isInvite || offer !== null)) {
      agent.answer(transaction, 491);
      return;
    }
    const interval = intervalOf(request);
    if (interval && interval.seconds < MIN_SE) {
      agent.answer(transaction, 422, { 'min-se': MIN_SE });
      return;
    }

    const sdp = offer !== null ? media.answerOffer(offer) : isInvite ? media.offer() : '';
    if (sdp === null) {
      agent.answer(transaction, 488);
      return;
    }
    this.dialog.retarget(request);
    this.#reach = this.#find();
    if (isInvite) this.#awaitingAck = { transaction, offered: offer === null };
    const waitNoMore = () => {
      if (this.#awaitingAck?.transaction === transaction) this.#awaitingAck = null;
    };
    void this.#reach.then(
      ({ peer, sentBy }) => {
        // Cancelled meanwhile.
        if (transaction.answered) {
          waitNoMore();
          return;
        }
        const contact = agent.contact(this.#options.contactUser, sentBy, peer.protocol);
        const refresher = interval?.refresher ?? 'uac';
        agent.answer(
          transaction,
          200,
          {
            contact: `<${contact}>`,
            allow: ALLOW,
            supported: 'timer, 100rel',
            require: interval && refresher === 'uac' ? 'timer' : null,
            'session-expires': interval ? `${interval.seconds};refresher=${refresher}` : null,
            'content-type': sdp === '' ? null : 'application/sdp',
          },
          sdp,
        );
        if (interval) this.#schedule(interval, refresher === 'uas');
        // RFC 4028 §10: a refresh without an interval is the last one that the peer owes.
        else if (!this.#refreshes) this.#timer?.cancel();
      },
      () => {
        waitNoMore();
        agent.answer(transaction, 500);
      },
    );
  }

  #info(transaction: ServerTransaction): void {
    const { agent, onDigit } = this.#options;
    const { request } = transaction;
    const type = headerOf(request, 'content-type');
    if (request.body === '' || type === null) {
      agent.answer(transaction, 200);
      return;
    }
    const digit = digitOf(type, request.body);
    if (digit === 'unknown-type') {
      agent.answer(transaction, 415, { accept: 'application/dtmf-relay, application/dtmf' });
      return;
    }
    if (digit === null) {
      agent.answer(transaction, 400);
      return;
    }
    agent.answer(transaction, 200);
    onDigit(digit);
  }

  #schedule(interval: SessionInterval | null, ours: boolean): void {
    this.#timer?.cancel();
    if (!interval || this.#over) return;
    this.#refreshes = ours;
    const { environment } = this.#options.agent;
    this.#timer = ours
      ? environment.after(refreshAfter(interval), () => void this.#refresh(interval, 0))
      : environment.after(giveUpAfter(interval), () => this.hangUp('lost'));
  }

  /** Refreshes the session (RFC 4028 §7.4), with an UPDATE where the peer knows it: no offer, no glare. */
  async #refresh(interval: SessionInterval, tries: number): Promise<void> {
    if (this.#over) return;
    const { agent, media } = this.#options;
    const { environment } = agent;
    const method = this.#usesUpdate ? 'UPDATE' : 'INVITE';
    if (this.#awaitingAck || this.#asking || tries > MAX_REFRESH_TRIES) {
      if (tries > MAX_REFRESH_TRIES) this.hangUp('lost');
      else environment.after(2_000, () => void this.#refresh(interval, tries + 1));
      return;
    }
    this.#asking = true;
    const retry = (next: SessionInterval, wait: number) =>
      environment.after(wait, () => void this.#refresh(next, tries + 1));
    await this.#send(
      method,
      (answer) => {
        const response = answer.kind === 'response' ? answer : null;
        const { status } = response ?? { status: 408 };
        this.#asking = false;
        this.#reinvite = null;
        if (this.#over) return;
        if (response && status < 300) {
          const agreed = intervalOf(response);
          const sdp = sdpOf(response);
          if (method === 'INVITE' && sdp !== null && media.answer(sdp) !== 'ok') {
            this.hangUp('lost');
            return;
          }
          this.dialog.retarget(response);
          this.#reach = this.#find();
          this.#schedule(agreed ?? interval, agreed?.refresher !== 'uas');
        } else if (status === 491) {
          // RFC 3261 §14.1: the side that chose the Call-ID waits 2.1 to 4 s.
          retry(interval, 2_100 + (environment.randomBytes(1)[0]! / 255) * 1_900);
        } else if (response && status === 422) {
          const least = Math.min(secondsOf(response, 'min-se') ?? 0, MAX_SE);
          retry({ ...interval, seconds: Math.max(interval.seconds, least) }, 0);
        } else if (answer.kind === 'unreachable') {
          // Over another connection, perhaps.
          this.#reach = this.#find();
          retry(interval, 2_000);
        } else if (status === 500 || status === 503) {
          const pause = response ? secondsOf(response, 'retry-after') : null;
          retry(interval, Math.min(pause ?? 2, 30) * 1000);
        } else if (status === 405 || status === 501) {
          this.#usesUpdate = false;
          retry(interval, 0);
        } else if (status === 408 || status === 481) {
          this.hangUp('lost');
        } else {
          // The call stands until its time is up (RFC 4028 §7.4, RFC 3261 §14.1).
          const left = Math.max(0, giveUpAfter(interval) - refreshAfter(interval));
          this.#timer = environment.after(left, () => this.hangUp('lost'));
        }
      },
      (contact) => ({
        contact,
        allow: ALLOW,
        supported: 'timer, 100rel',
        'session-expires': `${interval.seconds};refresher=uac`,
        'content-type': method === 'INVITE' ? 'application/sdp' : null,
      }),
      method === 'INVITE' ? media.offer() : '',
    );
  }

  /** Sends a request within the call, anew when it is challenged. */
  async #send(
    method: string,
    onFinal: (answer: SipResponse | Failure) => void,
    headers: (contact: string) => Readonly<Record<string, string | null>> = () => ({}),
    body = '',
  ): Promise<void> {
    const { agent, authenticator, contactUser } = this.#options;
    let reach: Reach;
    try {
      reach = await this.#reach;
    } catch (error) {
      onFinal({ kind: 'unreachable', error });
      return;
    }
    const { peer, sentBy } = reach;
    const contact = `<${agent.contact(contactUser, sentBy, peer.protocol)}>`;
    const values = { ...headers(contact), 'user-agent': agent.userAgent };
    let finished = false;
    const send = (tries: number) => {
      const asked = authenticator.sign(this.dialog.request(method, fields(values), body));
      const transaction = agent.transactions.start(asked, peer, sentBy, {
        onResponse: (response) => {
          if (response.status < 200) return;
          const { number } = sequenceOf(response)!;
          if (method === 'INVITE' && response.status < 300) this.#sendAck(number, asked);
          if (finished) return;
          const challenged = response.status === 401 || response.status === 407;
          if (challenged && authenticator.learn(asked, response, tries) === 'again') {
            send(tries + 1);
            return;
          }
          finished = true;
          onFinal(response);
        },
        onFailure: (failure) => {
          if (finished) return;
          finished = true;
          onFinal(failure);
        },
      });
      if (method === 'INVITE') this.#reinvite = transaction;
    };
    send(0);
  }

  #sendAck(number: number, acknowledged: SipRequest): void {
    const signatures = acknowledged.headers.filter(
      ({ name }) => name === 'authorization' || name === 'proxy-authorization',
    );
    void this.#reach.then(
      ({ peer, sentBy }) => {
        const ack = this.dialog.request('ACK', signatures, '', number);
        this.#options.agent.transactions.sendAck(ack, peer, sentBy);
      },
      () => {},
    );
  }

  #find(): Promise<Reach> {
    const { agent, flow } = this.#options;
    const found = agent
      .locate(this.dialog.nextHop, flow)
      .then(async (peer) => ({ peer, sentBy: await agent.sentBy(peer) }));
    // Whoever waits for it handles its failure.
    found.catch(() => {});
    return found;
  }

  #end(ending: CallEnding): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    const reinvite = this.#reinvite;
    // RFC 3261 §15: the BYE ends it too. A peer that says nothing more of it is not waited for any longer.
    if (reinvite) this.#options.agent.environment.after(TRANSACTION_TIME, () => reinvite.destroy());
    this.#options.onEnded(ending);
  }
}
