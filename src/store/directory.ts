import type { Environment } from '../environment.js';
import type { Keyring } from '../verify/keyring.js';
import { tokenPlace } from '../verify/keyring.js';
import type { Account, AccountId, Application, ApplicationId } from '../verify/model.js';
import type { Reader } from './store.js';

/** An account with its auth tokens opened, current first. Never logged, never serialised. */
export interface KnownAccount {
  readonly account: Account;
  readonly tokens: readonly string[];
}

/** How long a change made by another process may go unseen, in milliseconds. */
const FRESH_FOR = 500;
const MAX_ENTRIES = 10_000;

interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly until: number;
}

/**
 * Accounts and applications as the hot paths see them: read once, shared by concurrent callers, forgotten after
 * half a second, so that every process sees a change within a second. Bounded.
 */
export class Directory {
  readonly #read: Reader;
  readonly #keyring: () => Keyring;
  readonly #environment: Environment;
  readonly #entries = new Map<string, Entry<unknown>>();

  constructor(read: Reader, keyring: () => Keyring, environment: Environment) {
    this.#read = read;
    this.#keyring = keyring;
    this.#environment = environment;
  }

  /** The account with its tokens, or null when there is none of this id. */
  account(authId: AccountId): Promise<KnownAccount | null> {
    return this.#cached(`account ${authId}`, async () => {
      const account = await this.#read.account(authId);
      return account && { account, tokens: this.#openTokens(account) };
    });
  }

  application(uuid: ApplicationId): Promise<Application | null> {
    return this.#cached(`application ${uuid}`, () => this.#read.application(uuid));
  }

  defaultApplication(account: AccountId): Promise<Application | null> {
    return this.#cached(`default ${account}`, () => this.#read.defaultApplication(account));
  }

  /** Forgets everything: this process changed an account or an application. */
  clear(): void {
    this.#entries.clear();
  }

  #openTokens(account: Account): string[] {
    const sealed = [account.token];
    const { previousToken, previousTokenUntil } = account;
    if (previousToken && previousTokenUntil !== null && previousTokenUntil > this.#environment.now()) {
      sealed.push(previousToken);
    }
    return sealed.map((each) => this.#keyring().open(tokenPlace(account.authId), each));
  }

  #cached<Value>(key: string, load: () => Promise<Value>): Promise<Value> {
    const now = this.#environment.monotonic();
    const known = this.#entries.get(key) as Entry<Value> | undefined;
    if (known && known.until > now) return known.value;
    this.#entries.delete(key);
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    const value = load();
    // A failed read is not kept: the next caller asks again.
    value.catch(() => this.#entries.delete(key));
    this.#entries.set(key, { value, until: now + FRESH_FOR });
    return value;
  }
}
