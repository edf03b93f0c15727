import type { InboundMessage } from '../../carrier.js';
import type { Pdu } from './pdu.js';
import { bodyOf } from './receipt.js';
import type { TextSettings } from './settings.js';
import { alphabetOfCoding, decodeText } from './text.js';

const HAS_HEADER = 0x40;
const SAR_NUMBER = 0x020f;
/** Elements of a user data header that number the parts of a long message (TS 23.040 §9.2.3.24). */
const CONCATENATION_8 = 0x00;
const CONCATENATION_16 = 0x08;

/**
 * An SMS that somebody sent. Of a long one only the first part counts, since a keyword stands at the beginning.
 * @returns null for a later part, and for data that is no text
 */
export function readInbound(pdu: Pdu, settings: TextSettings): InboundMessage | null {
  const { source_addr: from, destination_addr: to, esm_class: esmClass, data_coding: coding } = pdu.fields;
  const body = bodyOf(pdu);
  const hasHeader = typeof esmClass === 'number' && (esmClass & HAS_HEADER) !== 0;
  const header = hasHeader ? Math.min((body[0] ?? 0) + 1, body.length) : 0;
  if (numberOfPart(body.subarray(0, header), pdu) > 1) return null;
  const alphabet = alphabetOfCoding(Number(coding ?? 0), settings);
  if (alphabet === null) return null;
  const text = decodeText(body.subarray(header), alphabet, header);
  return { from: withoutPlus(from), to: withoutPlus(to), text };
}

function numberOfPart(header: Buffer, { tlvs }: Pdu): number {
  for (let at = 1; at + 2 <= header.length; at += 2 + header[at + 1]!) {
    if (header[at] === CONCATENATION_8) return header[at + 4] ?? 1;
    if (header[at] === CONCATENATION_16) return header[at + 5] ?? 1;
  }
  return tlvs.get(SAR_NUMBER)?.at(0) ?? 1;
}

function withoutPlus(address: unknown): string {
  return String(address ?? '').replace(/^\+(?=[0-9])/, '');
}
