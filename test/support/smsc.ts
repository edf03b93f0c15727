import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import smpp, { type LibraryPdu, type Session } from 'smpp';

/** A `submit_sm` as the library read it, on the session that it came by. */
export interface Submitted {
  readonly pdu: LibraryPdu;
  readonly session: Session;
  /** From 1, in the order of arrival. */
  readonly number: number;
}

export interface SmscOptions {
  /** The password that is taken; any other is `ESME_RINVPASWD`. */
  readonly password?: string;
  /** For TLS. */
  readonly key?: string;
  readonly cert?: string;
}

/**
 * What to do with a PDU: a status to answer with (and a message id for a submit), or null for no answer. May answer
 * by itself, later, twice, or close the session.
 */
export type Behaviour = (submitted: Submitted) => Answer | null | Promise<Answer | null>;

export interface Answer {
  readonly status?: number;
  readonly messageId?: string;
}

/**
 * A scriptable SMSC on the server side of the `smpp` library. Takes every message and gives it the id `m1`, `m2` and
 * so on, unless it is told otherwise by its public functions.
 */
export class Smsc {
  /** How it answers a bind; by default by the password. */
  onBind: (pdu: LibraryPdu) => number | null = ({ password }) =>
    this.#options.password !== undefined && password !== this.#options.password ? 0x0e : 0;
  onSubmit: Behaviour = ({ number }) => ({ messageId: `m${number}` });
  /** Whether `enquire_link` is answered. */
  isAlive = true;
  onUnbind: (session: Session) => boolean = () => true;

  readonly binds: LibraryPdu[] = [];
  readonly submits: Submitted[] = [];
  /** Responses of the other side to what was sent with `deliver`, by sequence number in order. */
  readonly responses: LibraryPdu[] = [];
  readonly unbinds: Session[] = [];
  /** Bound and not yet closed. */
  readonly sessions = new Map<Session, string>();
  enquiries = 0;
  /** Connections that were ever made. */
  connections = 0;

  readonly #options: SmscOptions;
  readonly #all = new Set<Session>();
  readonly #server: Server;

  constructor(options: SmscOptions = {}) {
    this.#options = options;
    const { key, cert } = options;
    this.#server = smpp.createServer({ key, cert }, (session) => this.#serve(session));
    // TLS handshakes that fail are the client's to report.
    this.#server.on('tlsClientError', () => {});
  }

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The text of a message, put together from its parts as a phone would. */
  get texts(): string[] {
    return reassemble(this.submits.map(({ pdu }) => pdu));
  }

  /** The sessions that may be delivered on. */
  get receivers(): Session[] {
    return [...this.sessions].filter(([, kind]) => kind !== 'bind_transmitter').map(([session]) => session);
  }

  /** Delivers over a bind and resolves to the response. */
  deliver(
    fields: Readonly<Record<string, unknown>>,
    command: 'deliver_sm' | 'data_sm' = 'deliver_sm',
    session = this.receivers[0],
  ): Promise<LibraryPdu> {
    if (!session) return Promise.reject(new Error('nobody is bound to deliver to'));
    return new Promise((resolve) => session[command](fields, resolve));
  }

  /** Delivers a receipt in the form of Appendix B. */
  receipt(id: string, stat = 'DELIVRD', err = '000', fields: object = {}): Promise<LibraryPdu> {
    const text = `id:${id} sub:001 dlvrd:001 submit date:2601310852 done date:2601310853 stat:${stat} err:${err} text:Your code`;
    // Bytes, since the library would write an `_` in GSM-7.
    return this.deliver({ esm_class: 4, short_message: Buffer.from(text, 'latin1'), ...fields });
  }

  /** Ends every connection at once, as a crash would. */
  drop(): void {
    for (const session of this.#all) session.socket.destroy();
  }

  async stop(): Promise<void> {
    this.drop();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #serve(session: Session): void {
    this.connections++;
    this.#all.add(session);
    session.on('error', () => {});
    session.on('close', () => {
      this.#all.delete(session);
      this.sessions.delete(session);
    });
    for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
      session.on(kind, (pdu: LibraryPdu) => {
        this.binds.push(pdu);
        const status = this.onBind(pdu);
        if (status === null) return;
        if (status === 0) this.sessions.set(session, kind);
        session.send(pdu.response({ command_status: status, system_id: 'smsc' }));
      });
    }
    session.on('enquire_link', (pdu: LibraryPdu) => {
      this.enquiries++;
      if (this.isAlive) session.send(pdu.response());
    });
    session.on('unbind', (pdu: LibraryPdu) => {
      this.unbinds.push(session);
      this.sessions.delete(session);
      if (this.onUnbind(session)) session.send(pdu.response());
    });
    session.on('submit_sm', (pdu: LibraryPdu) => void this.#take(pdu, session));
    session.on('pdu', (pdu: LibraryPdu) => {
      if (/^(deliver|data)_sm_resp$|^generic_nack$/.test(pdu.command)) this.responses.push(pdu);
    });
  }

  async #take(pdu: LibraryPdu, session: Session): Promise<void> {
    const submitted = { pdu, session, number: this.submits.length + 1 };
    this.submits.push(submitted);
    const answer = await this.onSubmit(submitted);
    if (answer) answerSubmit(submitted, answer);
  }
}

/** Answers a `submit_sm` that was left without an answer. */
export function answerSubmit({ pdu, session }: Submitted, { status = 0, messageId = '' }: Answer): void {
  session.send(pdu.response({ command_status: status, message_id: messageId }));
}

interface Piece {
  readonly key: string;
  readonly number: number;
  readonly total: number;
  readonly text: string;
}

/** Texts of messages in the order of their first parts; one whose parts are not all there is left out. */
export function reassemble(pdus: readonly LibraryPdu[]): string[] {
  const messages = new Map<string, Piece[]>();
  pdus.map(pieceOf).forEach((piece, index) => {
    const key = piece.total === 1 ? `single ${index}` : piece.key;
    messages.set(key, [...(messages.get(key) ?? []), piece]);
  });
  return [...messages.values()]
    .filter((pieces) => pieces.length === pieces[0]!.total)
    .map((pieces) =>
      pieces
        .toSorted((a, b) => a.number - b.number)
        .map(({ text }) => text)
        .join(''),
    );
}

/** The part of a message in one `submit_sm`, as the library decodes it: its own alphabet tables, not ours. */
function pieceOf(pdu: LibraryPdu): Piece {
  const { destination_addr: to, short_message: message, message_payload: payload } = pdu;
  if (payload !== undefined) return { key: '', number: 1, total: 1, text: payload.message };
  const text = message.message ?? '';
  if (pdu.sar_msg_ref_num !== undefined) {
    const { sar_msg_ref_num: reference, sar_total_segments: total, sar_segment_seqnum: number } = pdu;
    return { key: `${to} sar ${reference}`, number, total, text };
  }
  const element: Buffer | undefined = message.udh?.[0];
  if (!element) return { key: '', number: 1, total: 1, text };
  const [total, number] = element.subarray(-2) as unknown as [number, number];
  return { key: `${to} ${element.subarray(0, -2).toString('hex')}`, number, total, text };
}
