import type { CallbackMethod } from '../verify/model.js';
import { type Signable, type Signers, signatureHeaders } from './signature.js';

/** A callback as it goes over the wire. */
export interface CallbackRequest {
  readonly method: CallbackMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a GET. */
  readonly body: string | null;
}

/** The signed HTTP request of a callback (contract §6). */
export function callbackRequest(callback: Signable, nonce: string, signers: Signers): CallbackRequest {
  const { method, url, body } = callback;
  const headers = { 'User-Agent': 'Countersign', ...signatureHeaders(callback, nonce, signers) };
  if (method === 'GET') return { method, url: withParameters(url, body), headers, body: null };
  return { method, url, headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }, body };
}

/**
 * Appends the parameters to those that the URL has. Not every SDK decodes a query before it checks the
 * signature, and some that do leave `+` as it is: colons stay plain, and a space is `%20`.
 */
function withParameters(url: string, parameters: string): string {
  const query = parameters.replaceAll('%3A', ':').replaceAll('+', '%20');
  const separator = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&';
  return `${url}${separator}${query}`;
}
