import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Administration, administrationOf } from '#admin/operations.js';
import type { KeyId, SessionId } from '#verify/model.js';
import { start } from '../support/rows.js';
import { newWorld, removeDirectories, tokensOf, type World } from './context.js';

let world: World;
let admin: Administration;
let first: KeyId;
beforeEach(async () => {
  world = await newWorld();
  admin = administrationOf(world);
  first = world.holder.current.active;
});
afterAll(removeDirectories);

/** Starts sessions, some with a code of the caller's own. */
async function startSessions(authId: string, count: number, otp: string | null = null): Promise<SessionId[]> {
  const application = await world.store.read.defaultApplication(authId as never);
  const fixture = { application } as Parameters<typeof start>[0];
  const outcomes = Array.from({ length: count }, (_, index) =>
    world.store.submit(
      start(fixture, world.store, {
        otp,
        recipient: `1415${otp ?? '0000'}${1_000 + index}` as never,
      }),
    ),
  );
  return (await Promise.all(outcomes)).map((outcome) => (outcome as { session: SessionId }).session);
}

const statusOf = async (session: SessionId) => (await world.store.read.session(session))?.session.status;
const stateOf = async (id: string) => (await admin('keys.list', {})).keys.find((key) => key.id === id)?.state;

test('a rotation runs from add to retire, and nothing sealed or derived is lost', async () => {
  const { auth_id, auth_token } = await admin('account.create', {});
  const [derived] = await startSessions(auth_id, 1);
  const [chosen] = await startSessions(auth_id, 1, '4711');

  const { id } = await admin('keys.add', {});
  expect(await stateOf(id)).toBe('standby');
  expect(world.holder.current.active).toBe(first);

  await admin('keys.activate', { id });
  expect(world.holder.current.active).toBe(id);
  expect(await stateOf(first)).toBe('standby');
  expect(await tokensOf(world, auth_id)).toEqual([auth_token]);

  await expect(admin('keys.retire', { id: first })).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('reseal first'),
  });
  expect(await admin('keys.reseal', {})).toEqual({ accounts: 1, sessions: 1 });
  expect(await admin('keys.reseal', {})).toEqual({ accounts: 0, sessions: 0 });
  expect((await world.store.read.account(auth_id as never))?.token.keyId).toBe(id);
  expect((await world.store.read.session(chosen!))?.session.code.keyId).toBe(id);

  // The derived code still needs the key; when its session is over, nothing does.
  await expect(admin('keys.retire', { id: first })).rejects.toMatchObject({ kind: 'conflict' });
  const now = world.environment.now() + 600_000;
  await world.store.submit({ type: 'expire', now, owner: 1, session: derived!, force: false });
  await admin('keys.retire', { id: first });
  expect(await stateOf(first)).toBe('retired');
  expect(await tokensOf(world, auth_id)).toEqual([auth_token]);
  expect((await admin('keys.list', {})).hints).toEqual([expect.stringContaining(`${first} is retired`)]);
});

test('keys list tells states and references, never a key', async () => {
  await admin('account.create', {});
  await admin('keys.add', {});
  const { keys } = await admin('keys.list', {});
  expect(keys).toEqual([
    expect.objectContaining({ id: first, state: 'active', held: true, references: 1 }),
    expect.objectContaining({ state: 'standby', held: true, references: 0 }),
  ]);
  expect(Object.keys(keys[0]!).sort()).toEqual(['created_at', 'held', 'id', 'references', 'state']);
});

describe('keys activate', () => {
  test('refuses a key that is not there', async () => {
    await expect(admin('keys.activate', { id: '00000000' })).rejects.toMatchObject({ kind: 'not-found' });
    await expect(admin('keys.activate', { id: 'no key' })).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('refuses a key that this process does not hold, and keeps serving with the old one', async () => {
    const row = { id: 'feedbeef' as KeyId, check: new Uint8Array(16), createdAt: 0 };
    await world.store.submit({ type: 'add-key', key: row });
    await expect(admin('keys.activate', { id: 'feedbeef' })).rejects.toMatchObject({ kind: 'conflict' });
    expect(world.holder.current.active).toBe(first);
  });

  test('refuses a retired key', async () => {
    const { id } = await admin('keys.add', {});
    await admin('keys.retire', { id });
    await expect(admin('keys.activate', { id })).rejects.toThrow('is retired');
  });
});

describe('keys revoke', () => {
  test('refuses the active key', async () => {
    await expect(admin('keys.revoke', { id: first })).rejects.toThrow('activate another key first');
  });

  test('ends every live session of the key, in batches, and no other', async () => {
    const { auth_id } = await admin('account.create', {});
    const old = await startSessions(auth_id, 600);
    const { id } = await admin('keys.add', {});
    await admin('keys.activate', { id });
    const [fresh] = await startSessions(auth_id, 1, '4711');
    const result = await admin('keys.revoke', { id: first });
    expect(result).toEqual({ id: first, sessions: 600, accounts: [auth_id] });
    expect(new Set(await Promise.all(old.map(statusOf)))).toEqual(new Set(['expired']));
    expect(await statusOf(fresh!)).toBe('in-progress');
    expect(await stateOf(first)).toBe('revoked');
  });

  test('keeps the accounts working, sealed under the active key', async () => {
    const { auth_id, auth_token } = await admin('account.create', {});
    await admin('keys.activate', await admin('keys.add', {}).then(({ id }) => ({ id })));
    await admin('keys.revoke', { id: first });
    expect(await tokensOf(world, auth_id)).toEqual([auth_token]);
    expect(world.holder.current.data.keys.map(({ id }) => id)).not.toContain(first);
  });

  test('can revoke a key that was retired, but not retire one that was revoked', async () => {
    const { id } = await admin('keys.add', {});
    await admin('keys.retire', { id });
    await admin('keys.revoke', { id });
    expect(await stateOf(id)).toBe('revoked');
    await expect(admin('keys.retire', { id })).rejects.toThrow('revoked already');
  });
});
