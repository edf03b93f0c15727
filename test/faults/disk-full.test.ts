import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, expect, test } from 'vitest';
import { depthOf, inParallel, type Reply, startServerProcess, until } from '../support/server-process.js';
import { carrierOf, startGateway, take } from './gateway.js';

const succeeds = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** A file system of its own that is small enough to fill; null where this user may not mount one. */
function mountSmallDisk(): string | null {
  const path = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
  const mounted = succeeds('mount', '-t', 'tmpfs', '-o', 'size=8m,mode=0700', 'tmpfs', path);
  if (mounted) return path;
  rmSync(path, { recursive: true });
  return null;
}

const disk = mountSmallDisk();

afterAll(() => {
  if (disk === null) return;
  // The server process that held files there has ended; a lazy unmount never fails for a late descriptor.
  expect(succeeds('umount', '-l', disk)).toBe(true);
  rmSync(disk, { recursive: true });
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const block of [64 * 1024, 512]) {
      const bytes = Buffer.alloc(block);
      try {
        while (writeSync(file, bytes) > 0);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Whose message the gateway answers only when the disk is full. */
const HELD = '14155550999';

const recipients = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

test.skipIf(disk === null)(
  'a full disk is answered with 503, leaves nothing half done, and all goes on when there is room (needs the right to mount a tmpfs)',
  async () => {
    let answerHeld = () => {};
    const gateway = await startGateway((message, response) => {
      if (message.recipient === HELD) answerHeld = () => take(message, response);
      else take(message, response);
    });
    const dataDir = join(disk!, 'data');
    const server = await startServerProcess({
      dataDir,
      config: `carriers:\n${carrierOf('gateway', gateway.url)}`,
    });
    const accepted = new Map<string, string>();
    const refused = new Map<string, Reply>();
    const surprises: Reply[] = [];
    const create = async (recipient: string) => {
      const reply = await server.create({ recipient });
      if (reply.status === 202) accepted.set(recipient, reply.body.session_uuid);
      else if (reply.status === 503) refused.set(recipient, reply);
      else surprises.push(reply);
    };

    await inParallel(recipients('1415555', 40), 8, create);
    expect([accepted.size, refused.size]).toEqual([40, 0]);
    await until('all are sent', async () => (await server.metric(depthOf('deliveries'))) === 0);
    const [session] = accepted.values();
    const { code } = gateway.messages.find((message) => message.session_uuid === session)!;

    await create(HELD);
    await until('one is with the gateway', () =>
      gateway.messages.some(({ recipient }) => recipient === HELD),
    );

    const ballast = join(disk!, 'ballast');
    fill(ballast);
    // The log has a little room left in what it holds already.
    for (const recipient of recipients('1212555', 3000)) {
      if (refused.size >= 60) break;
      await create(recipient);
    }
    await inParallel(recipients('1646555', 60), 16, create);
    expect(refused.size).toBeGreaterThanOrEqual(100);
    expect(surprises).toEqual([]);
    for (const { headers, body } of refused.values()) {
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(body.error).toMatch(/try again/);
    }
    expect((await server.validate(session!, code)).status).toBe(503);
    answerHeld();
    expect(await server.retrieve(session!)).toMatchObject({ status: 200, body: { status: 'in-progress' } });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(server.isAlive).toBe(true);

    rmSync(ballast);
    await until('a create is accepted again', async () => {
      const { status } = await server.create({ recipient: '16465559999' });
      return status === 202;
    });
    await inParallel(recipients('1213555', 40), 8, create);
    expect((await server.validate(session!, code)).status).toBe(200);
    await until('all are sent', async () => (await server.metric(depthOf('deliveries'))) === 0);

    for (const [recipient, uuid] of accepted) {
      const { status, body } = await server.retrieve(uuid);
      expect([recipient, status, body.count]).toEqual([recipient, 200, 1]);
      expect([recipient, body.attempt_details[0]!.status]).toEqual([recipient, 'sent']);
    }
    // What the gateway took while its answer could not be recorded was not sent again.
    const taken = gateway.messages.filter(({ recipient }) => recipient === HELD);
    expect(taken).toHaveLength(1);
    const sent = new Set(gateway.messages.map((message) => message.recipient));
    expect([...refused.keys()].filter((recipient) => sent.has(recipient))).toEqual([]);
    const some = [...refused.keys()].at(-1)!;
    const list = await server.call('GET', `/Verify/Session/?recipient=${some}`);
    expect([list.status, list.body.sessions]).toEqual([200, []]);

    expect((await server.end('SIGTERM')).code).toBe(0);
    const database = new Database(join(dataDir, 'countersign.db'), { readonly: true });
    expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    const count = database.prepare('select count(*) as sessions from session').get();
    expect(count).toMatchObject({ sessions: accepted.size + 1 });
    database.close();
  },
);
