import { createHmac } from 'node:crypto';
import type { Callback } from '../verify/model.js';

/** The auth tokens that a callback is signed with, current first: never empty, never logged. */
export interface Signers {
  /** Of the account that owns the session. */
  readonly own: readonly string[];
  /** Of its main account; the same where the session is the main account's. */
  readonly main: readonly string[];
}

/** What is signed: the URL as the customer gave it, and the parameters, form-encoded. */
export type Signable = Pick<Callback, 'method' | 'url' | 'body'>;

/**
 * The signature headers of a callback (contract §6). V3 carries a signature for every token that is valid, so
 * that a receiver may change to a new one at any moment of a rotation; V2 has room for the current one only.
 * @param nonce random and never used before; not secret
 */
export function signatureHeaders(callback: Signable, nonce: string, signers: Signers) {
  return {
    'X-Plivo-Signature-V2-Nonce': nonce,
    'X-Plivo-Signature-V2': signV2(callback.url, nonce, signers.own[0]!),
    'X-Plivo-Signature-Ma-V2': signV2(callback.url, nonce, signers.main[0]!),
    'X-Plivo-Signature-V3-Nonce': nonce,
    'X-Plivo-Signature-V3': signV3(callback, nonce, signers.own),
    'X-Plivo-Signature-Ma-V3': signV3(callback, nonce, signers.main),
  };
}

function signV2(url: string, nonce: string, token: string): string {
  return hmac(token, `${withoutQuery(new URL(url))}${nonce}`);
}

/** Every signature that some SDK expects, joined by commas: all of them take any one of a list. */
function signV3(callback: Signable, nonce: string, tokens: readonly string[]): string {
  const bases = hostForms(new URL(callback.url)).map((url) => baseV3(url, callback));
  return tokens.flatMap((token) => bases.map((base) => hmac(token, `${base}.${nonce}`))).join(',');
}

/** A URL that names a port is signed without it too: the Ruby, Java and .NET SDKs drop it before they check. */
function hostForms(url: URL): URL[] {
  if (url.port === '') return [url];
  const portless = new URL(url);
  portless.port = '';
  return [url, portless];
}

function baseV3(url: URL, { method, body }: Signable): string {
  const ofUrl = [...url.searchParams];
  const ours = [...new URLSearchParams(body)];
  if (method === 'GET') return `${withoutQuery(url)}?${joined([...ofUrl, ...ours], '=', '&')}`;
  const query = ofUrl.length > 0 ? `${joined(ofUrl, '=', '&')}.` : '';
  return `${withoutQuery(url)}?${query}${joined(ours, '', '')}`;
}

function withoutQuery(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function joined(parameters: readonly [string, string][], assign: string, separator: string): string {
  return [...parameters]
    .sort(([name, value], [otherName, otherValue]) => byBytes(name, otherName) || byBytes(value, otherValue))
    .map(([name, value]) => `${name}${assign}${value}`)
    .join(separator);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function hmac(token: string, text: string): string {
  return createHmac('sha256', token).update(text).digest('base64');
}
