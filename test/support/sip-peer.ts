import {
  headerOf,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  sequenceOf,
} from '#delivery/carriers/sip/message/message.js';
import { parseMessage } from '#delivery/carriers/sip/message/parse.js';
import { parseAddress } from '#delivery/carriers/sip/message/uri.js';
import { fields, request, responseTo, writeMessage } from '#delivery/carriers/sip/message/write.js';
import type { Peer, Transport } from '#delivery/carriers/sip/transport/transport.js';

/** What an SDP of a peer looks like; nothing listens there. */
export const PEER_SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';

type Fields = Readonly<Record<string, string | number>>;

/** Takes each request as it comes, repeats included. */
export type Script = (asked: SipRequest, peer: SipPeer) => void;

/** A SIP peer without any stack of its own: does what its script says with every single datagram. */
export class SipPeer {
  readonly received: SipMessage[] = [];
  script: Script = () => {};
  #us: Peer | null = null;
  #number = 100;

  constructor(
    private readonly transport: Transport,
    readonly address: string,
    readonly port = 5060,
    readonly tag = 'peer',
  ) {
    transport.receive((bytes, from) => {
      const parsed = parseMessage(bytes);
      if (!parsed.ok) throw new Error(`the carrier sent what cannot be read: ${parsed.why}`);
      this.#us = from;
      this.received.push(parsed.message);
      if (parsed.message.kind === 'request') this.script(parsed.message, this);
    });
  }

  get requests(): SipRequest[] {
    return this.received.filter((one) => one.kind === 'request');
  }

  get responses(): SipResponse[] {
    return this.received.filter((one) => one.kind === 'response');
  }

  /** Requests of a method, repeats included. */
  all(method: string): SipRequest[] {
    return this.requests.filter((one) => one.method === method);
  }

  /** Answers a request; with `sdp` as an answer to an offer. */
  respond(asked: SipRequest, status: number, headers: Fields = {}, { sdp = '', tag = this.tag } = {}): void {
    const contact =
      asked.method === 'INVITE' && status > 100 && status < 300 ? { contact: this.contact } : {};
    const type = sdp === '' ? {} : { 'content-type': 'application/sdp' };
    this.send(
      responseTo(asked, status, { tag, headers: fields({ ...contact, ...type, ...headers }), body: sdp }),
    );
  }

  /** Answers an INVITE with 200 and SDP. */
  answer(asked: SipRequest, headers: Fields = {}, tag = this.tag): void {
    this.respond(asked, 200, headers, { sdp: PEER_SDP, tag });
  }

  /** Sends a request within the call that an INVITE began; returns it. */
  ask(invite: SipRequest, method: string, headers: Fields = {}, body = '', tag = this.tag): SipRequest {
    const target = parseAddress(headerOf(invite, 'contact') ?? '')?.uri ?? invite.uri;
    const asked = request(
      method,
      target,
      fields({
        via: `SIP/2.0/UDP ${this.address}:${this.port};rport;branch=z9hG4bKpeer${this.#number}`,
        'max-forwards': 70,
        from: `${headerOf(invite, 'to')};tag=${tag}`,
        to: headerOf(invite, 'from'),
        'call-id': headerOf(invite, 'call-id'),
        cseq: `${this.#number++} ${method}`,
        contact: this.contact,
        ...headers,
      }),
      body,
    );
    this.send(asked);
    return asked;
  }

  /** The ACK of a response to a request of ours. */
  acknowledge(asked: SipRequest, response: SipResponse, body = ''): void {
    const { number } = sequenceOf(asked)!;
    const headers = fields({
      via: `SIP/2.0/UDP ${this.address}:${this.port};rport;branch=z9hG4bKack${number}`,
      from: headerOf(asked, 'from'),
      to: headerOf(response, 'to'),
      'call-id': headerOf(asked, 'call-id'),
      cseq: `${number} ACK`,
      ...(body === '' ? {} : { 'content-type': 'application/sdp' }),
    });
    this.send(request('ACK', asked.uri, headers, body));
  }

  send(message: SipMessage): void {
    if (this.#us) void this.transport.send(writeMessage(message), this.#us);
  }

  private get contact(): string {
    return `<sip:peer@${this.address}:${this.port}>`;
  }
}
