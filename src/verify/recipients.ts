import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Recipient } from './model.js';

export interface ParsedRecipient {
  readonly recipient: Recipient;
  /** ISO 3166-1 alpha-2; null for numbers of no country, such as international networks (+883). */
  readonly country: string | null;
}

/** Longest text that is looked at: 15 digits of E.164 with generous punctuation. */
const MAX_INPUT = 64;
const TOLERATED = /^\+?[0-9 .()-]+$/;

/**
 * Reads a number in international format (ITU-T E.164), with or without `+`; spaces, dots, dashes and
 * parentheses are tolerated (contract §2). Null for what libphonenumber does not call a valid number.
 */
export function parseRecipient(text: string): ParsedRecipient | null {
  if (text.length > MAX_INPUT || !TOLERATED.test(text)) return null;
  const digits = text.replace(/[^0-9]/g, '');
  const number = parsePhoneNumberFromString(`+${digits}`);
  if (!number?.isValid() || number.ext) return null;
  return { recipient: number.number.slice(1) as Recipient, country: number.country ?? null };
}

/** `1415•••1234`: how a recipient appears in logs. */
export function maskRecipient(recipient: string): string {
  return recipient.length > 8 ? `${recipient.slice(0, 4)}•••${recipient.slice(-4)}` : '•••';
}
