import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { administrationOf } from '#admin/operations.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import type { Store } from '#store/store.js';
import { VirtualEnvironment } from '../support/virtual-time.js';
import { configOf, newDirectory, openWorld, removeDirectories, tokensOf, type World } from './context.js';

async function openAt(dataDir: string): Promise<World<Store>> {
  const environment = new VirtualEnvironment();
  const onFatal = (error: Error) => {
    throw error;
  };
  const store = await openSqliteStore({ directory: dataDir, environment, onFatal });
  return openWorld(store, environment, configOf(dataDir));
}

let world: World<Store>;
beforeEach(async () => {
  world = await openAt(newDirectory());
});
afterEach(() => world.store.close());
afterAll(removeDirectories);

test('a copy of a database in use, with its keys, has everything that was there', async () => {
  const admin = administrationOf(world);
  const { auth_id, auth_token } = await admin('account.create', { name: 'Acme' });
  const path = join(newDirectory(), 'copy.db');
  const result = await admin('backup', { path });
  expect(result).toEqual({
    path,
    bytes: statSync(path).size,
    keys: join(world.config.dataDir, 'master.key'),
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);

  const restored = join(newDirectory(), 'data');
  mkdirSync(restored);
  copyFileSync(path, join(restored, 'countersign.db'));
  copyFileSync(result.keys, join(restored, 'master.key'));
  const again = await openAt(restored);
  expect(await tokensOf(again, auth_id)).toEqual([auth_token]);
  await again.store.close();
});

test('a copy never replaces a file', async () => {
  const path = join(newDirectory(), 'precious');
  writeFileSync(path, 'precious');
  await expect(administrationOf(world)('backup', { path })).rejects.toThrow('exists already');
  expect(readFileSync(path, 'utf8')).toBe('precious');
});

test.each(['/absent/directory/copy.db', 'relative.db'])('a copy to %s is refused', async (path) => {
  await expect(administrationOf(world)('backup', { path })).rejects.toMatchObject({ kind: 'invalid' });
});
