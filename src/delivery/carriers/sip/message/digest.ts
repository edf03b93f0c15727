import { createHash } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A server's demand for a digest (RFC 8760, RFC 7616). */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  /** As it was written; null means MD5. */
  readonly algorithm: string | null;
  readonly stale: boolean;
  /** What is offered, in lower case; empty: the digest of RFC 2069. */
  readonly qop: readonly string[];
}

/** Hashes by algorithm name in lower case, without `-sess`; the strongest first (RFC 8760 §2.4). */
const HASHES = [
  { name: 'sha-512-256', hash: 'sha512-256' },
  { name: 'sha-256', hash: 'sha256' },
  { name: 'md5', hash: 'md5' },
] as const;

const PARAMETER = /\s*([A-Za-z0-9_-]{1,64})\s*=\s*("(?:[^"\\]|\\.){0,2048}"|[^\s,"]{1,2048})\s*(?:,|$)/y;

/** A challenge that we can answer; null for another scheme, algorithm or protection, or what is malformed. */
export function parseChallenge(value: string): Challenge | null {
  if (value.length > 8192 || !/^digest\s/i.test(value)) return null;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = 6;
  for (let match = PARAMETER.exec(value); match && parameters.size < 32; match = PARAMETER.exec(value)) {
    const [, name, text] = match as unknown as [string, string, string];
    const bare = text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), bare);
    if (PARAMETER.lastIndex >= value.length) break;
  }
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (realm === undefined || !nonce) return null;
  const qop = (parameters.get('qop') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((one) => one !== '');
  const challenge: Challenge = {
    realm,
    nonce,
    opaque: parameters.get('opaque') ?? null,
    algorithm: parameters.get('algorithm') ?? null,
    stale: parameters.get('stale')?.toLowerCase() === 'true',
    qop,
  };
  const answerable = qop.length === 0 || qop.includes('auth') || qop.includes('auth-int');
  return answerable && strengthOf(challenge) >= 0 ? challenge : null;
}

/** The strongest challenge of each realm. */
export function chooseChallenges(values: readonly string[]): Challenge[] {
  const best = new Map<string, Challenge>();
  for (const value of values.slice(0, 16)) {
    const challenge = parseChallenge(value);
    if (!challenge) continue;
    const known = best.get(challenge.realm);
    if (!known || strengthOf(challenge) > strengthOf(known)) best.set(challenge.realm, challenge);
  }
  return [...best.values()];
}

/** The value of `Authorization` or `Proxy-Authorization`. `count`: how often the nonce has been used, this time included. */
export function answerChallenge(
  challenge: Challenge,
  { username, password }: Credentials,
  asked: { readonly method: string; readonly uri: string; readonly body: string },
  count: number,
  cnonce: string,
): string {
  const { realm, nonce, opaque, algorithm } = challenge;
  const name = (algorithm ?? 'MD5').toLowerCase();
  const { hash } = HASHES.find((each) => each.name === name.replace(/-sess$/, ''))!;
  const digest = (text: string) => createHash(hash).update(text).digest('hex');
  const qop = challenge.qop.includes('auth') ? 'auth' : challenge.qop.length > 0 ? 'auth-int' : null;
  const nc = count.toString(16).padStart(8, '0');

  const secret = digest(`${username}:${realm}:${password}`);
  const first = name.endsWith('-sess') ? digest(`${secret}:${nonce}:${cnonce}`) : secret;
  const second = digest(
    qop === 'auth-int'
      ? `${asked.method}:${asked.uri}:${digest(asked.body)}`
      : `${asked.method}:${asked.uri}`,
  );
  const response = digest(
    qop === null ? `${first}:${nonce}:${second}` : `${first}:${nonce}:${nc}:${cnonce}:${qop}:${second}`,
  );
  const parts = [
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(asked.uri)}`,
    `response="${response}"`,
    ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
    ...(qop === null ? [] : [`qop=${qop}`, `nc=${nc}`]),
    ...(qop === null && !name.endsWith('-sess') ? [] : [`cnonce="${cnonce}"`]),
  ];
  return `Digest ${parts.join(', ')}`;
}

/** Negative: an algorithm that we do not know. */
function strengthOf({ algorithm }: Challenge): number {
  const name = (algorithm ?? 'MD5').toLowerCase().replace(/-sess$/, '');
  const index = HASHES.findIndex((each) => each.name === name);
  return index < 0 ? -1 : HASHES.length - index;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
