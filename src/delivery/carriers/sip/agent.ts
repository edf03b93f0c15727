import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Environment } from '../../../environment.js';
import { createGoodbyes, type Goodbyes } from './dialog/goodbyes.js';
import { headerOf, listOf, type SipRequest } from './message/message.js';
import { hostPort, type Protocol, parseUri, tagOf } from './message/uri.js';
import { fields, responseTo } from './message/write.js';
import { type SentBy, Transactions, token } from './transaction/layer.js';
import type { ServerTransaction } from './transaction/server.js';
import type { Peer, Transport } from './transport/transport.js';
import { createLargeRequests, type LargeRequests } from './trunk/large.js';
import { type Resolver, resolvePeers } from './trunk/resolve.js';

export interface AgentOptions {
  readonly environment: Environment;
  readonly transport: Transport;
  readonly resolver: Resolver;
  /** Where the outside sees us, behind NAT; null: where the machine sees itself. */
  readonly publicAddress: string | null;
  readonly publicPort: number | null;
  readonly userAgent: string;
  /** Whether requests outside of calls are taken from an address: one of the trunks'. */
  readonly trusts: (address: string) => boolean;
  readonly onMalformed: (why: string, from: Peer) => void;
}

/** Takes the requests of peers within one call. */
export interface CallEnd {
  onRequest(transaction: ServerTransaction): void;
  onAck(request: SipRequest): void;
  onUnacknowledged(request: SipRequest): void;
}

/** What a peer may ask of us (RFC 3261 §20.5). */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, NOTIFY';
/** Extensions that a peer may require of us. */
const EXTENSIONS = ['timer', '100rel'];
/** Methods of other documents, which we know and do not serve. */
const UNSERVED = ['REGISTER', 'SUBSCRIBE', 'REFER', 'MESSAGE', 'PUBLISH'];

/** Our end of all calls of a carrier: sends requests, and brings those of peers to the call that they mean. */
export class Agent {
  readonly environment: Environment;
  readonly transactions: Transactions;
  readonly large: LargeRequests;
  readonly goodbyes: Goodbyes;
  readonly #options: AgentOptions;
  readonly #calls = new Map<string, CallEnd>();
  readonly #lossListeners: ((peer: Peer) => void)[] = [];
  #closed = false;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.environment = options.environment;
    this.large = createLargeRequests(options.environment);
    this.goodbyes = createGoodbyes(options.environment);
    this.transactions = new Transactions({
      environment: options.environment,
      transport: options.transport,
      accepts: (request, from) => (this.#closed ? null : this.#accepts(request, from)),
      onRequest: (transaction) => this.#request(transaction),
      onAck: (request) => this.#callOf(request)?.onAck(request),
      onUnacknowledged: (request) => this.#callOf(request)?.onUnacknowledged(request),
      onLoss: (peer) => {
        for (const listener of this.#lossListeners) listener(peer);
      },
      onMalformed: options.onMalformed,
    });
  }

  get userAgent(): string {
    return this.#options.userAgent;
  }

  /** Calls that peers can still ask something of. */
  get calls(): number {
    return this.#calls.size;
  }

  /** Tells of each connection that has ended, as long as the agent lives. */
  onLoss(listener: (peer: Peer) => void): void {
    this.#lossListeners.push(listener);
  }

  /** Requests with this `Call-ID` and our tag are the call's, until `forget`. */
  remember(callId: string, tag: string, call: CallEnd): void {
    this.#calls.set(`${callId}|${tag}`, call);
  }

  forget(callId: string, tag: string): void {
    this.#calls.delete(`${callId}|${tag}`);
  }

  /** What `Via` says towards a peer. */
  async sentBy(peer: Peer): Promise<SentBy> {
    const { publicAddress, publicPort, transport } = this.#options;
    const { address, port } = await transport.local(peer);
    return { host: publicAddress ?? address, port: publicPort ?? port };
  }

  /** The address of this machine on the way to a peer: where media is received, before any translation. */
  localAddress(peer: Peer): Promise<string> {
    return this.#options.transport.source(peer);
  }

  /** Our `Contact` towards a peer, without angle brackets. */
  contact(user: string, { host, port }: SentBy, protocol: Protocol): string {
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`;
    return `sip:${user === '' ? '' : `${user}@`}${hostPort(host, port)}${transport}`;
  }

  /**
   * Whom a request within a call goes to. Over a connection it is that of the call: a peer behind it may not be
   * reachable in another way. Over UDP a private address of a public peer is a NAT's that nobody told: what came from
   * there came through `flow`. So it is with an address of a family that our socket does not speak.
   */
  async locate(uri: string, flow: Peer): Promise<Peer> {
    const parsed = parseUri(uri);
    const transport = parsed?.parameters.get('transport')?.toLowerCase() ?? 'udp';
    if (flow.protocol !== 'udp' || !parsed || transport !== 'udp') return flow;
    const { resolver, environment } = this.#options;
    const destination = { host: parsed.host, port: parsed.port, protocol: 'udp' as const };
    const peers = await resolvePeers(destination, resolver, environment);
    const fits = ({ address }: Peer) =>
      isIP(address) === isIP(flow.address) && (!isPrivate(address) || isPrivate(flow.address));
    return peers.find(fits) ?? flow;
  }

  /** Takes nothing more, and ends every transaction. */
  close(): void {
    this.#closed = true;
    this.goodbyes.close();
    this.transactions.close();
  }

  #accepts(request: SipRequest, from: Peer): 'in-call' | 'outside' | null {
    if (this.#callOf(request)) return 'in-call';
    return this.#options.trusts(from.address) ? 'outside' : null;
  }

  #callOf(request: SipRequest): CallEnd | undefined {
    return this.#calls.get(`${headerOf(request, 'call-id')}|${tagOf(headerOf(request, 'to'))}`);
  }

  #request(transaction: ServerTransaction): void {
    const { request } = transaction;
    const unknown = listOf(request, 'require').filter((name) => !EXTENSIONS.includes(name.toLowerCase()));
    if (unknown.length > 0) {
      this.answer(transaction, 420, { unsupported: unknown.slice(0, 8).join(', ') });
      return;
    }
    const call = this.#callOf(request);
    if (call) call.onRequest(transaction);
    else if (tagOf(headerOf(request, 'to')) !== '') this.answer(transaction, 481);
    else this.answerOutside(transaction);
  }

  /** What is asked outside of any call, or that no call has to do with. */
  answerOutside(transaction: ServerTransaction): void {
    const { method } = transaction.request;
    if (method === 'OPTIONS') {
      this.answer(transaction, 200, {
        allow: ALLOW,
        accept: 'application/sdp',
        supported: EXTENSIONS.join(', '),
      });
    } else if (method === 'INVITE') this.answer(transaction, 403);
    else if (['BYE', 'PRACK', 'UPDATE', 'INFO', 'NOTIFY'].includes(method)) this.answer(transaction, 481);
    else this.answer(transaction, UNSERVED.includes(method) ? 405 : 501, { allow: ALLOW });
  }

  /** Answers a request of a peer. */
  answer(
    transaction: ServerTransaction,
    status: number,
    headers: Readonly<Record<string, string | number | null>> = {},
    body = '',
  ): void {
    const tag = token(this.environment, 8);
    const all = { ...headers, server: this.userAgent };
    transaction.respond(responseTo(transaction.request, status, { tag, headers: fields(all), body }));
  }
}

/** An address that is not reachable from everywhere. */
function isPrivate(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.process(host).range() !== 'unicast';
}
