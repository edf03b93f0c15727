import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** How far the time of a signature may be from ours, in milliseconds: what is older may be a replay. */
export const REPLAY_WINDOW = 5 * 60_000;

const MAX_HEADER = 4_096;

/** One header, if it is there once and not longer than any that is meant. */
export function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value.length <= MAX_HEADER ? value : null;
}

/** Compares in a time that tells nothing of either. */
export function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function hmac(
  algorithm: 'sha1' | 'sha256' | 'sha512',
  secret: string,
  encoding: 'base64' | 'hex',
  ...parts: readonly (string | Buffer)[]
): string {
  const sum = createHmac(algorithm, secret);
  for (const part of parts) sum.update(part);
  return sum.digest(encoding);
}

/** Whether a time in seconds since 1970, as a header holds it, is within the replay window. */
export function isRecent(seconds: string | number | null, now: number): boolean {
  if (seconds === null || !/^[0-9]{1,12}$/.test(String(seconds))) return false;
  return Math.abs(now - Number(seconds) * 1000) <= REPLAY_WINDOW;
}

/**
 * The claims of a JWT that is signed with HS256 (RFC 7519, RFC 7515 §3.1) under `secret`; null for anything else. Which
 * algorithm it is is ours to say, not the token's.
 */
export function readToken(token: string, secret: string): Readonly<Record<string, unknown>> | null {
  const [head, payload, signature, ...rest] = token.split('.');
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
  const expected = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url');
  if (!isSame(signature, expected)) return null;
  const { alg } = decoded(head) ?? {};
  return alg === 'HS256' ? decoded(payload) : null;
}

function decoded(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * A URL as the provider signed it may name the scheme's own port or leave it out: both forms. A port of another
 * number stays.
 */
export function portForms(url: string): readonly string[] {
  const [, scheme, host, port, rest] =
    /^(https?):\/\/([^/:?#]+|\[[^\]]*\])(?::([0-9]+))?(.*)$/s.exec(url) ?? [];
  if (scheme === undefined) return [url];
  const standard = scheme === 'https' ? '443' : '80';
  if (port !== undefined && port !== standard) return [url];
  return [`${scheme}://${host}${rest}`, `${scheme}://${host}:${standard}${rest}`];
}
