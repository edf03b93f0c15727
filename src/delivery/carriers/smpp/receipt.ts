import { canonicalId } from './message-id.js';
import type { Pdu } from './pdu.js';
import { type CarrierError, meaningOfReceipt, type ReceiptMeaning, stateOf } from './receipt-status.js';
import { readReceiptText } from './receipt-text.js';
import type { ReceiptSettings } from './settings.js';
import { decodeText } from './text.js';

const RECEIPTED_MESSAGE_ID = 0x001e;
const NETWORK_ERROR_CODE = 0x0423;
const MESSAGE_PAYLOAD = 0x0424;
const MESSAGE_STATE = 0x0427;

const UCS_2 = 8;

/** Bits 5 to 2 of `esm_class` (§5.2.12), and two kinds of them. */
const MESSAGE_TYPE = 0x3c;
const DELIVERY_RECEIPT = 0x04;
const INTERMEDIATE = 0x20;
/** Acknowledgements by the phone or its user, and the end of a conversation: nothing that anybody here asked for. */
const FROM_THE_PHONE: readonly number[] = [0x08, 0x10, 0x18];

export interface Receipt extends ReceiptMeaning {
  /** In the form in which ids are compared. */
  readonly messageId: string;
  /** The recipient of the message that it is about, as the SMSC writes numbers. */
  readonly recipient: string;
}

/** What a `deliver_sm` or `data_sm` is. */
export type DeliveryKind = 'receipt' | 'intermediate' | 'message' | 'acknowledgement';

/** Only TLVs make a receipt of what is not marked as one: anybody can send a text that looks like one. */
export function kindOfDelivery({ fields, tlvs }: Pdu): DeliveryKind {
  const type = numberOf(fields.esm_class) & MESSAGE_TYPE;
  if ((type & DELIVERY_RECEIPT) !== 0) return 'receipt';
  if (type === INTERMEDIATE) return 'intermediate';
  if (FROM_THE_PHONE.includes(type)) return 'acknowledgement';
  return tlvs.has(RECEIPTED_MESSAGE_ID) && tlvs.has(MESSAGE_STATE) ? 'receipt' : 'message';
}

/**
 * Reads a receipt: TLVs first (§5.3.2), the text for what they do not tell (Appendix B).
 * @returns null when it has no id, or no state that SMPP has
 */
export function readReceipt(
  pdu: Pdu,
  kind: 'receipt' | 'intermediate',
  settings: ReceiptSettings,
): Receipt | null {
  // Read byte by byte, whatever the alphabet: GSM-7 has another character for the `_` or `@` of an id.
  const alphabet = pdu.fields.data_coding === UCS_2 ? 'ucs-2' : 'latin-1';
  const text = readReceiptText(decodeText(bodyOf(pdu), alphabet));
  const messageId = readId(pdu, text.id, settings);
  const state = pdu.tlvs.get(MESSAGE_STATE)?.at(0) ?? (text.stat === null ? null : stateOf(text.stat));
  if (messageId === null || state === null) return null;
  const meaning = meaningOfReceipt(state, readError(pdu, text.err), settings);
  if (meaning === null) return null;
  const recipient = String(pdu.fields.source_addr ?? '').replace(/^\+/, '');
  // The last word on a message is a receipt's, unless it has arrived.
  const early = kind === 'intermediate' && meaning.status === 'undelivered';
  return { ...(early ? { status: 'sent', errorCode: null } : meaning), messageId, recipient };
}

/** The short message, or the payload that stands in its place (§5.3.2.32). */
export function bodyOf({ fields, tlvs }: Pdu): Buffer {
  const message = fields.short_message;
  if (Buffer.isBuffer(message) && message.length > 0) return message;
  return tlvs.get(MESSAGE_PAYLOAD) ?? Buffer.alloc(0);
}

function readId({ tlvs }: Pdu, inText: string | null, { tlvId, textId }: ReceiptSettings): string | null {
  const tlv = tlvs.get(RECEIPTED_MESSAGE_ID);
  // A C string, whose NUL some SMSCs leave out.
  const fromTlv = tlv ? canonicalId(tlv.toString('latin1').split('\0', 1)[0]!, tlvId) : null;
  return fromTlv ?? (inText === null ? null : canonicalId(inText, textId));
}

/** `network_error_code` (§5.3.2.31): a byte for the kind of network, two for its error. */
function readError({ tlvs }: Pdu, inText: string | null): CarrierError | null {
  const tlv = tlvs.get(NETWORK_ERROR_CODE);
  if (tlv && tlv.length === 3) return { network: tlv[0]!, code: String(tlv.readUInt16BE(1)) };
  return inText === null ? null : { network: null, code: inText };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
