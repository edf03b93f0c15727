import type { Environment, Timer } from '../../../../environment.js';
import type { SipRequest, SipResponse } from '../message/message.js';
import { writeMessage } from '../message/write.js';
import { isReliable, type Peer, type Transport } from '../transport/transport.js';
import { T1, T2, T4, TRANSACTION_TIME } from './timers.js';

export interface ServerTransaction {
  readonly request: SipRequest;
  /** Where the request came from. */
  readonly from: Peer;
  /** Whether a final response was given. */
  readonly answered: boolean;
  /** Answers; after a final response further ones do nothing. */
  respond(response: SipResponse): void;
  /** The ACK of an INVITE's 2xx came to its dialog: it is repeated no more. */
  acknowledged(): void;
  /** The request came again. */
  repeated(): void;
  /** The ACK of a response other than 2xx came. */
  confirm(): void;
  destroy(): void;
}

export interface ServerOptions {
  readonly environment: Environment;
  readonly transport: Transport;
  readonly request: SipRequest;
  readonly from: Peer;
  /** Where responses go (RFC 3261 §18.2.2, RFC 3581 §4). */
  readonly peer: Peer;
  /** An INVITE's 2xx was never acknowledged. That of a refusal that was not changes nothing (RFC 3261 §17.2.1). */
  readonly onUnacknowledged: () => void;
  readonly onEnd: () => void;
}

/**
 * RFC 3261 §17.2, with the state "Accepted" of RFC 6026 §7.1: that of an INVITE repeats its final response until
 * it is acknowledged, a 2xx included; the others repeat it when they are asked again.
 */
export function startServer(options: ServerOptions): ServerTransaction {
  const { environment, transport, peer, request, onUnacknowledged } = options;
  const reliable = isReliable(peer.protocol);
  const isInvite = request.method === 'INVITE';
  let last: Uint8Array | null = null;
  let state: 'proceeding' | 'completed' | 'accepted' | 'confirmed' | 'ended' = 'proceeding';
  let repeat: Timer | null = null;
  let limit: Timer | null = null;

  const end = () => {
    state = 'ended';
    repeat?.cancel();
    limit?.cancel();
    options.onEnd();
  };
  const send = () => {
    if (last) transport.send(last, peer).catch(() => {});
  };
  const repeatAfter = (interval: number) => {
    repeat = environment.after(interval, () => {
      send();
      repeatAfter(Math.min(interval * 2, T2));
    });
  };
  // What nobody answers is forgotten.
  limit = environment.after(TRANSACTION_TIME * 4, end);

  return {
    request,
    from: options.from,
    get answered() {
      return state !== 'proceeding';
    },
    respond(response) {
      if (state !== 'proceeding') return;
      last = writeMessage(response);
      send();
      if (response.status < 200) return;
      limit?.cancel();
      if (!isInvite) {
        state = 'completed';
        limit = environment.after(reliable ? 0 : TRANSACTION_TIME, end);
        return;
      }
      state = response.status < 300 ? 'accepted' : 'completed';
      // RFC 3261 §13.3.1.4: a 2xx is repeated over every transport, since it goes from end to end.
      if (state === 'accepted' || !reliable) repeatAfter(T1);
      limit = environment.after(TRANSACTION_TIME, () => {
        const forgotten = state === 'accepted';
        end();
        if (forgotten) onUnacknowledged();
      });
    },
    acknowledged() {
      if (state !== 'accepted') return;
      state = 'confirmed';
      repeat?.cancel();
      limit?.cancel();
      limit = environment.after(TRANSACTION_TIME, end);
    },
    repeated() {
      if (state !== 'accepted' && state !== 'confirmed') send();
    },
    confirm() {
      if (state !== 'completed' || !isInvite) return;
      state = 'confirmed';
      repeat?.cancel();
      limit?.cancel();
      limit = environment.after(reliable ? 0 : T4, end);
    },
    destroy: end,
  };
}
