import { hash } from 'node:crypto';
import type { Store } from '../store/store.js';
import type { IdempotentRequest } from '../verify/commands.js';
import { compareRequest, type RequestMatch } from '../verify/idempotency.js';
import type { Keyring } from '../verify/keyring.js';
import type { AccountId } from '../verify/model.js';
import { badRequest } from './errors.js';
import type { Schema } from './reference/operation.js';

const KEY = /^[ -~]{1,255}$/;

/** The header as the reference describes it. */
export const IDEMPOTENCY_KEY: Schema = {
  type: 'string',
  pattern: KEY.source,
  description:
    'the same key and body within 24 hours repeat the first 202 and send nothing; the same key with another body is 409',
};

/**
 * What tells whether a request is a repeat; undefined without the header `Idempotency-Key`. The canonical form of a
 * body is its fields by name, without those that are null, which means unset (contract §8).
 * @param body whose fields are strings, numbers, booleans or null
 * @throws ApiError 400 for a key that is not 1 to 255 printable ASCII characters
 */
export function idempotentRequest(
  account: AccountId,
  header: string | readonly string[] | undefined,
  body: Readonly<Record<string, unknown>>,
): IdempotentRequest | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw badRequest('the Idempotency-Key header must be 1 to 255 printable ASCII characters');
  }
  const fields = Object.keys(body)
    .filter((name) => body[name] !== null && body[name] !== undefined)
    .sort()
    .map((name) => [name, body[name]]);
  return {
    key: hash('sha256', `${account}\n${header}`, 'base64url'),
    digest: hash('sha256', JSON.stringify(fields), 'buffer'),
  };
}

/** What is known of a request that cannot be accepted now, but may have been before. */
export async function recall(
  { read }: Pick<Store, 'read'>,
  { key, digest }: IdempotentRequest,
  keyring: Keyring,
  now: number,
): Promise<RequestMatch> {
  return compareRequest((await read.idempotency(key)) ?? undefined, digest, keyring, now);
}
