import type { Socket } from 'node:net';
import type { Environment, Timer } from '../../../environment.js';
import { describeNetworkError } from '../../http-client.js';
import { createFraming } from './framing.js';
import {
  DecodeError,
  decodePdu,
  encodePdu,
  type Fields,
  isResponse,
  type Pdu,
  responseTo,
  type Tlvs,
} from './pdu.js';
import type { ConnectionSettings } from './settings.js';
import { INVALID_COMMAND, NEVER, OK } from './status.js';

/** What became of a request. */
export type Reply =
  | { readonly kind: 'reply'; readonly pdu: Pdu }
  /** None came: `sent` tells whether the other side may have the request all the same. */
  | { readonly kind: 'none'; readonly sent: boolean; readonly why: string };

export interface RequestOptions {
  readonly fields?: Fields;
  readonly tlvs?: Tlvs;
  /** Told of a response that comes after its time. */
  readonly onLate?: (pdu: Pdu) => void;
}

export interface ConnectionHandlers {
  /** A request of the other side that is neither `enquire_link` nor `unbind`; to be answered with `respond`. */
  onRequest(pdu: Pdu, connection: Connection): void;
  /** Once, whoever ended it. Every request without a response has been answered `none` by then. */
  onClose(why: string): void;
  /** No message went either way for the time that is configured. */
  onIdle?(): void;
}

interface Pending {
  readonly command: string;
  readonly response: string | null;
  readonly sentAt: number;
  readonly onLate: ((pdu: Pdu) => void) | undefined;
  readonly resolve: (reply: Reply) => void;
}

/** Bytes that the other side may leave unread. */
const MAX_UNREAD = 4 * 1024 * 1024;
/** Milliseconds in which the last bytes must be gone when it closes. */
const FLUSH_WITHIN = 1_000;
/** Requests whose time is over and whose response would still be told. */
const MAX_LATE = 1_000;
const LAST_SEQUENCE = 0x7fffffff;

/**
 * One connection to an SMSC: matches responses with requests and answers what needs no thought. It closes on
 * anything that cannot be decoded, and on a peer that does not answer `enquire_link`; closing answers every
 * request that waits. One timer serves all requests, which have one and the same time to be answered.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #environment: Environment;
  readonly #handlers: ConnectionHandlers;
  /** In the order of their sending, which is that of their deadlines. */
  readonly #pending = new Map<number, Pending>();
  readonly #late = new Map<number, (pdu: Pdu) => void>();
  #sequence = 0;
  #lastRead: number;
  #lastMessage: number;
  #enquiring = false;
  #watch: { readonly at: number; readonly timer: Timer } | null = null;
  #corked = false;
  #closed: string | null = null;

  constructor(
    socket: Socket,
    settings: ConnectionSettings,
    environment: Environment,
    handlers: ConnectionHandlers,
  ) {
    this.#socket = socket;
    this.#settings = settings;
    this.#environment = environment;
    this.#handlers = handlers;
    this.#lastRead = this.#lastMessage = environment.monotonic();
    const frames = createFraming();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (bytes: Buffer) => this.#read(frames, bytes));
    socket.on('error', (error) => this.close(describeNetworkError(error) ?? error.name));
    socket.on('close', () => this.close('connection closed'));
    this.#rearm();
  }

  get isOpen(): boolean {
    return this.#closed === null;
  }

  /** Resolves when it was answered, its time is over or the connection ended. Rejects only on a defect of ours. */
  request(command: string, { fields, tlvs, onLate }: RequestOptions = {}): Promise<Reply> {
    if (this.#closed !== null) return Promise.resolve({ kind: 'none', sent: false, why: this.#closed });
    const sequence = this.#nextSequence();
    return new Promise((resolve) => {
      const buffer = encodePdu(command, { sequence, fields, tlvs });
      const sentAt = this.#environment.monotonic();
      this.#pending.set(sequence, { command, response: responseTo(command), sentAt, onLate, resolve });
      if (command === 'submit_sm') this.#lastMessage = sentAt;
      this.#write(buffer);
      this.#rearm();
    });
  }

  /** Answers a request of the other side. Does nothing when the connection has ended. */
  respond(request: Pdu, status: number): void {
    const command = responseTo(request.command);
    if (command === null) this.reject(request);
    else if (this.#closed === null) this.#write(encodePdu(command, { status, sequence: request.sequence }));
  }

  /** Tells the other side that it knows no such command. */
  reject({ sequence }: Pdu): void {
    if (this.#closed !== null) return;
    this.#write(encodePdu('generic_nack', { status: INVALID_COMMAND, sequence }));
  }

  /** Ends it at once. What is written is still sent, if the other side reads it. */
  close(why: string): void {
    if (this.#closed !== null) return;
    this.#closed = why;
    this.#watch?.timer.cancel();
    if (this.#corked) this.#socket.uncork();
    const giveUp = this.#environment.after(FLUSH_WITHIN, () => this.#socket.destroy());
    this.#socket.once('close', () => giveUp.cancel());
    this.#socket.destroySoon();
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    this.#late.clear();
    for (const { resolve } of waiting) resolve({ kind: 'none', sent: true, why });
    this.#handlers.onClose(why);
  }

  #read(frames: (bytes: Buffer) => Iterable<Buffer>, bytes: Buffer): void {
    if (this.#closed !== null) return;
    this.#lastRead = this.#environment.monotonic();
    try {
      for (const frame of frames(bytes)) {
        this.#take(frame);
        if (this.#closed !== null) return;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.close(`a PDU that cannot be read: ${error.message}`);
    }
  }

  #take(frame: Buffer): void {
    let pdu: Pdu;
    try {
      pdu = decodePdu(frame);
    } catch (error) {
      // Told that it is wrong for good, the SMSC does not bring the same PDU again after the next bind.
      const header = decodePdu(frame.subarray(0, 16));
      if (!isResponse(header)) this.respond(header, NEVER);
      throw error;
    }
    if (isResponse(pdu)) this.#settle(pdu);
    else if (pdu.command === 'enquire_link') this.respond(pdu, OK);
    else if (pdu.command === 'unbind') {
      this.respond(pdu, OK);
      this.close('the SMSC unbound');
    } else {
      if (pdu.command === 'deliver_sm' || pdu.command === 'data_sm') this.#lastMessage = this.#lastRead;
      this.#handlers.onRequest(pdu, this);
    }
  }

  #settle(pdu: Pdu): void {
    const { sequence } = pdu;
    const pending = this.#pending.get(sequence);
    if (!pending) {
      this.#late.get(sequence)?.(pdu);
      this.#late.delete(sequence);
      return;
    }
    if (pdu.command !== pending.response && pdu.command !== 'generic_nack') {
      throw new DecodeError(`${pdu.command} is no answer to ${pending.command}`);
    }
    this.#pending.delete(sequence);
    pending.resolve({ kind: 'reply', pdu });
  }

  /** What is written in one turn of the event loop goes out with one system call. */
  #write(buffer: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        if (!this.#corked) return;
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(buffer);
    if (this.#socket.writableLength > MAX_UNREAD) this.close('the SMSC does not read');
  }

  #nextSequence(): number {
    do {
      this.#sequence = this.#sequence === LAST_SEQUENCE ? 1 : this.#sequence + 1;
    } while (this.#pending.has(this.#sequence));
    return this.#sequence;
  }

  /** Sets the timer to the next moment at which something is due, unless it is set to one before it. */
  #rearm(): void {
    const { responseTimeout, enquireLink, inactivity } = this.#settings;
    const [oldest] = this.#pending.values();
    const at = Math.min(
      oldest ? oldest.sentAt + responseTimeout : Number.POSITIVE_INFINITY,
      this.#enquiring ? Number.POSITIVE_INFINITY : this.#lastRead + enquireLink,
      inactivity > 0 && this.#handlers.onIdle ? this.#lastMessage + inactivity : Number.POSITIVE_INFINITY,
    );
    if (this.#closed !== null || (this.#watch && this.#watch.at <= at)) return;
    this.#watch?.timer.cancel();
    const timer = this.#environment.after(at - this.#environment.monotonic(), () => {
      this.#watch = null;
      this.#look();
      this.#rearm();
    });
    this.#watch = { at, timer };
  }

  #look(): void {
    const now = this.#environment.monotonic();
    const { responseTimeout, enquireLink, inactivity } = this.#settings;
    let silent = now - this.#lastRead >= enquireLink;
    for (const [sequence, pending] of this.#pending) {
      if (now - pending.sentAt < responseTimeout) break;
      this.#pending.delete(sequence);
      if (pending.onLate) this.#remember(sequence, pending.onLate);
      pending.resolve({ kind: 'none', sent: true, why: `no answer within ${responseTimeout} ms` });
      silent ||= this.#lastRead <= pending.sentAt;
    }
    if (this.#closed === null && silent && !this.#enquiring) this.#enquire();
    if (this.#closed === null && inactivity > 0 && now - this.#lastMessage >= inactivity) {
      this.#lastMessage = now;
      this.#handlers.onIdle?.();
    }
  }

  #enquire(): void {
    this.#enquiring = true;
    void this.request('enquire_link').then((reply) => {
      this.#enquiring = false;
      if (reply.kind === 'none') this.close('the SMSC does not answer enquire_link');
      else this.#rearm();
    });
  }

  #remember(sequence: number, onLate: (pdu: Pdu) => void): void {
    if (this.#late.size >= MAX_LATE) this.#late.delete(this.#late.keys().next().value!);
    this.#late.set(sequence, onLate);
  }
}
