import type { Protocol } from '../message/uri.js';

/** Where messages go to, or came from. */
export interface Peer {
  readonly protocol: Protocol;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** TLS: the name that its certificate must be for, which is the trunk's domain (RFC 5922 §7.1). */
  readonly serverName?: string;
  /** TLS: the id of the authority that is trusted for it, besides the well-known ones. */
  readonly authority?: string;
  /** TLS: the id of what we show to it, when it asks. */
  readonly identity?: string;
  /** UDP: the same host over TCP, where DNS says that it takes that, for what is too large for a datagram. */
  readonly overTcp?: Peer;
}

/** Told that a connection has ended, of either side's doing, and why as far as that is known. */
export type LossListener = (peer: Peer, error: unknown) => void;

/** Takes what arrives: one framed message, not parsed yet. */
export type Receiver = (bytes: Uint8Array, from: Peer) => void;

/** Carries bytes of whole messages. Knows nothing of SIP but how a stream is cut into messages. */
export interface Transport {
  /** Rejects with an error that `describeNetworkError` knows when it is certain that nothing arrived. */
  send(bytes: Uint8Array, to: Peer): Promise<void>;
  /**
   * The address and port of this machine that the peer sees, as long as nobody translates them, and that requests of its
   * own may go to. Over TLS that is our end of the connection, which is opened for it. Rejects as `send` does.
   */
  local(peer: Peer): Promise<LocalAddress>;
  /** The address of this machine on the way to a peer. Connects to nobody. */
  source(peer: Peer): Promise<string>;
  /** Told that a request went unanswered: a connection that is dead without knowing it is opened anew. */
  silent?(peer: Peer): void;
  /** Sets who takes what arrives. */
  receive(receiver: Receiver): void;
  /** Sets who is told of connections that end. */
  onLoss(listener: LossListener): void;
  close(): Promise<void>;
}

export interface LocalAddress {
  readonly address: string;
  readonly port: number;
}

export function isReliable(protocol: Protocol): boolean {
  return protocol !== 'udp';
}

/**
 * One text for one peer. A TLS connection is good for the name that was checked, the authority that was trusted and the
 * identity that was shown, and for no others: trunks that lead to one address do not share it.
 */
export function peerKey(peer: Peer): string {
  const { protocol, address, port, serverName = '', authority = '', identity = '' } = peer;
  return `${protocol}:${address}:${port}:${serverName}:${authority}:${identity}`;
}

/** IPv4 addresses of dual-stack sockets come as IPv6. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[0-9]+\.)/, '');
}
