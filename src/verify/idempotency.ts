import { timingSafeEqual } from 'node:crypto';
import type { ForgetRequests, IdempotentRequest } from './commands.js';
import type { Decision } from './decision.js';
import type { Keyring } from './keyring.js';
import type { IdempotencyRow, SessionId } from './model.js';
import type { Change, State } from './state.js';

/** How long the answer to a create is repeated, in milliseconds. */
export const IDEMPOTENCY_WINDOW = 24 * 3600 * 1000;

/** `same`: accepted before. `other`: the key belongs to another body. `none`: the key is free. */
export type RequestMatch =
  | { readonly kind: 'same'; readonly session: SessionId }
  | { readonly kind: 'other' }
  | { readonly kind: 'none' };

/**
 * Compares a request with what is remembered of its key, in constant time. A row under a master key that is not
 * held, as after its revocation, tells nothing and counts as forgotten.
 */
export function compareRequest(
  row: IdempotencyRow | undefined,
  digest: Uint8Array,
  keyring: Keyring,
  now: number,
): RequestMatch {
  if (!row || isOver(row, now) || !keyring.holds(row.keyId)) return { kind: 'none' };
  const same = timingSafeEqual(row.fingerprint, keyring.requestMac(row.keyId, digest));
  return same ? { kind: 'same', session: row.session } : { kind: 'other' };
}

/** What is kept of a request that was accepted. */
export function remembered(
  request: IdempotentRequest,
  session: SessionId,
  keyring: Keyring,
  now: number,
): IdempotencyRow {
  const keyId = keyring.active;
  const fingerprint = new Uint8Array(keyring.requestMac(keyId, request.digest));
  return { key: request.key, fingerprint, keyId, session, createdAt: now };
}

/** Removes keys whose time has passed; one that was used again meanwhile stays. */
export function forgetRequests(state: State, command: ForgetRequests): Decision<ForgetRequests> {
  const changes = command.keys.flatMap((key): Change[] => {
    const row = state.idempotency(key);
    return row && isOver(row, command.now) ? [{ table: 'idempotency', remove: { key } }] : [];
  });
  return { outcome: { kind: 'done' }, changes, effects: [] };
}

function isOver(row: IdempotencyRow, now: number): boolean {
  return row.createdAt <= now - IDEMPOTENCY_WINDOW;
}
