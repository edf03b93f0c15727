import { describeNetworkError } from '../../../http-client.js';
import type { Agent } from '../agent.js';
import type { Header, SipResponse } from '../message/message.js';
import { fields, request } from '../message/write.js';
import type { Peer } from '../transport/transport.js';
import type { Authenticator } from './authenticator.js';

/** A request outside of any call. */
export interface Asked {
  readonly method: 'OPTIONS' | 'REGISTER';
  readonly uri: string;
  /** `From` without a tag, and `To`. */
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly tag: string;
  /** The number of each try. */
  readonly nextNumber: () => number;
  readonly headers: (contact: string) => Readonly<Record<string, string | number | null>>;
  readonly contactUser: string;
  /** Milliseconds that a peer has to answer. */
  readonly timeout: number;
  /** Told of each peer that did not answer, or is out of service. */
  readonly onUnwell?: (peer: Peer) => void;
  /** Ends it: no answer is waited for any more, and nothing more is sent. It was `silent` then. */
  readonly signal?: AbortSignal;
}

/** How a request ended at one peer. */
export type Answered =
  | {
      readonly kind: 'response';
      readonly response: SipResponse;
      readonly peer: Peer;
      /** Our own, as the request had it. */
      readonly contact: string;
    }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unreachable'; readonly error: unknown }
  | { readonly kind: 'credentials'; readonly given: boolean };

/** Asks one peer after the other until one answers (RFC 3263 §4.3), signed where that is asked for. */
export async function exchange(
  agent: Agent,
  peers: readonly Peer[],
  authenticator: Authenticator,
  asked: Asked,
): Promise<Answered> {
  let last: Answered = { kind: 'silent' };
  for (const peer of peers) {
    last = await askOne(agent, peer, authenticator, asked);
    if (asked.signal?.aborted) return last;
    const isPeersOwn = last.kind === 'response' && [408, 503].includes(last.response.status);
    if (last.kind !== 'silent' && last.kind !== 'unreachable' && !isPeersOwn) return last;
    asked.onUnwell?.(peer);
  }
  return last;
}

async function askOne(
  agent: Agent,
  peer: Peer,
  authenticator: Authenticator,
  asked: Asked,
): Promise<Answered> {
  for (let tries = 0; ; tries++) {
    let sentBy: Awaited<ReturnType<Agent['sentBy']>>;
    try {
      sentBy = await agent.sentBy(peer);
    } catch (error) {
      return { kind: 'unreachable', error };
    }
    if (asked.signal?.aborted) return { kind: 'silent' };
    const contact = `<${agent.contact(asked.contactUser, sentBy, peer.protocol)}>`;
    const headers: Header[] = fields({
      'max-forwards': 70,
      from: `${asked.from};tag=${asked.tag}`,
      to: asked.to,
      'call-id': asked.callId,
      cseq: `${asked.nextNumber()} ${asked.method}`,
      ...asked.headers(contact),
      'user-agent': agent.userAgent,
    });
    const signed = authenticator.sign(request(asked.method, asked.uri, headers));
    const answer = await new Promise<Answered>((resolve) => {
      const end = (answered: Answered) => {
        timer.cancel();
        asked.signal?.removeEventListener('abort', stop);
        resolve(answered);
      };
      const stop = () => {
        transaction.destroy();
        end({ kind: 'silent' });
      };
      const timer = agent.environment.after(asked.timeout, () => {
        transaction.expire();
        end({ kind: 'silent' });
      });
      asked.signal?.addEventListener('abort', stop, { once: true });
      const transaction = agent.transactions.start(signed, peer, sentBy, {
        onResponse: (response) => {
          if (response.status >= 200) end({ kind: 'response', response, peer, contact });
        },
        onFailure: (failure) => end(failure.kind === 'timeout' ? { kind: 'silent' } : failure),
      });
    });
    const status = answer.kind === 'response' ? answer.response.status : 0;
    if (answer.kind !== 'response' || (status !== 401 && status !== 407)) return answer;
    const judgement = authenticator.learn(signed, answer.response, tries);
    if (judgement !== 'again') return { kind: 'credentials', given: judgement === 'refused' };
  }
}

/** An answer in a few words. */
export function describeAnswer(answer: Answered): string {
  switch (answer.kind) {
    case 'silent':
      return 'no answer';
    case 'unreachable': {
      const why = describeNetworkError(answer.error);
      return why === null ? 'cannot be reached' : `cannot be reached: ${why}`;
    }
    case 'credentials':
      return answer.given ? 'user name or password refused' : 'asks for a user name and password';
    case 'response':
      return `SIP ${answer.response.status}`;
  }
}
