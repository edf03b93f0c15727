import { connect as connectPlain, createServer, isIP, type Server, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type PeerCertificate,
  rootCertificates,
  type SecureContext,
} from 'node:tls';
import type { Environment, Timer } from '../../../../environment.js';
import type { TrunkAuthority } from '../authority.js';
import type { ClientIdentity } from '../identity.js';
import { createFraming } from './framing.js';
import { type LossListener, type Peer, peerKey, plainAddress, type Receiver } from './transport.js';

export interface StreamsOptions {
  readonly environment: Environment;
  readonly receiver: Receiver;
  readonly onLoss: LossListener;
  /** Milliseconds within which a connection must stand. */
  readonly connectTimeout: number;
  /** Milliseconds between two keep-alives (RFC 5626 §3.5.1) on a connection; 0: none. */
  readonly keepAlive: number;
  /** What peers may name by its id, to be trusted for them besides the well-known ones. */
  readonly authorities: readonly TrunkAuthority[];
  /** What peers may name by its id, to be shown to them. */
  readonly identities: readonly ClientIdentity[];
}

/** Most connections that others may have open to us. */
const MAX_INBOUND = 64;
/** Most bytes that wait for a peer that does not read. */
const MAX_BUFFERED = 1 << 20;

/** Connections by peer, opened when they are needed and used by both sides (RFC 3261 §18, RFC 5923). */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #connections = new Map<string, Promise<Socket>>();
  readonly #sockets = new Set<Socket>();
  /** By authority and identity. Reading the well-known authorities takes too long to do it for each connection. */
  readonly #contexts = new Map<string, SecureContext>();
  readonly #inbound = new Set<Socket>();
  /** When something came over a connection last, on the monotonic clock. */
  readonly #heard = new WeakMap<Socket, number>();
  #server: Server | null = null;
  #closed = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Accepts connections to a port as well, for peers that open one of their own for a request. */
  async listen(bind: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      const { remoteAddress, remotePort } = socket;
      if (remoteAddress === undefined || remotePort === undefined || this.#closed) return socket.destroy();
      this.#admit(socket);
      const peer: Peer = { protocol: 'tcp', address: plainAddress(remoteAddress), port: remotePort };
      this.#connections.set(peerKey(peer), Promise.resolve(socket));
      this.#serve(socket, peer);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: bind, port, exclusive: true }, resolve);
    });
    server.on('error', () => {});
    server.unref();
    this.#server = server;
    const address = server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async send(bytes: Uint8Array, to: Peer): Promise<void> {
    const socket = await this.connection(to);
    if (socket.writableLength > MAX_BUFFERED) {
      socket.destroy();
      throw Object.assign(new Error('the peer does not read'), { code: 'ETIMEDOUT' });
    }
    await new Promise<void>((resolve, reject) => {
      socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The open connection to a peer, or a new one. */
  connection(to: Peer): Promise<Socket> {
    const key = peerKey(to);
    const known = this.#connections.get(key);
    if (known) return known;
    if (this.#closed) return Promise.reject(Object.assign(new Error('stopped'), { code: 'UND_ERR_CLOSED' }));
    const opening = this.#open(to);
    this.#connections.set(key, opening);
    opening.catch(() => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    return opening;
  }

  /** Closes the connection to a peer that left a request unanswered, unless something came over it of late. */
  silent(to: Peer): void {
    const { environment, connectTimeout } = this.#options;
    const key = peerKey(to);
    void this.#connections.get(key)?.then(
      (socket) => {
        if (environment.monotonic() - (this.#heard.get(socket) ?? 0) < connectTimeout) return;
        // What is sent from now on goes over the next one, and must not be failed by the end of this one.
        this.#connections.delete(key);
        socket.destroy();
        this.#options.onLoss(to, Object.assign(new Error('silent'), { code: 'ETIMEDOUT' }));
      },
      () => {},
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closed = new Promise<void>((resolve) =>
      this.#server ? this.#server.close(() => resolve()) : resolve(),
    );
    for (const socket of this.#sockets) {
      socket.end();
      // Whatever is still written has had its chance at the operating system.
      socket.destroySoon();
    }
    await closed;
  }

  #open(to: Peer): Promise<Socket> {
    const { environment, connectTimeout } = this.#options;
    const { address: host, port } = to;
    return new Promise((resolve, reject) => {
      const socket: Socket =
        to.protocol === 'tls'
          ? connectTls({
              host,
              port,
              // RFC 6066 §3: an address is no server name; it is checked as an address all the same.
              servername: to.serverName && !isIP(to.serverName) ? to.serverName : '',
              secureContext: this.#contextOf(to),
              ...(to.serverName ? { checkServerIdentity: identityOf(to.serverName) } : {}),
            })
          : connectPlain({ host, port, noDelay: true });
      const timer = environment.after(connectTimeout, () =>
        socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })),
      );
      socket.once('error', (error) => {
        timer.cancel();
        reject(error);
      });
      socket.once(to.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
        timer.cancel();
        this.#heard.set(socket, environment.monotonic());
        this.#serve(socket, to);
        resolve(socket);
      });
      socket.once('close', () => {
        timer.cancel();
        reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      });
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  #contextOf(peer: Peer): SecureContext {
    const key = `${peer.authority ?? ''}:${peer.identity ?? ''}`;
    const known = this.#contexts.get(key);
    if (known) return known;
    const { authorities, identities } = this.#options;
    const authority = authorities.find(({ id }) => id === peer.authority);
    const identity = identities.find(({ id }) => id === peer.identity);
    const made = createSecureContext({
      ...(authority ? { ca: [...rootCertificates, authority.certificates] } : {}),
      ...(identity ? { cert: identity.certificate, key: identity.key } : {}),
    });
    this.#contexts.set(key, made);
    return made;
  }

  /** Of too many, the one goes that said nothing at all, or nothing for longest. */
  #admit(socket: Socket): void {
    if (this.#inbound.size >= MAX_INBOUND) {
      const heard = (one: Socket) => this.#heard.get(one) ?? 0;
      const [first, ...rest] = this.#inbound;
      const idle = rest.reduce((least, one) => (heard(one) < heard(least) ? one : least), first!);
      this.#inbound.delete(idle);
      idle.destroy();
    }
    this.#inbound.add(socket);
    socket.once('close', () => this.#inbound.delete(socket));
  }

  #serve(socket: Socket, peer: Peer): void {
    const key = peerKey(peer);
    const frames = createFraming();
    let reason: unknown = Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    this.#sockets.add(socket);
    socket.unref();
    socket.on('error', (error) => {
      reason = error;
    });
    socket.on('data', (chunk: Buffer) => {
      const read = frames(chunk);
      if (!read) return socket.destroy();
      this.#heard.set(socket, this.#options.environment.monotonic());
      for (const frame of read) if (frame.kind === 'message') this.#options.receiver(frame.bytes, peer);
      // One answer for many at once, and none for a peer that does not read: it could fill our memory.
      const isPinged = read.some(({ kind }) => kind === 'ping');
      if (isPinged && socket.writableLength < MAX_BUFFERED) socket.write('\r\n');
    });
    const stopPings = this.#keepAlive(socket);
    socket.once('close', () => {
      stopPings();
      this.#sockets.delete(socket);
      void this.#connections.get(key)?.then(
        (known) => {
          if (known !== socket) return;
          this.#connections.delete(key);
          if (!this.#closed) this.#options.onLoss(peer, reason);
        },
        // The next one could not be opened, which whoever wanted it is told.
        () => {},
      );
    });
  }

  /** RFC 5626 §3.5.1: keeps the connection open in what lies between. Returns what stops it. */
  #keepAlive(socket: Socket): () => void {
    const { environment, keepAlive } = this.#options;
    let timer: Timer | null = null;
    const next = () => {
      timer = environment.after(keepAlive, () => {
        socket.write('\r\n\r\n');
        next();
      });
    };
    if (keepAlive > 0) next();
    return () => timer?.cancel();
  }
}

/** Checks the certificate against the trunk's domain, not against the address that it resolved to. */
function identityOf(name: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_, certificate) => checkServerIdentity(name, certificate);
}
