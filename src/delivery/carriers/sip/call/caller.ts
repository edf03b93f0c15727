import type { Header } from '../message/message.js';
import { hostPort } from '../message/uri.js';
import { fields } from '../message/write.js';

export interface CallerOptions {
  /** Who may be shown, best first; what cannot be part of a SIP URI is passed over. */
  readonly candidates: readonly (string | null)[];
  /** Our number as the trunk knows it; null: not told. */
  readonly assertedIdentity: string | null;
  readonly plus: boolean;
  readonly domain: string;
}

export interface Caller {
  /** `From` without a tag. */
  readonly from: string;
  readonly user: string;
  readonly headers: readonly Header[];
}

const ANONYMOUS = 'anonymous';

/** Who calls: `From`, and where they apply `P-Asserted-Identity` (RFC 3325) and `Privacy` (RFC 3323). */
export function callerOf({ candidates, assertedIdentity, plus, domain }: CallerOptions): Caller {
  const host = hostPort(domain, null);
  const fits = (one: string | null): one is string => one !== null && /^\+?[A-Za-z0-9._-]{1,32}$/.test(one);
  const chosen = candidates.find(fits) ?? ANONYMOUS;
  const asserted = assertedIdentity === null ? null : `<sip:${formatNumber(assertedIdentity, plus)}@${host}>`;
  if (chosen.toLowerCase() === ANONYMOUS) {
    return {
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      user: ANONYMOUS,
      headers: fields({ 'p-asserted-identity': asserted, privacy: 'id' }),
    };
  }
  const user = formatNumber(chosen, plus);
  return { from: `<sip:${user}@${host}>`, user, headers: fields({ 'p-asserted-identity': asserted }) };
}

/** A number with `+` or without; short numbers and names stay as they are. */
export function formatNumber(number: string, plus: boolean): string {
  if (!/^\+?[0-9]{7,15}$/.test(number)) return number;
  const digits = number.replace(/^\+/, '');
  return plus ? `+${digits}` : digits;
}
