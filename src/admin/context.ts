import type { Config } from '../config.js';
import type { Environment } from '../environment.js';
import type { Directory } from '../store/directory.js';
import type { KeyringHolder } from '../store/keys.js';
import type { MasterKeys } from '../store/master-keys.js';
import type { Store } from '../store/store.js';

/** What a running server lets administration see of its carriers, and try with them. */
export interface LiveCarriers {
  list(): readonly CarrierLine[];
  /** The id of the test that began; or why there is none. */
  test(message: {
    readonly carrier: string;
    readonly to: string;
    readonly text?: string;
    readonly sender?: string;
  }): { readonly id: string } | { readonly why: string };
  testState(id: string): TestLine | null;
}

/** A carrier as `countersign carriers` shows it. */
export interface CarrierLine {
  readonly name: string;
  readonly type: string;
  readonly channels: readonly string[];
  readonly state: string;
  readonly detail: string | null;
  readonly breaker: string;
  readonly in_flight: number;
  readonly window: number;
  readonly rate: number | null;
  readonly submits: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly last_error: { readonly time: string; readonly error_code: number; readonly reason: string } | null;
}

/** A test message as `countersign send-test` shows it. Times are milliseconds from its start. */
export interface TestLine {
  readonly id: string;
  readonly result: {
    readonly kind: string;
    readonly message_id: string | null;
    readonly error_code: number | null;
    readonly reason: string | null;
    readonly took: number;
  } | null;
  readonly receipts: readonly {
    readonly status: string;
    readonly error_code: number | null;
    readonly after: number;
  }[];
}

/** What the operations of administration work on: an open database and the keys to it. */
export interface AdminContext {
  readonly store: Store;
  readonly keys: MasterKeys;
  readonly holder: KeyringHolder;
  readonly directory: Directory;
  readonly environment: Environment;
  readonly config: Config;
  /** Of a running server only. */
  readonly carriers?: LiveCarriers;
}
