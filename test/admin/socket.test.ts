import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { administrationAt, NobodyListensError } from '#admin/client.js';
import type { Administration } from '#admin/operations.js';
import { type AdminServer, serveAdmin } from '#admin/socket.js';
import { settle } from '../support/virtual-time.js';
import { newDirectory, newWorld, removeDirectories, tokensOf, type World } from './context.js';

let world: World;
let path: string;
let server: AdminServer;
let admin: Administration;
beforeEach(async () => {
  world = await newWorld();
  path = join(world.config.dataDir, 'admin.sock');
  server = await serveAdmin(world, path);
  admin = administrationAt(path);
});
afterEach(() => server.close());
afterAll(removeDirectories);

test('only its owner may connect to the socket', () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('an operation is done by the server', async () => {
  const { auth_id, auth_token } = await admin('account.create', { name: 'Käthe' });
  expect(await tokensOf(world, auth_id)).toEqual([auth_token]);
  expect(await admin('account.list', {})).toEqual([expect.objectContaining({ auth_id, name: 'Käthe' })]);
  expect((await admin('status', {})).pid).toBe(process.pid);
});

test('a refusal arrives with its kind and its words', async () => {
  const absent = admin('account.rotate-token', { auth_id: `MA${'0'.repeat(18)}` });
  await expect(absent).rejects.toMatchObject({ name: 'AdminError', kind: 'not-found' });
  await expect(absent).rejects.toThrow('there is no account MA0000');
  await expect(admin('keys.retire', { id: 'nonsense' })).rejects.toMatchObject({ kind: 'invalid' });
  world.store.failure = 'away';
  await expect(admin('account.create', {})).rejects.toMatchObject({ kind: 'unavailable' });
});

test('operations of several clients are done one after another', async () => {
  const { auth_id } = await admin('account.create', {});
  const rotations = await Promise.all(
    Array.from({ length: 8 }, () => admin('account.rotate-token', { auth_id, keep_old: 60 })),
  );
  const tokens = await tokensOf(world, auth_id);
  const issued = rotations.map(({ auth_token }) => auth_token);
  expect(tokens).toHaveLength(2);
  expect(issued).toEqual(expect.arrayContaining([...tokens]));
});

describe('what is no operation', () => {
  const send = (method: string, target: string, body: string) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const outgoing = request({ socketPath: path, method, path: target, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  test.each([
    ['GET', '/status', '', 404],
    ['POST', '/nothing', '{}', 404],
    ['POST', '/constructor', '{}', 404],
    ['POST', '/status', '{', 400],
    ['POST', '/status', '"x"', 400],
    ['POST', '/status', '{"a": 1}', 400],
    ['POST', '/backup', '{}', 400],
    ['POST', '/status', JSON.stringify('x'.repeat(70_000)), 400],
  ])('%s %s is refused as JSON', async (method, target, body, status) => {
    const answer = await send(method, target, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.message).toEqual(expect.any(String));
  });
});

describe('the file of the socket', () => {
  test('goes when the server stops', async () => {
    await server.close();
    expect(existsSync(path)).toBe(false);
    await expect(admin('status', {})).rejects.toBeInstanceOf(NobodyListensError);
  });

  test('of a server that died is replaced', async () => {
    // Its name stays when a server is killed; here another takes the name over.
    const second = await serveAdmin(world, path);
    await server.close();
    expect((await admin('status', {})).pid).toBe(process.pid);
    await second.close();
    expect(existsSync(path)).toBe(false);
  });

  test('is not put in the place of a file of another kind', async () => {
    const other = join(newDirectory(), 'admin.sock');
    writeFileSync(other, 'precious');
    await expect(serveAdmin(world, other)).rejects.toThrow('is in the way');
  });

  test('may lie deeper than a socket address is long, below the working directory', async () => {
    const before = process.cwd();
    const deep = join(newDirectory(), 'd'.repeat(60), 'd'.repeat(60));
    mkdirSync(deep, { recursive: true });
    const far = join(deep, 'admin.sock');
    await expect(serveAdmin(world, far)).rejects.toThrow('choose a shorter COUNTERSIGN_DATA_DIR');
    process.chdir(deep);
    try {
      const near = await serveAdmin(world, far);
      expect((await administrationAt(far)('status', {})).accounts).toBe(0);
      await near.close();
    } finally {
      process.chdir(before);
    }
  });
});

test('stopping waits for the operation that runs, and not for a client that asks nothing', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const accounts = async () => {
    begin();
    await gate;
    return [];
  };
  const slow = { ...world, store: { read: { accounts } } as unknown as World['store'] };
  const other = join(newDirectory(), 'admin.sock');
  const slowServer = await serveAdmin(slow, other);
  const silent = connect(other);
  const hungUp = new Promise((resolve) => silent.on('error', resolve).once('close', resolve));
  const listed = administrationAt(other)('account.list', {});
  await begun;

  let closed = false;
  const closing = slowServer.close().then(() => (closed = true));
  await settle(50);
  expect(closed).toBe(false);
  release();
  expect(await listed).toEqual([]);
  await closing;
  await hungUp;
});
