import type { Environment } from '../../../environment.js';
import type { Call, Step } from './call.js';

/** Bytes of a token: nobody guesses 192 bits while a call lives. */
const TOKEN_BYTES = 24;

interface Entry {
  readonly call: Call;
  /** Null: the address at which the call's status is told. */
  readonly step: Step | null;
}

/** The calls that live, by the tokens in their addresses. Holds no code: a call makes its document when it is asked. */
export interface CallDesk {
  /** A token for one step of a call; good once, until the call is asked for another step, or is over. */
  issue(call: Call, step: Step | null): string;
  /** The call that a token stands for; null: none. */
  find(token: string): Entry | null;
  /** Takes back every address at which a document of the call would be answered. */
  spend(call: Call): void;
  /** Takes back every address of the call. */
  forget(call: Call): void;
  readonly size: number;
}

export function createCallDesk(environment: Environment): CallDesk {
  const entries = new Map<string, Entry>();
  const issued = new Map<Call, Set<string>>();

  function revoke(call: Call, which: (entry: Entry) => boolean): void {
    const tokens = issued.get(call);
    for (const token of tokens ?? []) {
      if (!which(entries.get(token)!)) continue;
      entries.delete(token);
      tokens?.delete(token);
    }
    if (tokens?.size === 0) issued.delete(call);
  }

  return {
    issue(call, step) {
      const token = Buffer.from(environment.randomBytes(TOKEN_BYTES)).toString('base64url');
      entries.set(token, { call, step });
      issued.set(call, (issued.get(call) ?? new Set()).add(token));
      return token;
    },
    find: (token) => entries.get(token) ?? null,
    spend: (call) => revoke(call, ({ step }) => step !== null),
    forget: (call) => revoke(call, () => true),
    get size() {
      return entries.size;
    },
  };
}
