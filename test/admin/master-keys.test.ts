import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '#config.js';
import { openMemoryStore } from '#store/memory/store.js';
import { masterKey } from '#verify/keyring.js';
import { VirtualEnvironment } from '../support/virtual-time.js';
import { configOf, newDirectory, openWorld, removeDirectories, type World } from './context.js';

afterAll(removeDirectories);

let world: World;
let config: Config;
let file: string;
beforeEach(async () => {
  config = configOf(newDirectory());
  file = join(config.dataDir, 'master.key');
  const environment = new VirtualEnvironment();
  world = await openWorld(openMemoryStore({ environment }), environment, config);
});

/** Another start on the same database, with these changes to the configuration. */
const restart = (changes: Partial<Config> = {}) =>
  openWorld(world.store, world.environment, { ...config, ...changes });

const keyLines = () =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('the first start', () => {
  test('makes a random key in a file of mode 0600, and nothing else', () => {
    expect(readdirSync(config.dataDir)).toEqual(['master.key']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(keyLines()).toHaveLength(1);
    expect(Buffer.from(keyLines()[0]!, 'base64')).toHaveLength(32);
  });

  test('makes the data directory, mode 0700, if that is absent', async () => {
    const environment = new VirtualEnvironment();
    const dataDir = join(newDirectory(), 'a', 'data');
    await openWorld(openMemoryStore({ environment }), environment, configOf(dataDir));
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  test('makes the first of the given keys active, and no file', async () => {
    const environment = new VirtualEnvironment();
    const masterKeys = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];
    const given = configOf(newDirectory(), { masterKeys });
    const { store } = await openWorld(openMemoryStore({ environment }), environment, given);
    const states = (await store.read.keys()).map(({ id, state }) => [id, state]);
    expect(new Map(states as [string, string][])).toEqual(
      new Map([
        [masterKey(masterKeys[0]!).id as string, 'active'],
        [masterKey(masterKeys[1]!).id as string, 'standby'],
      ]),
    );
    expect(existsSync(join(given.dataDir, 'master.key'))).toBe(false);
  });

  test('takes up the key of a start that died before its first commit', async () => {
    const environment = new VirtualEnvironment({ seed: 7 });
    const other = await openWorld(openMemoryStore({ environment }), environment, config);
    expect(other.holder.current.active).toBe(world.holder.current.active);
    expect(keyLines()).toHaveLength(1);
  });
});

describe('a later start', () => {
  test('uses the same key', async () => {
    const again = await restart();
    expect(again.holder.current.active).toBe(world.holder.current.active);
  });

  test('refuses when the key file is gone, and makes no new one', async () => {
    const { active } = world.holder.current;
    writeFileSync(file, '# nothing\n');
    await expect(restart()).rejects.toThrow(`needs master key ${active} (active)`);
    await expect(restart()).rejects.toThrow(`put that key back into ${file}`);
    expect(keyLines()).toEqual([]);
  });

  test('refuses another key in the place of the right one', async () => {
    const wrong = new Uint8Array(randomBytes(32));
    await expect(restart({ masterKeys: [wrong] })).rejects.toThrow(
      /needs master key .* add that key to COUNTERSIGN_MASTER_KEY/,
    );
    // The wrong key was not made known either.
    expect(await world.store.read.keys()).toHaveLength(1);
  });

  test('refuses a key of the right id that is not the same', async () => {
    const row = (await world.store.read.keys())[0]!;
    world.store.database.put('key', { ...row, check: new Uint8Array(16) });
    await expect(restart()).rejects.toThrow('needs master key');
  });

  test('makes a key known that was added to the environment', async () => {
    const held = new Uint8Array(Buffer.from(keyLines()[0]!, 'base64'));
    const added = new Uint8Array(randomBytes(32));
    const again = await restart({ masterKeys: [added, held] });
    const added_ = (await again.store.read.keys()).find(({ id }) => id === masterKey(added).id);
    expect(added_?.state).toBe('standby');
    expect(again.holder.current.active).toBe(world.holder.current.active);
  });

  test('does not need a retired key, and ignores one that is still there, with a hint', async () => {
    const retired = await world.keys.add(world.store);
    await world.store.submit({ type: 'close-key', id: retired, as: 'retired', references: 0 });
    const again = await restart();
    expect(again.keys.hints).toEqual([expect.stringMatching(`${retired} is retired .* remove it from`)]);
    expect(again.holder.current.data.keys.map(({ id }) => id)).not.toContain(retired);
    writeFileSync(file, `${keyLines()[0]}\n`);
    expect((await restart()).keys.hints).toEqual([]);
  });

  test.each([0o640, 0o604, 0o666])('refuses a key file of mode %o and tells how to mend it', async (mode) => {
    chmodSync(file, mode);
    await expect(restart()).rejects.toThrow(`run chmod 600 '${file}'`);
    expect(statSync(file).mode & 0o777).toBe(mode);
  });

  test('names the line of the key file that holds no key, and does not show it', async () => {
    writeFileSync(file, `# comment\n\n${keyLines()[0]}\nsentinel-but-no-key\n`);
    await expect(restart()).rejects.toThrow(`${file}, line 4: expected 32 bytes as base64`);
    await expect(restart()).rejects.not.toThrow('sentinel');
  });
});

describe('adding a key', () => {
  test('keeps what the file said, comments included', async () => {
    const before = readFileSync(file, 'utf8');
    const id = await world.keys.add(world.store);
    const after = readFileSync(file, 'utf8');
    expect(after.startsWith(before)).toBe(true);
    expect(after).toContain(`# key ${id}, made 2026-01-31T`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await restart()).holder.current.data.keys).toHaveLength(2);
  });

  test('is left to the operator where the environment names the keys', async () => {
    const held = new Uint8Array(Buffer.from(keyLines()[0]!, 'base64'));
    const again = await restart({ masterKeys: [held] });
    await expect(again.keys.add(again.store)).rejects.toThrow('append a new one there after a comma');
  });
});

describe('another process', () => {
  test('adds and activates a key in the shared file: a refresh takes it up', async () => {
    const other = await restart();
    const id = await other.keys.add(other.store);
    await other.store.submit({ type: 'activate-key', id });
    await world.keys.refresh(world.store);
    expect(world.holder.current.active).toBe(id);
  });

  test('adds a key that this one does not hold: it works on and says so', async () => {
    const masterKeys = [new Uint8Array(Buffer.from(keyLines()[0]!, 'base64'))];
    const mine = await restart({ masterKeys });
    const row = { id: 'feedbeef' as never, check: new Uint8Array(16), createdAt: 0 };
    await world.store.submit({ type: 'add-key', key: row });
    await mine.keys.refresh(mine.store);
    expect(mine.keys.hints).toEqual([
      expect.stringContaining('feedbeef (standby) is not in COUNTERSIGN_MASTER_KEY'),
    ]);
    expect(mine.holder.current.active).toBe(world.holder.current.active);
  });
});
