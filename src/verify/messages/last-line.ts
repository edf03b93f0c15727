import type { Check } from './check.js';

/**
 * Most bytes (UTF-8) of a message that the SMS Retriever API of Google Play services takes, its hash included
 * ("Perform SMS verification on a server", Google Identity documentation).
 */
export const MAX_RETRIEVER_BYTES = 140;

const MAX_DOMAIN_LENGTH = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What may stand on the last line of an SMS; '' where there is none. */
export interface LastLine {
  /** The 11 characters of the SMS Retriever. */
  readonly appHash: string;
  /** The host of the website that asks for the code. */
  readonly domain: string;
}

/**
 * What a phone's software reads on the last line: the SMS Retriever's hash, or `@domain #code` ("Origin-bound
 * one-time codes delivered via SMS", WICG), by which iOS and the WebOTP API fill a code in on that site alone.
 * Null when there is none. The formats leave no room for marks of direction.
 */
export function lastLine({ appHash, domain }: LastLine, code: string): string | null {
  if (appHash !== '') return appHash;
  return domain === '' ? null : `@${domain} #${code}`;
}

/**
 * The domain that an attempt keeps. A hash wins the last line: an application has only one of the two
 * (`checkLastLine`), so that the hash is what the caller asked for.
 */
export function domainOf({ appHash, domain }: LastLine): string {
  return appHash === '' ? domain : '';
}

/**
 * The rule for an application's settings: `app_hash` and `domain` both want the last line. Null when it is kept,
 * else a sentence that says what is wrong.
 */
export function checkLastLine({ appHash, domain }: LastLine): string | null {
  if (appHash === '' || domain === '') return null;
  return 'app_hash and domain exclude each other: each must be the last line of the SMS';
}

/**
 * Checks an application's `domain`: a host name of at least two labels (RFC 1123 §2.1), without scheme, port or
 * path, and no IP address. Stored in lower case, an internationalised name in its ASCII form. Null or empty means
 * none. `why` completes "domain …".
 */
export function checkDomain(text: string | null): Check {
  if (text === null || text === '') return { ok: true, value: '' };
  if (text.length > MAX_DOMAIN_LENGTH) return refuse(`is longer than ${MAX_DOMAIN_LENGTH} characters`);
  if (/[\s\p{Cc}/:?#@%\\[\]]/u.test(text)) return refuse('is not a bare host name such as example.com');
  const host = toAscii(text);
  if (host === null || host.length > MAX_DOMAIN_LENGTH) return refuse('is not a valid host name');
  const labels = host.split('.');
  if (!labels.every((label) => LABEL.test(label))) return refuse('is not a valid host name');
  if (/^[0-9]+$/.test(labels.at(-1)!)) return refuse('is an IP address, not a host name');
  if (labels.length < 2) return refuse('is not a full host name such as example.com');
  return { ok: true, value: host };
}

/** The host as browsers write it (UTS 46). */
function toAscii(host: string): string | null {
  try {
    return new URL(`https://${host}`).hostname;
  } catch {
    return null;
  }
}

function refuse(why: string): Check {
  return { ok: false, why };
}
