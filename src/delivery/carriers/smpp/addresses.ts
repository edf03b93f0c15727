import type { AddressForm, AddressSettings } from './settings.js';

export interface Address {
  readonly ton: number;
  readonly npi: number;
  readonly address: string;
}

export type SenderKind = 'alphanumeric' | 'short_code' | 'international';

/** §5.2.8: 20 characters and a NUL. */
const MAX_ADDRESS = 20;
/** Leaves the sender to the SMSC. */
const NONE: Address = { ton: 0, npi: 0, address: '' };

/**
 * A sender as source address, with type and plan of its kind (§5.2.5, §5.2.6): anything with more than digits is
 * alphanumeric; few digits are a short code; others a number in E.164.
 * @returns null for one that SMPP cannot carry
 */
export function sourceAddress(sender: string | null, settings: AddressSettings): Address | null {
  if (sender === null || sender === '') return NONE;
  const digits = /^\+?([0-9]+)$/.exec(sender)?.[1];
  const kind = kindOf(sender, digits, settings.shortCodeDigits);
  const address = digits ?? sender;
  if (address.length > MAX_ADDRESS || !/^[\x20-\x7e]+$/.test(address)) return null;
  return withForm(address, settings.source[kind]);
}

function kindOf(sender: string, digits: string | undefined, shortCodeDigits: number): SenderKind {
  if (digits === undefined) return 'alphanumeric';
  return digits.length <= shortCodeDigits && !sender.startsWith('+') ? 'short_code' : 'international';
}

/** A recipient, E.164 digits, as destination address. */
export function destinationAddress(recipient: string, { destination }: AddressSettings): Address {
  return withForm(recipient, destination);
}

function withForm(address: string, { ton, npi, plus }: AddressForm): Address {
  return { ton, npi, address: plus ? `+${address}` : address };
}
