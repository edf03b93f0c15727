import type { Environment } from '../../../../environment.js';
import type { SipRequest } from '../message/message.js';
import { writeMessage } from '../message/write.js';
import { type Peer, peerKey } from '../transport/transport.js';

/** RFC 3261 §18.1.1: bytes of a request from which on UDP may not carry it where the way's MTU is not known. */
export const MAX_DATAGRAM = 1_300;
/** What our `Via`, which is not in it yet, adds to a request at most: that of an IPv6 address. */
const VIA = 120;
/** Milliseconds for which a connection that failed is not tried again. */
const AVOIDED_FOR = 30 * 60_000;
const MAX_AVOIDED = 64;

/** Which requests go over TCP for their size, and to whom that did not work (RFC 3261 §18.1.1). */
export interface LargeRequests {
  /** The peer over TCP, for a request that is too large for UDP; null: it goes as it is. */
  wayFor(request: SipRequest, peer: Peer): Peer | null;
  /** Over this connection nothing came back: UDP is used for a while, whatever the size. */
  avoid(peer: Peer): void;
}

export function createLargeRequests(environment: Environment): LargeRequests {
  const avoided = new Map<string, number>();
  return {
    wayFor: (request, { protocol, overTcp }) => {
      if (protocol !== 'udp' || !overTcp || writeMessage(request).length + VIA <= MAX_DATAGRAM) return null;
      const until = avoided.get(peerKey(overTcp)) ?? Number.NEGATIVE_INFINITY;
      return until > environment.monotonic() ? null : overTcp;
    },
    avoid: (peer) => {
      if (avoided.size >= MAX_AVOIDED) avoided.clear();
      avoided.set(peerKey(peer), environment.monotonic() + AVOIDED_FOR);
    },
  };
}
