import { afterAll, expect, test } from 'vitest';
import { bootstrap } from '#admin/bootstrap.js';
import { administrationOf } from '#admin/operations.js';
import { newWorld, removeDirectories, tokensOf } from './context.js';

afterAll(removeDirectories);

const given = { authId: 'MA0123456789ABCDEFGH', authToken: 'sentinel-token-0123456789-abcdefghijklmn' };

test('an empty database gets one main account with random credentials, once', async () => {
  const world = await newWorld();
  const first = await bootstrap(world);
  expect(first).toMatchObject({ created: true, note: null });
  expect(await tokensOf(world, first.authId)).toEqual([first.token]);
  expect(await bootstrap(world)).toEqual({ created: false, authId: first.authId, token: null, note: null });
  expect(await world.store.read.accounts()).toHaveLength(1);
});

test('the account of the environment is made, and its token told to nobody', async () => {
  const world = await newWorld({ bootstrap: given });
  expect(await bootstrap(world)).toEqual({ created: true, authId: given.authId, token: null, note: null });
  expect(await tokensOf(world, given.authId)).toEqual([given.authToken]);
  expect(await bootstrap(world)).toEqual({ created: false, authId: given.authId, token: null, note: null });
});

test('the account of the environment is made beside those that are there', async () => {
  const world = await newWorld({ bootstrap: given });
  await administrationOf(world)('account.create', {});
  expect(await bootstrap(world)).toMatchObject({ created: true, authId: given.authId });
  expect(await world.store.read.accounts()).toHaveLength(2);
});

test('a token that was rotated since stays, and the start says so without showing either', async () => {
  const world = await newWorld({ bootstrap: given });
  await bootstrap(world);
  const rotated = await administrationOf(world)('account.rotate-token', { auth_id: given.authId });
  const result = await bootstrap(world);
  expect(result).toMatchObject({ created: false, token: null });
  expect(result.note).toContain('another token than COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN');
  expect(result.note).not.toContain('sentinel');
  expect(result.note).not.toContain(rotated.auth_token);
  expect(await tokensOf(world, given.authId)).toEqual([rotated.auth_token]);
});
