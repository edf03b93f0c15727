import type { Cost, OutboundMessage, SubmitResult } from '../../carrier.js';
import type { Answer, HttpRequest } from '../../http-client.js';
import type { Incoming } from '../provider/incoming.js';
import type { CallDocument } from './document.js';
import type { VoiceTable } from './voices.js';

/** What a provider says of a call, when it asks what the call does next as much as when it tells how it goes. */
export interface CallNews {
  /** The provider's own id of the call. */
  readonly callId: string;
  /** Its id of the request that placed the call, where that is another. */
  readonly requestId: string | null;
  readonly status: 'under-way' | 'ringing' | 'in-progress' | 'completed' | 'busy' | 'no-answer' | 'failed';
  /** Channel error code of contract §7 of a call that failed; null: none. */
  readonly errorCode: number | null;
  /** Whether it takes who answered for a machine. */
  readonly machine: boolean;
  /** The key that was pressed. */
  readonly key: string | null;
  /** Seconds, of a call that is over. */
  readonly duration?: number;
  readonly cost?: Cost;
}

/** Where the provider finds us for one call. */
export interface CallAddresses {
  /** Answers with what the call does first. */
  readonly answer: string;
  /** Takes how it goes. */
  readonly status: string;
}

/** That the provider took a request to call; ids are null where its answer does not tell. */
export interface Placed {
  readonly kind: 'placed';
  readonly callId: string | null;
  readonly requestId: string | null;
}

/** What distinguishes one provider of calls from another. */
export interface VoiceProvider {
  /** As people call it. */
  readonly title: string;
  readonly voices: VoiceTable;
  /** @param ringSeconds how long it may ring */
  place(message: OutboundMessage, addresses: CallAddresses, ringSeconds: number): HttpRequest;
  /** What a whole answer to that means. */
  readPlaced(answer: Answer, message: OutboundMessage): Placed | SubmitResult;
  /** Ends a call; null when nothing is known to end it by. */
  hangUp(ids: Pick<Placed, 'callId' | 'requestId'>): HttpRequest | null;
  /** Why a request is not believed; null: it is. */
  verify(incoming: Incoming): string | null;
  /** Null: it cannot be understood. */
  read(incoming: Incoming): CallNews | null;
  /** A document in the provider's XML. */
  render(document: CallDocument): string;
  readonly contentType: string;
}

/** An id of a call as providers write them; null for anything else. */
export function readCallId(value: string | null): string | null {
  return value !== null && /^[A-Za-z0-9_.:-]{1,128}$/.test(value) ? value : null;
}

/** Whole seconds of a call; undefined when it is no number of them. */
export function readSeconds(value: string | null): { readonly duration?: number } {
  return value !== null && /^[0-9]{1,5}$/.test(value) ? { duration: Number(value) } : {};
}
