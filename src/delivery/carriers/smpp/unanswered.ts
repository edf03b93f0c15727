import type { Environment } from '../../../environment.js';

/**
 * Submits that got no answer, for what may still be learnt of them: a late answer gives the message id, and a
 * receipt with an id that nobody knows is theirs if nothing else was sent to that recipient without an answer.
 */
export interface Unanswered {
  add(hopId: string, recipient: string): void;
  /** The message id is known after all: no receipt has to be guessed to be its. */
  answered(hopId: string, recipient: string, messageId: string): void;
  /** The hop of an id that a late answer gave. */
  hopOfMessage(messageId: string): string | null;
  /** The one hop to a recipient that has no answer; null also when there are several. */
  hopTo(recipient: string): string | null;
}

/** Milliseconds that one is remembered, and how many are. */
const KEPT_FOR = 3_600_000;
const MAX_KEPT = 2_000;

export function createUnanswered(environment: Pick<Environment, 'monotonic'>): Unanswered {
  const byRecipient = createBounded<Set<string>>(environment);
  const byMessage = createBounded<string>(environment);
  return {
    add(hopId, recipient) {
      byRecipient.set(recipient, (byRecipient.get(recipient) ?? new Set()).add(hopId));
    },
    answered(hopId, recipient, messageId) {
      byMessage.set(messageId, hopId);
      byRecipient.get(recipient)?.delete(hopId);
    },
    hopOfMessage: (messageId) => byMessage.get(messageId),
    hopTo(recipient) {
      const hops = byRecipient.get(recipient);
      const [only = null] = hops?.size === 1 ? hops : [];
      return only;
    },
  };
}

/** A map that forgets what is old, and the oldest where there are too many. */
function createBounded<Value>(environment: Pick<Environment, 'monotonic'>) {
  const entries = new Map<string, { readonly value: Value; readonly at: number }>();
  return {
    get(key: string): Value | null {
      const entry = entries.get(key);
      return entry && environment.monotonic() - entry.at < KEPT_FOR ? entry.value : null;
    },
    set(key: string, value: Value): void {
      entries.delete(key);
      entries.set(key, { value, at: environment.monotonic() });
      if (entries.size > MAX_KEPT) entries.delete(entries.keys().next().value!);
    },
  };
}
