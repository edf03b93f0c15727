import type { Environment, Timer } from '../../../../environment.js';
import { type Header, headerOf, type SipRequest, type SipResponse, sequenceOf } from '../message/message.js';
import { request, writeMessage } from '../message/write.js';
import { isReliable, type Peer, type Transport } from '../transport/transport.js';
import { T1, T2, T4, TRANSACTION_TIME, WAIT_FOR_REPEATS } from './timers.js';

/** Why no final response will come: none did in time, or the request could not be sent. */
export type Failure =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable'; readonly error: unknown };

export interface ClientEvents {
  /** Each provisional response, the final one, and of an INVITE every 2xx, repeats and forks included. */
  onResponse(response: SipResponse): void;
  /** Called once, and only when no final response came. */
  onFailure(failure: Failure): void;
}

export interface ClientTransaction {
  readonly request: SipRequest;
  readonly peer: Peer;
  /** Whether nothing is waited for any more but repeats. */
  readonly answered: boolean;
  /** Takes a response that the layer matched. */
  receive(response: SipResponse): void;
  /** The connection has ended. A response that has begun to come may still come over another one (RFC 3261 §18.2.2). */
  lose(error: unknown): void;
  /** Sends no more repeats of a request that got no response: its owner has turned to another peer. */
  quieten(): void;
  /** Ends it without a word to its owner. */
  destroy(): void;
  /** Its owner has waited long enough: ends it, and tells the transport when nothing came at all. */
  expire(): void;
}

export interface ClientOptions {
  readonly environment: Environment;
  readonly transport: Transport;
  /** With its `Via`. */
  readonly request: SipRequest;
  readonly peer: Peer;
  readonly events: ClientEvents;
  /** Nothing at all came from the peer in all the time that it had. */
  readonly onSilence: () => void;
  /** The layer forgets it. */
  readonly onEnd: () => void;
}

/** RFC 3261 §17.1.1, with the state "Accepted" of RFC 6026 §8.4. */
export function startInvite(options: ClientOptions): ClientTransaction {
  const { environment, transport, peer, events } = options;
  const reliable = isReliable(peer.protocol);
  const bytes = writeMessage(options.request);
  let state: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'ended' = 'calling';
  let acknowledgement: Uint8Array | null = null;
  let repeat: Timer | null = null;
  let limit: Timer | null = null;

  const end = () => {
    state = 'ended';
    repeat?.cancel();
    limit?.cancel();
    options.onEnd();
  };
  const fail = (failure: Failure) => {
    if (state !== 'calling' && state !== 'proceeding') return;
    end();
    events.onFailure(failure);
  };
  const repeatAfter = (interval: number) => {
    repeat = environment.after(interval, () => {
      send(bytes);
      repeatAfter(interval * 2);
    });
  };
  const send = (what: Uint8Array) => {
    transport.send(what, peer).catch((error: unknown) => {
      // An acknowledgement that is lost is asked for again by a repeat of its response.
      if (what === bytes) fail({ kind: 'unreachable', error });
    });
  };
  const linger = (time: number) => {
    repeat?.cancel();
    limit?.cancel();
    limit = environment.after(time, end);
  };

  send(bytes);
  if (!reliable) repeatAfter(T1);
  limit = environment.after(TRANSACTION_TIME, () => {
    options.onSilence();
    fail({ kind: 'timeout' });
  });

  return {
    request: options.request,
    peer,
    get answered() {
      return state !== 'calling' && state !== 'proceeding';
    },
    receive(response) {
      const { status } = response;
      if (state === 'ended') return;
      if (status >= 300) {
        if (state === 'completed' || state === 'accepted') {
          if (acknowledgement) send(acknowledgement);
          return;
        }
        state = 'completed';
        acknowledgement = writeMessage(acknowledge(options.request, response));
        send(acknowledgement);
        linger(reliable ? 0 : WAIT_FOR_REPEATS);
        events.onResponse(response);
      } else if (status >= 200) {
        if (state === 'completed') return;
        if (state !== 'accepted') {
          state = 'accepted';
          linger(TRANSACTION_TIME);
        }
        events.onResponse(response);
      } else if (state === 'calling' || state === 'proceeding') {
        state = 'proceeding';
        repeat?.cancel();
        limit?.cancel();
        events.onResponse(response);
      }
    },
    lose: (error) => {
      if (state === 'calling') fail({ kind: 'unreachable', error });
    },
    quieten: () => repeat?.cancel(),
    destroy: end,
    expire() {
      if (state === 'calling') options.onSilence();
      end();
    },
  };
}

/** RFC 3261 §17.1.2. */
export function startOther(options: ClientOptions): ClientTransaction {
  const { environment, transport, peer, events } = options;
  const reliable = isReliable(peer.protocol);
  const bytes = writeMessage(options.request);
  let state: 'trying' | 'proceeding' | 'completed' | 'ended' = 'trying';
  let repeat: Timer | null = null;
  let limit: Timer | null = null;

  const end = () => {
    state = 'ended';
    repeat?.cancel();
    limit?.cancel();
    options.onEnd();
  };
  const fail = (failure: Failure) => {
    if (state === 'completed' || state === 'ended') return;
    end();
    events.onFailure(failure);
  };
  const send = () => {
    transport.send(bytes, peer).catch((error: unknown) => fail({ kind: 'unreachable', error }));
  };
  const repeatAfter = (interval: number) => {
    repeat = environment.after(interval, () => {
      send();
      repeatAfter(state === 'proceeding' ? T2 : Math.min(interval * 2, T2));
    });
  };

  send();
  if (!reliable) repeatAfter(T1);
  limit = environment.after(TRANSACTION_TIME, () => {
    if (state === 'trying') options.onSilence();
    fail({ kind: 'timeout' });
  });

  return {
    request: options.request,
    peer,
    get answered() {
      return state === 'completed' || state === 'ended';
    },
    receive(response) {
      if (state === 'completed' || state === 'ended') return;
      if (response.status < 200) {
        state = 'proceeding';
      } else {
        state = 'completed';
        repeat?.cancel();
        limit?.cancel();
        limit = environment.after(reliable ? 0 : T4, end);
      }
      events.onResponse(response);
    },
    lose: (error) => {
      if (state === 'trying') fail({ kind: 'unreachable', error });
    },
    quieten: () => repeat?.cancel(),
    destroy: end,
    expire() {
      if (state === 'trying') options.onSilence();
      end();
    },
  };
}

/** RFC 3261 §17.1.1.3: the ACK of a response other than 2xx, within the INVITE's own transaction. */
function acknowledge(invite: SipRequest, response: SipResponse): SipRequest {
  return within(invite, 'ACK', { name: 'to', value: headerOf(response, 'to') ?? '' });
}

/** RFC 3261 §9.1: the CANCEL of an INVITE that has had a provisional response. */
export function cancelOf(invite: SipRequest, reason: string | null): SipRequest {
  const cancel = within(invite, 'CANCEL', { name: 'to', value: headerOf(invite, 'to') ?? '' });
  return reason === null
    ? cancel
    : { ...cancel, headers: [...cancel.headers, { name: 'reason', value: reason }] };
}

/** A request of the same transaction: one `Via`, the same `Route`, number and ids. */
function within(invite: SipRequest, method: string, to: Header): SipRequest {
  const via = invite.headers.find(({ name }) => name === 'via')!;
  const kept = invite.headers.filter(({ name }) =>
    ['route', 'from', 'call-id', 'max-forwards'].includes(name),
  );
  const number = sequenceOf(invite)?.number ?? 1;
  return request(method, invite.uri, [via, ...kept, to, { name: 'cseq', value: `${number} ${method}` }]);
}
