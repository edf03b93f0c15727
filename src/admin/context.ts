import type { Config } from '../config.js';
import type { Environment } from '../environment.js';
import type { Directory } from '../store/directory.js';
import type { KeyringHolder } from '../store/keys.js';
import type { MasterKeys } from '../store/master-keys.js';
import type { Store } from '../store/store.js';

/** What the operations of administration work on: an open database and the keys to it. */
export interface AdminContext {
  readonly store: Store;
  readonly keys: MasterKeys;
  readonly holder: KeyringHolder;
  readonly directory: Directory;
  readonly environment: Environment;
  readonly config: Config;
}
