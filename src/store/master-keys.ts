import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../environment.js';
import {
  type KeyringData,
  keyCheck,
  MASTER_KEY_BYTES,
  type MasterKey,
  masterKey,
} from '../verify/keyring.js';
import type { KeyId, MasterKeyRow } from '../verify/model.js';
import type { KeyringHolder } from './keys.js';
import { modeForOthers, writePrivateFile } from './private-file.js';
import type { Store } from './store.js';

/** The master keys that this process holds are not those that its database needs. The message says what to do. */
export class MasterKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyError';
  }
}

export interface MasterKeysOptions {
  readonly config: {
    readonly dataDir: string;
    /** The keys of `COUNTERSIGN_MASTER_KEY`; null: those of the file `master.key` in the data directory. */
    readonly masterKeys: readonly Uint8Array[] | null;
  };
  readonly environment: Environment;
  readonly holder: KeyringHolder;
}

const FILE_NAME = 'master.key';
const VARIABLE = 'COUNTERSIGN_MASTER_KEY';

const FILE_HEADER = `# Master keys of Countersign, one a line, base64. Whoever has them and a copy of the database can read
# what is sealed in it, so keep them apart. Lines that begin with # are ignored.
`;

/**
 * The master keys that this process holds, and which of them the database calls active. A key comes from
 * `COUNTERSIGN_MASTER_KEY` or from `master.key` (0600) in the data directory; a new database without either gets
 * a random one. The database holds a check value of each key, so that a wrong key is found before it is used.
 */
export class MasterKeys {
  readonly #options: MasterKeysOptions;
  readonly #file: string;
  /** Whether the environment names the keys, so that the file is none of our business. */
  readonly #given: boolean;
  #held: readonly MasterKey[];
  #hints: readonly string[] = [];

  /** @throws MasterKeyError when the key file is not private or holds something else */
  constructor(options: MasterKeysOptions) {
    this.#options = options;
    this.#file = join(options.config.dataDir, FILE_NAME);
    this.#given = options.config.masterKeys !== null;
    this.#held = options.config.masterKeys?.map(masterKey) ?? this.#readFile();
  }

  /** Where the keys come from, for messages. */
  get source(): string {
    return this.#given ? VARIABLE : this.#file;
  }

  /** What an operator should know of the keys since the last `reconcile` or `refresh`; one line each. */
  get hints(): readonly string[] {
    return this.#hints;
  }

  holds(id: KeyId): boolean {
    return this.#held.some((key) => key.id === id);
  }

  /**
   * Compares the keys with those that the database knows, makes new ones known to it, and puts them to use in
   * this process and in the store. Called at the start, before anything else uses the store.
   * @throws MasterKeyError when a key that the database needs is missing or is another one
   */
  async reconcile(store: Store): Promise<void> {
    const rows = await store.read.keys();
    if (this.#held.length === 0 && rows.length === 0) this.#generate();
    this.#demandAll(rows);
    for (const key of this.#held) await this.#register(store, key, rows);
    await this.refresh(store);
  }

  /**
   * Reads anew which key is active: a key was added, activated or closed, maybe by another process. A key that
   * is needed but not held here is told of in `hints`: only what needs it is refused, with 503.
   * @throws MasterKeyError when the active key is not held
   */
  async refresh(store: Store): Promise<void> {
    const rows = await store.read.keys();
    const used = rows.filter(({ state }) => state === 'active' || state === 'standby');
    if (!this.#given && used.some(({ id }) => !this.holds(id))) this.#held = this.#readFile();
    const active = used.find(({ state }) => state === 'active');
    if (!active)
      throw new MasterKeyError('the database names no active master key: restore it from a backup');
    if (!this.#matches(active)) throw this.#missing(active);
    const keys = this.#held.filter((key) => used.some((row) => row.id === key.id && this.#matches(row)));
    this.#hints = this.#hintsFor(rows, used);
    const data: KeyringData = { active: active.id, keys };
    this.#options.holder.use(data);
    await store.useKeyring(data);
  }

  /**
   * Makes a random key, writes it to the key file, and makes it known to the database as standby.
   * @throws MasterKeyError when the keys come from the environment, which this process cannot change
   */
  async add(store: Store): Promise<KeyId> {
    if (this.#given) {
      throw new MasterKeyError(
        `the master keys come from ${VARIABLE}: append a new one there after a comma (openssl rand -base64 32) and restart; the start makes it known`,
      );
    }
    const key = this.#generate();
    await this.#register(store, key, []);
    await this.refresh(store);
    return key.id;
  }

  /** The file first, then the database: a crash in between leaves a key that the next start makes known. */
  #generate(): MasterKey {
    const key = masterKey(this.#options.environment.randomBytes(MASTER_KEY_BYTES).slice());
    const before = this.#held.length > 0 ? readFileSync(this.#file, 'utf8').trimEnd() : FILE_HEADER.trimEnd();
    const made = new Date(this.#options.environment.now()).toISOString();
    const line = Buffer.from(key.bytes).toString('base64');
    writePrivateFile(this.#file, `${before}\n# key ${key.id}, made ${made}\n${line}\n`);
    this.#held = [...this.#held, key];
    return key;
  }

  async #register(store: Store, key: MasterKey, rows: readonly MasterKeyRow[]): Promise<void> {
    if (rows.some(({ id }) => id === key.id)) return;
    const row = { id: key.id, check: keyCheck(key), createdAt: this.#options.environment.now() };
    const outcome = await store.submit({ type: 'add-key', key: row });
    if (outcome.kind === 'conflict') throw new MasterKeyError(outcome.why);
  }

  #demandAll(rows: readonly MasterKeyRow[]): void {
    for (const row of rows) {
      const used = row.state === 'active' || row.state === 'standby';
      if (used && !this.#matches(row)) throw this.#missing(row);
    }
  }

  #matches(row: MasterKeyRow): boolean {
    const key = this.#held.find(({ id }) => id === row.id);
    if (!key) return false;
    const check = keyCheck(key);
    return row.check.length === check.length && timingSafeEqual(row.check, check);
  }

  #missing(row: MasterKeyRow): MasterKeyError {
    const held = this.#held.map(({ id }) => id).join(', ') || 'none';
    const mend = this.#given ? `add that key to ${VARIABLE}` : `put that key back into ${this.#file}`;
    return new MasterKeyError(
      `the database needs master key ${row.id} (${row.state}), but ${this.source} holds ${held}: ${mend}, or use the data directory that belongs to these keys`,
    );
  }

  #hintsFor(rows: readonly MasterKeyRow[], used: readonly MasterKeyRow[]): string[] {
    const missing = used.filter((row) => !this.#matches(row));
    const closed = rows.filter((row) => !used.includes(row) && this.holds(row.id));
    return [
      ...missing.map(({ id, state }) => `master key ${id} (${state}) is not in ${this.source}: add it`),
      ...closed.map(
        ({ id, state }) =>
          `master key ${id} is ${state} and no longer used: remove it from ${this.source} once no backup needs it`,
      ),
    ];
  }

  #readFile(): MasterKey[] {
    const others = modeForOthers(this.#file);
    if (others === null) return [];
    if (others !== 0) {
      throw new MasterKeyError(
        `${this.#file} can be used by others than its owner: run chmod 600 '${this.#file}'`,
      );
    }
    const keys = new Map<KeyId, MasterKey>();
    for (const [index, line] of readFileSync(this.#file, 'utf8').split('\n').entries()) {
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      const key = parseLine(text);
      if (!key) {
        throw new MasterKeyError(
          `${this.#file}, line ${index + 1}: expected ${MASTER_KEY_BYTES} bytes as base64`,
        );
      }
      keys.set(key.id, key);
    }
    return [...keys.values()];
  }
}

function parseLine(text: string): MasterKey | null {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return bytes.length === MASTER_KEY_BYTES ? masterKey(bytes) : null;
}
