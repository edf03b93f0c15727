import { splitSegments } from '../../../verify/messages/encoding.js';
import type { TextSettings } from './settings.js';
import { type Alphabet, alphabetOf, encodeText } from './text.js';

/** What one `submit_sm` carries of a message. */
export interface Part {
  readonly shortMessage: Buffer;
  readonly dataCoding: number;
  /** `short_message` begins with a user data header. */
  readonly hasHeader: boolean;
  readonly tlvs: readonly (readonly [tag: number, value: Buffer])[];
  /** SMS that it becomes on the air. */
  readonly segments: number;
}

const SAR_REFERENCE = 0x020c;
const SAR_TOTAL = 0x020e;
const SAR_NUMBER = 0x020f;
const MESSAGE_PAYLOAD = 0x0424;
/** Parts that a concatenation header can count. */
const MAX_PARTS = 255;

/**
 * A message as the bodies of `submit_sm`: one where it fits one SMS, else as configured.
 * @param reference tells this message's parts from those of others to the same phone
 * @returns null for a text that is longer than 255 parts
 */
export function partsOf(text: string, reference: number, settings: TextSettings): readonly Part[] | null {
  const { longMessages } = settings;
  const alphabet = alphabetOf(text, settings);
  const dataCoding = settings.dataCoding[alphabet === 'gsm-7-packed' ? 'gsm-7' : alphabet];
  const header = headerSize(longMessages);
  const texts = segmentsIn(text, alphabet, header);
  if (texts.length > MAX_PARTS) return null;
  const whole = (): Buffer => encodeText(text, alphabet);
  if (texts.length === 1) {
    return [{ shortMessage: whole(), dataCoding, hasHeader: false, tlvs: [], segments: 1 }];
  }
  if (longMessages === 'payload') {
    const tlvs = [[MESSAGE_PAYLOAD, whole()]] as const;
    return [{ shortMessage: Buffer.alloc(0), dataCoding, hasHeader: false, tlvs, segments: texts.length }];
  }
  const total = texts.length;
  return texts.map((each, index) => {
    const common = { dataCoding, segments: 1 };
    if (longMessages === 'sar') {
      const tlvs = [
        [SAR_REFERENCE, Buffer.of(reference >> 8, reference & 0xff)],
        [SAR_TOTAL, Buffer.of(total)],
        [SAR_NUMBER, Buffer.of(index + 1)],
      ] as const;
      return { ...common, shortMessage: encodeText(each, alphabet), hasHeader: false, tlvs };
    }
    const udh = concatenation(longMessages, reference, total, index + 1);
    const shortMessage = Buffer.concat([udh, encodeText(each, alphabet, udh.length)]);
    return { ...common, shortMessage, hasHeader: true, tlvs: [] };
  });
}

/** Bytes that each SMS of a longer message gives up: with SAR and payload the SMSC writes a header of six. */
function headerSize(longMessages: TextSettings['longMessages']): number {
  return longMessages === 'udh-16' ? 7 : 6;
}

/** A text that GSM-7 has, but which travels in UCS-2, is split as such. */
function segmentsIn(text: string, alphabet: Alphabet, header: number): string[] {
  if (alphabet !== 'ucs-2') return splitSegments(text, header);
  const each = Math.floor((140 - header) / 2);
  if (text.length <= 70) return [text];
  const segments: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + each, text.length);
    // Both halves of a surrogate pair stay together.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--;
    segments.push(text.slice(start, end));
    start = end;
  }
  return segments;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

/** A user data header that is a concatenation alone: TS 23.040 §9.2.3.24.1 with 8 bits of reference, .8 with 16. */
function concatenation(kind: 'udh-8' | 'udh-16', reference: number, total: number, number: number): Buffer {
  return kind === 'udh-8'
    ? Buffer.of(5, 0x00, 3, reference & 0xff, total, number)
    : Buffer.of(6, 0x08, 4, reference >> 8, reference & 0xff, total, number);
}
