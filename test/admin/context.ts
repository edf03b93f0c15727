import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdminContext } from '#admin/context.js';
import type { Config } from '#config.js';
import { loadConfig } from '#config.js';
import { Directory } from '#store/directory.js';
import { KeyringHolder } from '#store/keys.js';
import { MasterKeys } from '#store/master-keys.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import type { Store } from '#store/store.js';
import type { AccountId } from '#verify/model.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

export interface World<S extends Store = MemoryStore> extends AdminContext {
  readonly store: S;
  readonly environment: VirtualEnvironment;
}

/** A directory of the test's own; removed by `removeDirectories`. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-admin-'));
  directories.push(directory);
  return directory;
}

const directories: string[] = [];

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** The default configuration with another data directory, and what else a test needs. */
export function configOf(dataDir: string, changes: Partial<Config> = {}): Config {
  return { ...loadConfig({}, []), dataDir, ...changes };
}

/** What administration works on: a new store in memory, its keys in a directory of their own. */
export async function newWorld(changes: Partial<Config> = {}): Promise<World> {
  const environment = new VirtualEnvironment();
  const store = openMemoryStore({ environment });
  return openWorld(store, environment, configOf(newDirectory(), changes));
}

/** As a start does: reconciles the keys and joins the parts. */
export async function openWorld<S extends Store>(
  store: S,
  environment: VirtualEnvironment,
  config: Config,
): Promise<World<S>> {
  const holder = new KeyringHolder();
  const keys = new MasterKeys({ config, environment, holder });
  await keys.reconcile(store);
  const directory = new Directory(store.read, () => holder.current, environment);
  return { store, keys, holder, directory, environment, config };
}

/** The tokens that an account may use at the moment. */
export async function tokensOf(world: World<Store>, authId: string): Promise<readonly string[]> {
  const known = await world.directory.account(authId as AccountId);
  return known?.tokens ?? [];
}
