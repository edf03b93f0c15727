import {
  type Header,
  headerOf,
  listOf,
  type SipRequest,
  type SipResponse,
  sequenceOf,
} from '../message/message.js';
import { parseAddress, parseUri, tagOf } from '../message/uri.js';
import { fields, request } from '../message/write.js';

/** RFC 3261 §12, of the side that sent the INVITE. */
export class Dialog {
  readonly remoteTag: string;
  readonly callId: string;
  readonly #local: string;
  readonly #remote: string;
  #routes: readonly string[];
  #target: string;
  #localNumber: number;
  #remoteNumber: number | null = null;

  /** @param response one that carries a `To` tag: a 2xx, or a provisional one */
  constructor(invite: SipRequest, response: SipResponse) {
    this.callId = headerOf(invite, 'call-id') ?? '';
    this.#local = headerOf(invite, 'from') ?? '';
    this.#remote = headerOf(response, 'to') ?? '';
    this.remoteTag = tagOf(this.#remote);
    this.#routes = listOf(response, 'record-route').reverse();
    this.#target = contactOf(response) ?? invite.uri;
    this.#localNumber = sequenceOf(invite)?.number ?? 1;
  }

  /** Where the next request within the dialog goes: a SIP URI. */
  get nextHop(): string {
    const [first] = this.#routes;
    return (first && parseAddress(first)?.uri) || this.#target;
  }

  /** The 2xx makes an early dialog a confirmed one: its way is that of the 2xx, its numbers go on (RFC 3261 §13.2.2.4). */
  confirm(invite: SipRequest, response: SipResponse): this {
    this.#routes = listOf(response, 'record-route').reverse();
    this.retarget(response);
    this.#localNumber = Math.max(this.#localNumber, sequenceOf(invite)?.number ?? 1);
    return this;
  }

  /** The `Contact` of a request or response that refreshes the target. */
  retarget(message: SipRequest | SipResponse): void {
    this.#target = contactOf(message) ?? this.#target;
  }

  /** A request within the dialog (RFC 3261 §12.2.1.1). An ACK takes the number of what it acknowledges. */
  request(method: string, headers: readonly Header[] = [], body = '', number?: number): SipRequest {
    const used = number ?? ++this.#localNumber;
    const { uri, routes } = this.#way();
    return request(
      method,
      uri,
      [
        ...routes.map((value) => ({ name: 'route', value })),
        ...fields({
          'max-forwards': 70,
          from: this.#local,
          to: this.#remote,
          'call-id': this.callId,
          cseq: `${used} ${method}`,
        }),
        ...headers,
      ],
      body,
    );
  }

  /** RFC 3261 §12.2.2: false for a request that an earlier one has overtaken. */
  admits(asked: SipRequest): boolean {
    const { number } = sequenceOf(asked)!;
    if (this.#remoteNumber !== null && number < this.#remoteNumber) return false;
    this.#remoteNumber = number;
    return true;
  }

  /** Loose routing; of a strict router of before RFC 3261, its way. */
  #way(): { uri: string; routes: readonly string[] } {
    const [first, ...rest] = this.#routes;
    const address = first === undefined ? null : parseAddress(first);
    if (!address || parseUri(address.uri)?.parameters.has('lr')) {
      return { uri: this.#target, routes: this.#routes };
    }
    return { uri: address.uri, routes: [...rest, `<${this.#target}>`] };
  }
}

function contactOf(message: SipRequest | SipResponse): string | null {
  const [contact] = listOf(message, 'contact');
  const uri = contact === undefined ? undefined : parseAddress(contact)?.uri;
  return uri && parseUri(uri) ? uri : null;
}
