import type { Attempt } from '../model.js';
import { directed } from './direction.js';
import { toGsm7Equivalent } from './encoding.js';
import { lastLine, MAX_RETRIEVER_BYTES } from './last-line.js';
import { fillTemplate } from './template.js';

/** What an attempt's row fixes of its message. */
export type Renderable = Pick<Attempt, 'channel' | 'template' | 'brandName' | 'appHash' | 'domain'>;

/**
 * The text that a recipient reads or hears, as it goes to a carrier. An SMS ends with the line that is meant for
 * the phone's software, when there is one, and has GSM-7's own punctuation where that keeps it in GSM-7.
 */
export function renderText(message: Renderable, code: string): string {
  // A brand is one line: only the template breaks lines.
  const brand = message.brandName.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const text = fillTemplate(message.template, directed(brand, message.template), code);
  if (message.channel !== 'sms') return text;
  const last = lastLine(message, code);
  return toGsm7Equivalent(last === null ? text : `${text}\n${last}`);
}

/** Whether an SMS with an `app_hash` is short enough for the phone to read it, whatever its code of that length. */
export function fitsRetriever(message: Renderable, codeLength: number): boolean {
  if (message.channel !== 'sms' || message.appHash === '') return true;
  return Buffer.byteLength(renderText(message, '0'.repeat(codeLength))) <= MAX_RETRIEVER_BYTES;
}
