import { isIP } from 'node:net';
import type { Environment } from '../../../../environment.js';
import { headerOf, type SipRequest, type SipResponse, sequenceOf } from '../message/message.js';
import { parseMessage } from '../message/parse.js';
import { hostPort, tagOf } from '../message/uri.js';
import { parseVia } from '../message/via.js';
import { fields, responseTo, writeMessage } from '../message/write.js';
import { type Peer, peerKey, type Transport } from '../transport/transport.js';
import { type ClientEvents, type ClientTransaction, cancelOf, startInvite, startOther } from './client.js';
import { type ServerTransaction, startServer } from './server.js';

export interface TransactionsOptions {
  readonly environment: Environment;
  readonly transport: Transport;
  /** Whether a peer may begin transactions with us, in a call or outside; what others send is passed over without a word. */
  readonly accepts: (request: SipRequest, from: Peer) => 'in-call' | 'outside' | null;
  /** A request that begins a transaction. Must be answered by `respond`. */
  readonly onRequest: (transaction: ServerTransaction) => void;
  /** The ACK of a 2xx. */
  readonly onAck: (request: SipRequest) => void;
  /** An INVITE of a peer whose 2xx was never acknowledged. */
  readonly onUnacknowledged: (request: SipRequest) => void;
  /** Told of each connection that has ended. */
  readonly onLoss?: (peer: Peer) => void;
  /** Told what a message that could not be read lacked. */
  readonly onMalformed: (why: string, from: Peer) => void;
}

/** Most transactions that peers may have going on with us, and how many there may be for another one outside of calls. */
const MAX_SERVER = 10_000;
const MAX_OUTSIDE = 1_000;

/** Matches messages to transactions (RFC 3261 §17.1.3, §17.2.3) and gives requests their `Via`. */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();

  constructor(options: TransactionsOptions) {
    this.#options = options;
    options.transport.receive((bytes, from) => this.#receive(bytes, from));
    options.transport.onLoss((peer, error) => {
      this.#lost(peerKey(peer), error);
      options.onLoss?.(peer);
    });
  }

  /** Transactions that go on. */
  get size(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** Requests of ours that have no final response yet. */
  get unanswered(): number {
    return [...this.#clients.values()].filter(({ answered }) => !answered).length;
  }

  /**
   * Sends a request in a transaction of its own.
   * @param sentBy where its responses are to go, for `Via`
   */
  start(request: SipRequest, peer: Peer, sentBy: SentBy, events: ClientEvents): ClientTransaction {
    const branch = `z9hG4bK${token(this.#options.environment, 12)}`;
    return this.#start(withVia(request, peer, sentBy, branch), branch, peer, events);
  }

  /**
   * Cancels an INVITE that has had a provisional response and no final one. The answer says only that the CANCEL arrived:
   * what came of it says that of the INVITE.
   */
  cancel({ request, peer }: ClientTransaction, reason: string | null, events: ClientEvents): void {
    this.#start(cancelOf(request, reason), branchOf(request), peer, events);
  }

  /** Sends a request that has no response: the ACK of a 2xx. Failing to is mended by the repeat of the 2xx. */
  sendAck(request: SipRequest, peer: Peer, sentBy: SentBy): Uint8Array {
    const branch = `z9hG4bK${token(this.#options.environment, 12)}`;
    const bytes = writeMessage(withVia(request, peer, sentBy, branch));
    this.sendBytes(bytes, peer);
    return bytes;
  }

  sendBytes(bytes: Uint8Array, peer: Peer): void {
    this.#options.transport.send(bytes, peer).catch(() => {});
  }

  /** Ends every transaction without a word. */
  close(): void {
    for (const client of [...this.#clients.values()]) client.destroy();
    for (const server of [...this.#servers.values()]) server.destroy();
  }

  #start(request: SipRequest, branch: string, peer: Peer, events: ClientEvents): ClientTransaction {
    const { environment, transport } = this.#options;
    const key = `${branch}|${request.method}`;
    const begin = request.method === 'INVITE' ? startInvite : startOther;
    const onEnd = () => this.#clients.delete(key);
    const onSilence = () => transport.silent?.(peer);
    const transaction = begin({ environment, transport, request, peer, events, onSilence, onEnd });
    this.#clients.set(key, transaction);
    return transaction;
  }

  /** RFC 3261 §17.1.4: nobody waits for a response to what may never have arrived. */
  #lost(key: string, error: unknown): void {
    for (const client of [...this.#clients.values()]) if (peerKey(client.peer) === key) client.lose(error);
  }

  #receive(bytes: Uint8Array, from: Peer): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) {
      this.#options.onMalformed(parsed.why, from);
      return;
    }
    const { message } = parsed;
    if (message.kind === 'response') this.#receiveResponse(message);
    else this.#receiveRequest(withReceived(message, from), from);
  }

  #receiveResponse(response: SipResponse): void {
    const sequence = sequenceOf(response)!;
    this.#clients.get(`${branchOf(response)}|${sequence.method}`)?.receive(response);
  }

  #receiveRequest(request: SipRequest, from: Peer): void {
    const { environment, transport, accepts, onRequest, onAck, onUnacknowledged } = this.#options;
    const key = keyOf(request);
    const known = this.#servers.get(key);
    if (known) {
      if (request.method !== 'ACK') {
        known.repeated();
        return;
      }
      known.confirm();
      // Some give the ACK of a 2xx the branch of its INVITE.
      onAck(request);
      return;
    }
    const place = accepts(request, from);
    if (place === null) return;
    if (request.method === 'ACK') {
      onAck(request);
      return;
    }
    // Whoever floods us with the trunk's address does not keep a BYE from its call.
    if (this.#servers.size >= (place === 'in-call' ? MAX_SERVER : MAX_OUTSIDE)) return;
    const transaction = startServer({
      environment,
      transport,
      request,
      from,
      peer: responsePeer(request, from),
      onUnacknowledged: () => onUnacknowledged(request),
      onEnd: () => this.#servers.delete(key),
    });
    this.#servers.set(key, transaction);
    if (request.method === 'CANCEL') this.#cancelled(transaction);
    else onRequest(transaction);
  }

  /** RFC 3261 §9.2. */
  #cancelled(cancel: ServerTransaction): void {
    const invite = this.#servers.get(keyOf(cancel.request, 'INVITE'));
    const tag = token(this.#options.environment, 8);
    cancel.respond(responseTo(cancel.request, invite ? 200 : 481, { tag }));
    if (invite && !invite.answered) invite.respond(responseTo(invite.request, 487, { tag }));
  }
}

/** What `Via` and `Contact` say of where we are. */
export interface SentBy {
  readonly host: string;
  readonly port: number | null;
}

/** Unpredictable characters that fit every token. */
export function token(environment: Environment, bytes: number): string {
  return Buffer.from(environment.randomBytes(bytes)).toString('hex');
}

function withVia(request: SipRequest, peer: Peer, { host, port }: SentBy, branch: string): SipRequest {
  const protocol = peer.protocol.toUpperCase();
  const via = `SIP/2.0/${protocol} ${hostPort(host, port)};branch=${branch};rport`;
  return { ...request, headers: [...fields({ via }), ...request.headers] };
}

/** RFC 3261 §18.2.1, RFC 3581 §4: the topmost `Via` tells where the request really came from. */
function withReceived(request: SipRequest, from: Peer): SipRequest {
  const index = request.headers.findIndex(({ name }) => name === 'via');
  const { value } = request.headers[index]!;
  const [first = '', ...rest] = splitFirst(value);
  const via = parseVia(first)!;
  let written = first.trim();
  if (via.parameters.has('rport')) {
    written = written.replace(/;\s*rport\s*(=[^;]*)?(?=;|$)/i, `;rport=${from.port}`);
  }
  if (via.host !== from.address || via.parameters.has('rport')) {
    const address = isIP(from.address) === 6 ? `[${from.address}]` : from.address;
    written = `${written.replace(/;\s*received\s*=[^;]*/i, '')};received=${address}`;
  }
  const headers = [...request.headers];
  headers[index] = { name: 'via', value: [written, ...rest].join(',') };
  return { ...request, headers };
}

function splitFirst(value: string): string[] {
  const comma = value.indexOf(',');
  return comma < 0 ? [value] : [value.slice(0, comma), value.slice(comma + 1)];
}

function responsePeer(request: SipRequest, from: Peer): Peer {
  if (from.protocol !== 'udp') return from;
  const via = parseVia(headerOf(request, 'via')!)!;
  return via.parameters.has('rport') ? from : { ...from, port: via.port ?? 5060 };
}

function branchOf(message: SipRequest | SipResponse): string {
  return parseVia(headerOf(message, 'via') ?? '')?.parameters.get('branch') ?? '';
}

/** RFC 3261 §17.2.3; for what comes from before that document, the fields that it compared. */
function keyOf(request: SipRequest, method = request.method): string {
  const of = method === 'ACK' ? 'INVITE' : method;
  const via = parseVia(headerOf(request, 'via')!)!;
  const branch = via.parameters.get('branch') ?? '';
  if (branch.startsWith('z9hG4bK')) return `${branch}|${via.host}|${via.port ?? ''}|${of}`;
  const { number } = sequenceOf(request)!;
  const from = tagOf(headerOf(request, 'from'));
  return `${headerOf(request, 'call-id')}|${number}|${from}|${via.host}|${via.port ?? ''}|${of}`;
}
