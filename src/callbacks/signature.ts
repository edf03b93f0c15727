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
  const url = new URL(callback.url);
  const signedV2 = `${withoutQuery(url)}${nonce}`;
  const signedV3 = basesV3(url, callback).map((base) => `${base}.${nonce}`);
  // Every signature that some SDK expects, joined by commas: all of them take any one of a list.
  const signV3 = (tokens: readonly string[]) =>
    tokens.flatMap((token) => signedV3.map((text) => hmac(token, text))).join(',');
  return {
    'X-Plivo-Signature-V2-Nonce': nonce,
    'X-Plivo-Signature-V2': hmac(signers.own[0]!, signedV2),
    'X-Plivo-Signature-Ma-V2': hmac(signers.main[0]!, signedV2),
    'X-Plivo-Signature-V3-Nonce': nonce,
    'X-Plivo-Signature-V3': signV3(signers.own),
    'X-Plivo-Signature-Ma-V3': signV3(signers.main),
  };
}

/** The texts of V3, one for each form of the host; the parameters are sorted once for all of them. */
function basesV3(url: URL, callback: Signable): string[] {
  const parameters = parametersV3(url, callback);
  return hostForms(url).map((form) => `${withoutQuery(form)}?${parameters}`);
}

/** A URL that names a port is signed without it too: the Ruby, Java and .NET SDKs drop it before they check. */
function hostForms(url: URL): URL[] {
  if (url.port === '') return [url];
  const portless = new URL(url);
  portless.port = '';
  return [url, portless];
}

function parametersV3(url: URL, { method, body }: Signable): string {
  const ofUrl = [...url.searchParams];
  const ours = [...new URLSearchParams(body)];
  if (method === 'GET') return joined([...ofUrl, ...ours], '=', '&');
  const query = ofUrl.length > 0 ? `${joined(ofUrl, '=', '&')}.` : '';
  return `${query}${joined(ours, '', '')}`;
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
