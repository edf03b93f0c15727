import type { Environment } from '../../../../environment.js';
import type { TrunkAuthority } from '../authority.js';
import type { ClientIdentity } from '../identity.js';
import type { Protocol } from '../message/uri.js';
import { Streams } from './streams.js';
import type { LocalAddress, LossListener, Peer, Receiver, Transport } from './transport.js';
import { openUdp, sourceAddressFor, type UdpSocket } from './udp.js';

export interface SocketsOptions {
  readonly environment: Environment;
  /** Address to bind to; `0.0.0.0` and `::` are every address of the machine. */
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  readonly protocols: ReadonlySet<Protocol>;
  readonly connectTimeout: number;
  readonly keepAlive: number;
  readonly authorities: readonly TrunkAuthority[];
  readonly identities: readonly ClientIdentity[];
}

/** How long an answer of the routing table is believed, in milliseconds. */
const ROUTE_FOR = 60_000;
const MAX_ROUTES = 256;

/**
 * Real sockets: one UDP socket, and connections for TCP and TLS.
 * @throws Error of the operating system when the address cannot be bound
 */
export async function openSockets(options: SocketsOptions): Promise<Transport> {
  const { environment, bind } = options;
  let receiver: Receiver = () => {};
  const deliver: Receiver = (bytes, from) => receiver(bytes, from);
  let lost: LossListener = () => {};
  const streams = new Streams({
    ...options,
    receiver: deliver,
    onLoss: (peer, error) => lost(peer, error),
  });
  const { udp, port } = await bindAll(options, streams, deliver);
  const routes = new Map<string, { readonly address: Promise<string>; readonly until: number }>();

  function sourceFor({ address, port: remote }: Peer): Promise<string> {
    if (bind !== '0.0.0.0' && bind !== '::') return Promise.resolve(bind);
    const now = environment.monotonic();
    const known = routes.get(address);
    if (known && known.until > now) return known.address;
    if (routes.size >= MAX_ROUTES) routes.clear();
    const found = sourceAddressFor(address, remote);
    routes.set(address, { address: found, until: now + ROUTE_FOR });
    found.catch(() => routes.delete(address));
    return found;
  }

  return {
    send: (bytes, to) => {
      if (to.protocol !== 'udp') return streams.send(bytes, to);
      return udp ? udp.send(bytes, to) : Promise.reject(new Error('no UDP socket is open'));
    },
    local: async (peer): Promise<LocalAddress> => {
      if (peer.protocol !== 'tls') return { address: await sourceFor(peer), port };
      // No port takes TLS: a peer finds its way back by the connection that it knows (RFC 5923 §1).
      const { localAddress, localPort } = await streams.connection(peer);
      return { address: localAddress ?? (await sourceFor(peer)), port: localPort ?? port };
    },
    source: sourceFor,
    silent: (peer) => streams.silent(peer),
    receive: (next) => {
      receiver = next;
    },
    onLoss: (listener) => {
      lost = listener;
    },
    close: async () => {
      await Promise.all([udp?.close(), streams.close()]);
    },
  };
}

/** Tries with a port of the system's choice: that is free for UDP, and so perhaps not for TCP. */
const ANY_PORT_TRIES = 20;

/** One port for UDP and TCP. */
async function bindAll(
  { bind, port, protocols }: SocketsOptions,
  streams: Streams,
  deliver: Receiver,
): Promise<{ readonly udp: UdpSocket | null; readonly port: number }> {
  for (let tries = 1; ; tries++) {
    const udp = protocols.has('udp') ? await openUdp(bind, port, deliver) : null;
    const chosen = udp?.port ?? port;
    if (!protocols.has('tcp')) return { udp, port: chosen };
    try {
      return { udp, port: await streams.listen(bind, chosen) };
    } catch (error) {
      await udp?.close();
      if (port !== 0 || tries === ANY_PORT_TRIES) throw error;
    }
  }
}
