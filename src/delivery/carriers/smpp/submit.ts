import { NETWORK_ERROR } from '../../../verify/channel-errors.js';
import type { OutboundMessage, SubmitResult } from '../../carrier.js';
import { destinationAddress, sourceAddress } from './addresses.js';
import type { RequestOptions } from './connection.js';
import { canonicalId } from './message-id.js';
import type { Sent } from './outbox.js';
import { type Part, partsOf } from './parts.js';
import type { ReadSettings } from './settings.js';
import { statusName } from './status.js';
import { meaningOf } from './submit-status.js';
import { validityPeriod } from './validity.js';

const UDH_INDICATOR = 0x40;
/** A guard against values that come from a route: an `OutboundMessage` may hold any. */
const MAX_PARAMETER = 255;

/** One `submit_sm`, and how many SMS it becomes. */
export interface Submit {
  readonly request: Required<Pick<RequestOptions, 'fields' | 'tlvs'>>;
  readonly segments: number;
}

/**
 * The `submit_sm` of a message (SMPP 3.4 §4.4), in order. A receipt is asked for the last part only: it is the one
 * whose message id is kept, and all of them have to arrive for the text to be read.
 * @param now UTC milliseconds
 * @returns why not, for a message that SMPP cannot carry
 */
export function submitsOf(
  message: OutboundMessage,
  settings: ReadSettings,
  now: number,
): readonly Submit[] | Extract<SubmitResult, { kind: 'refused' | 'unavailable' }> {
  const source = sourceAddress(message.src ?? message.sender ?? settings.sender, settings.addresses);
  if (source === null) {
    const reason = 'the sender does not fit 20 printable ASCII characters';
    return { kind: 'unavailable', errorCode: 40, reason, down: false };
  }
  const parts = partsOf(message.text, referenceOf(message.hopId), settings.text);
  if (parts === null) return { kind: 'refused', errorCode: 110, reason: 'more than 255 parts' };
  const destination = destinationAddress(message.recipient, settings.addresses);
  const common = {
    service_type: settings.serviceType,
    source_addr_ton: source.ton,
    source_addr_npi: source.npi,
    source_addr: source.address,
    dest_addr_ton: destination.ton,
    dest_addr_npi: destination.npi,
    destination_addr: destination.address,
    protocol_id: settings.protocolId,
    priority_flag: settings.priority,
    validity_period: validityPeriod(settings.validity, message.expiresAt, now),
  };
  const extra = parametersOf(message, settings);
  return parts.map((part, index) => ({
    request: {
      fields: {
        ...common,
        esm_class: part.hasHeader ? UDH_INDICATOR : 0,
        registered_delivery: index === parts.length - 1 ? settings.registeredDelivery : 0,
        data_coding: part.dataCoding,
        short_message: part.shortMessage,
      },
      tlvs: [...part.tlvs, ...extra],
    },
    segments: part.segments,
  }));
}

/** The same for every try of a hop, so that the parts of a repeat are those of the first try to the phone. */
function referenceOf(hopId: string): number {
  // FNV-1a, folded to 16 bits.
  let hash = 0x811c9dc5;
  for (let index = 0; index < hopId.length; index++) {
    hash = Math.imul(hash ^ hopId.charCodeAt(index), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}

function parametersOf({ parameters }: OutboundMessage, settings: ReadSettings): Part['tlvs'] {
  return [...settings.parameters].flatMap(([name, { tag, value: initial }]) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name]! : initial;
    return value === null || value === ''
      ? []
      : [[tag, Buffer.from(value.slice(0, MAX_PARAMETER), 'latin1')]];
  });
}

/**
 * How a message fared whose parts fared so. It is accepted when all of them are, under the id of the last. Else
 * the worst that any of them met decides: refused, unanswered, not now.
 */
export function resultOf(sent: readonly Sent[], settings: Pick<ReadSettings, 'submitId'>): SubmitResult {
  const results = sent.map((each) => resultOfPart(each, settings));
  const order = ['refused', 'unanswered', 'unavailable'] as const;
  for (const kind of order) {
    const found = results.find((result) => result.kind === kind);
    if (found) return found;
  }
  return results.at(-1)!;
}

function resultOfPart(sent: Sent, { submitId }: Pick<ReadSettings, 'submitId'>): SubmitResult {
  const errorCode = NETWORK_ERROR.sms;
  if (sent.kind === 'no-turn') {
    const { why: reason, down, retryAfter } = sent;
    return { kind: 'unavailable', errorCode, reason, down, retryAfter, untried: !down };
  }
  if (sent.kind === 'none') {
    const { why: reason } = sent;
    return sent.sent
      ? { kind: 'unanswered', errorCode, reason, down: true }
      : { kind: 'unavailable', errorCode, reason, down: true };
  }
  const { status, fields } = sent.pdu;
  const meaning = meaningOf(status);
  const reason = statusName(status);
  switch (meaning.kind) {
    case 'accepted':
      return { kind: 'accepted', messageId: canonicalId(String(fields.message_id ?? ''), submitId) };
    case 'refused':
      return { kind: 'refused', errorCode: meaning.errorCode, reason };
    case 'unavailable':
      return { kind: 'unavailable', errorCode: meaning.errorCode, reason, down: meaning.down };
    case 'throttled':
      return { kind: 'unavailable', errorCode: meaning.errorCode, reason, down: false };
  }
}
