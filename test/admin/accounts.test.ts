import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { AdminError } from '#admin/error.js';
import { type Administration, administrationOf } from '#admin/operations.js';
import { newWorld, removeDirectories, tokensOf, type World } from './context.js';

let world: World;
let admin: Administration;
beforeEach(async () => {
  world = await newWorld();
  admin = administrationOf(world);
});
afterAll(removeDirectories);

describe('account create', () => {
  test('gives credentials in the shape of the contract, and a default application', async () => {
    const made = await admin('account.create', { name: 'Acme' });
    expect(made.auth_id).toMatch(/^MA[A-Z0-9]{18}$/);
    expect(made.auth_token).toMatch(/^[A-Za-z0-9_-]{40}$/);
    expect(await tokensOf(world, made.auth_id)).toEqual([made.auth_token]);
    const application = await world.store.read.defaultApplication(made.auth_id as never);
    expect(application).toMatchObject({ account: made.auth_id, isDefault: true, codeLength: 6 });
  });

  test('uses every character of an auth id about as often', async () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 200; index++) {
      const { auth_id } = await admin('account.create', {});
      for (const character of auth_id.slice(2)) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    // 3,600 characters, 100 of each expected, standard deviation 10.
    expect(counts.size).toBe(36);
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
    expect(Math.max(...counts.values())).toBeLessThan(150);
  });

  test('refuses a name with control characters', async () => {
    await expect(admin('account.create', { name: 'a\u0000b' })).rejects.toThrow(/name: expected/);
  });
});

test('account list shows every account, oldest first, and never a token', async () => {
  const first = await admin('account.create', { name: 'first' });
  await world.environment.advance(1000);
  const second = await admin('account.create', { name: 'second' });
  await admin('account.set-enabled', { auth_id: second.auth_id, enabled: false });
  const list = await admin('account.list', {});
  expect(list).toEqual([
    {
      auth_id: first.auth_id,
      parent: null,
      name: 'first',
      enabled: true,
      countries: null,
      created_at: '2026-01-31T08:52:39.363000Z',
      old_token_until: null,
    },
    expect.objectContaining({ auth_id: second.auth_id, name: 'second', enabled: false }),
  ]);
  expect(JSON.stringify(list)).not.toContain(first.auth_token);
});

describe('account update', () => {
  test('restricts the countries, shows them, and takes the restriction away with an empty list', async () => {
    const { auth_id } = await admin('account.create', { name: 'Acme' });
    const changed = await admin('account.update', { auth_id, countries: ['US', 'DE', 'US'] });
    expect(changed).toMatchObject({ auth_id, name: 'Acme', enabled: true, countries: ['US', 'DE'] });
    expect(await admin('account.show', { auth_id })).toEqual(changed);
    expect((await world.directory.account(auth_id as never))?.account.countries).toEqual(['US', 'DE']);
    expect(await admin('account.update', { auth_id })).toMatchObject({ countries: ['US', 'DE'] });
    expect(await admin('account.update', { auth_id, countries: [] })).toMatchObject({ countries: null });
  });

  test('refuses what is no country, and an account that is not there', async () => {
    const { auth_id } = await admin('account.create', {});
    await expect(admin('account.update', { auth_id, countries: ['USA'] })).rejects.toThrow(
      'countries: expected a list of ISO 3166-1 alpha-2 country codes',
    );
    await expect(admin('account.update', { auth_id, countries: ['US', 'XX'] })).rejects.toThrow(
      'countries/1 is not',
    );
    const absent = { auth_id: `MA${'0'.repeat(18)}` };
    await expect(admin('account.update', { ...absent, countries: [] })).rejects.toMatchObject({
      kind: 'not-found',
    });
    await expect(admin('account.show', absent)).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('account disable and enable', () => {
  test('are seen by this process at once', async () => {
    const { auth_id } = await admin('account.create', {});
    for (const enabled of [false, true]) {
      await admin('account.set-enabled', { auth_id, enabled });
      expect((await world.directory.account(auth_id as never))?.account.enabled).toBe(enabled);
    }
  });

  test('name an account that is not there', async () => {
    const absent = admin('account.set-enabled', { auth_id: `MA${'0'.repeat(18)}`, enabled: false });
    await expect(absent).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('MA000'),
    });
  });
});

describe('account rotate-token', () => {
  test('ends the old token at once', async () => {
    const { auth_id, auth_token } = await admin('account.create', {});
    await tokensOf(world, auth_id);
    const rotated = await admin('account.rotate-token', { auth_id });
    expect(rotated.auth_token).not.toBe(auth_token);
    expect(rotated.old_token_until).toBeNull();
    expect(await tokensOf(world, auth_id)).toEqual([rotated.auth_token]);
  });

  test('keeps the old token for as long as it is told', async () => {
    const { auth_id, auth_token } = await admin('account.create', {});
    const rotated = await admin('account.rotate-token', { auth_id, keep_old: 3600 });
    expect(rotated.old_token_until).toBe('2026-01-31T09:52:39.363000Z');
    await world.environment.advance(3_599_000);
    expect(await tokensOf(world, auth_id)).toEqual([rotated.auth_token, auth_token]);
    await world.environment.advance(1_000);
    expect(await tokensOf(world, auth_id)).toEqual([rotated.auth_token]);
  });

  test('ends a token that an earlier rotation kept', async () => {
    const { auth_id } = await admin('account.create', {});
    const second = await admin('account.rotate-token', { auth_id, keep_old: 3600 });
    const third = await admin('account.rotate-token', { auth_id, keep_old: 3600 });
    expect(await tokensOf(world, auth_id)).toEqual([third.auth_token, second.auth_token]);
  });

  test('refuses to keep a token for longer than 30 days', async () => {
    const { auth_id } = await admin('account.create', {});
    const rotation = admin('account.rotate-token', { auth_id, keep_old: 31 * 86_400 });
    await expect(rotation).rejects.toThrow('keep_old: expected a time of at most 30 days');
  });
});

test('a database that is away is told apart from a defect', async () => {
  world.store.failure = 'away';
  const creation = admin('account.create', {});
  await expect(creation).rejects.toBeInstanceOf(AdminError);
  await expect(creation).rejects.toMatchObject({ kind: 'unavailable' });
});
