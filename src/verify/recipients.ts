import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Channel, Recipient, RestrictedNumberType } from './model.js';

export interface ParsedRecipient {
  readonly recipient: Recipient;
  /** ISO 3166-1 alpha-2; null for numbers of no country, such as international networks (+883). */
  readonly country: string | null;
  /** `ordinary` is whatever may be a mobile number, and all that is not restricted. */
  readonly type: RestrictedNumberType | 'ordinary';
}

/** Longest text that is looked at: 15 digits of E.164 with generous punctuation. */
const MAX_INPUT = 64;
const TOLERATED = /^\+?[0-9 .()-]+$/;

/**
 * Shared country codes (ITU-T E.164, list of assigned codes): Inmarsat and the other satellite systems, shared cost,
 * premium rate; the rest are networks of no country.
 */
const NON_GEOGRAPHIC: Readonly<Record<string, RestrictedNumberType>> = {
  800: 'international-network',
  808: 'shared-cost',
  870: 'satellite',
  878: 'international-network',
  881: 'satellite',
  882: 'international-network',
  883: 'international-network',
  888: 'international-network',
  979: 'premium-rate',
};

/**
 * Reads a number in international format (ITU-T E.164), with or without `+`; spaces, dots, dashes and
 * parentheses are tolerated (contract §2). Null for what libphonenumber does not call a valid number.
 */
export function parseRecipient(text: string): ParsedRecipient | null {
  if (text.length > MAX_INPUT || !TOLERATED.test(text)) return null;
  const digits = text.replace(/[^0-9]/g, '');
  const number = parsePhoneNumberFromString(`+${digits}`);
  // With the full metadata a number is valid when it has a type, so that one look-up tells both.
  const type = number?.getType();
  if (!number || type === undefined || number.ext) return null;
  return {
    recipient: number.number.slice(1) as Recipient,
    country: number.country ?? null,
    type: NON_GEOGRAPHIC[number.countryCallingCode] ?? TYPES[type] ?? 'ordinary',
  };
}

/** libphonenumber's types that are restricted. Toll-free and VoIP numbers are ordinary: they cost nobody more. */
const TYPES: Readonly<Record<string, RestrictedNumberType>> = {
  FIXED_LINE: 'fixed-line',
  UAN: 'company-number',
  PREMIUM_RATE: 'premium-rate',
  SHARED_COST: 'shared-cost',
  PERSONAL_NUMBER: 'personal-number',
  PAGER: 'pager',
  VOICEMAIL: 'voicemail',
};

/** What the number is, and why nothing is sent to it. */
const REASONS: Readonly<Record<RestrictedNumberType, string>> = {
  'fixed-line': 'is a fixed line, which takes no SMS: use the channel voice',
  'company-number': 'is a company number, which takes no SMS: use the channel voice',
  'premium-rate': 'is a premium-rate number, which codes are not sent to',
  'shared-cost': 'is a shared-cost number, which codes are not sent to',
  'personal-number':
    'is a personal number, which codes are not sent to, as it may cost like a premium-rate one',
  pager: 'is a pager, which codes are not sent to',
  voicemail: 'is a voicemail number, which codes are not sent to',
  satellite: 'is a satellite number, which codes are not sent to',
  'international-network': 'is a number of an international network, which codes are not sent to',
};

export const RESTRICTED_NUMBER_TYPES = Object.keys(REASONS) as readonly RestrictedNumberType[];

/** Refused by SMS only: there is a telephone, and a call costs what calls cost. */
const CALLABLE: readonly RestrictedNumberType[] = ['fixed-line', 'company-number'];

/**
 * Why no code may go to a number, as the end of a sentence that begins with `recipient`; null when it may.
 * @param allowed restricted types that are allowed all the same
 */
export function recipientRefusal(
  { type }: Pick<ParsedRecipient, 'type'>,
  channel: Channel,
  allowed: readonly RestrictedNumberType[] = [],
): string | null {
  if (type === 'ordinary' || allowed.includes(type)) return null;
  if (channel === 'voice' && CALLABLE.includes(type)) return null;
  return `${REASONS[type]}; an application allows it with ${type} in number_types`;
}

/** `1415•••1234`: how a recipient appears in logs. */
export function maskRecipient(recipient: string): string {
  return recipient.length > 8 ? `${recipient.slice(0, 4)}•••${recipient.slice(-4)}` : '•••';
}
