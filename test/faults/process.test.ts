import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'libsql';
import { afterAll, describe, expect, test } from 'vitest';
import { cleanUp, newDirectory, run } from '../cli/command-line.js';
import { depthOf, startServerProcess, until } from '../support/server-process.js';
import { carrierOf, startGateway, take } from './gateway.js';

afterAll(cleanUp);

test('a server told to stop under load finishes what is in flight, ends with code 0 and forgets nothing', async () => {
  const answered = new Set<string>();
  let isSlow = true;
  const gateway = await startGateway(async (message, response) => {
    if (isSlow) await wait(100);
    response.on('finish', () => answered.add(message.hop_id));
    take(message, response);
  });
  const server = await startServerProcess({
    // So long that a drain which waits for anything but what is in flight is seen.
    config: `drain_seconds: 3600\ncarriers:\n${carrierOf('gateway', gateway.url)}`,
  });
  const accepted: string[] = [];
  const surprises: string[] = [];
  let next = 0;
  let refused = 0;
  const customer = async () => {
    while (true) {
      const recipient = `1415555${String(next++).padStart(4, '0')}`;
      let reply: Awaited<ReturnType<typeof server.create>>;
      try {
        reply = await server.create({ recipient });
      } catch {
        // Nobody listens any more.
        return;
      }
      if (reply.status === 202) accepted.push(reply.body.session_uuid);
      else if (reply.status === 503 && Number(reply.headers['retry-after']) >= 1) refused++;
      else surprises.push(`${reply.status} ${reply.text}`);
      if (refused > 1000) return;
    }
  };
  const customers = Array.from({ length: 16 }, customer);
  await until('the gateway is busy', () => gateway.messages.length > 200);
  const ended = await server.end('SIGTERM');
  await Promise.all(customers);

  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toContain('"msg":"stopped"');
  expect(surprises).toEqual([]);
  const inFlight = new Set(gateway.messages.map((message) => message.hop_id));
  expect([...inFlight].filter((hop) => !answered.has(hop))).toEqual([]);

  isSlow = false;
  await server.start();
  await until('the rest is sent', async () => (await server.metric(depthOf('deliveries'))) === 0);
  for (const session of accepted) {
    const { status, body } = await server.retrieve(session);
    expect([session, status, body.attempt_details[0]?.status]).toEqual([session, 200, 'sent']);
  }
  // What the gateway took before the stop was recorded, so that nothing was sent a second time.
  expect([...inFlight].filter((hop) => gateway.timesSent(hop) !== 1)).toEqual([]);
  expect(gateway.messages.length).toBeGreaterThanOrEqual(accepted.length);
});

describe('a start that cannot be', () => {
  test('without the master key that the database needs ends with one line, and makes no new key', async () => {
    const dataDir = newDirectory();
    expect((await run(['account', 'create'], dataDir)).code).toBe(0);
    const path = join(dataDir, 'master.key');
    const key = readFileSync(path);
    rmSync(path);
    const { code, stderr } = await run(['serve'], dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^countersign: the database needs master key [0-9a-f]{8} .*\n$/);
    expect(() => readFileSync(path)).toThrow('ENOENT');

    // Given back, all is well.
    writeFileSync(path, key, { mode: 0o600 });
    expect((await run(['account', 'list'], dataDir)).code).toBe(0);
  });

  test.each([
    ['carriers: {gateway: {type: webhok}}', /^countersign: carriers\.gateway\.type: .*webhook/],
    ['limits: {lists_per_minute: many}', /^countersign: limits\.lists_per_minute: expected/],
    ['drain: 10', /^countersign: drain: .*drain_seconds/],
    ['routes: [{prefix: "1", carriers: [absent]}]', /^countersign: routes(\[0\]|\.0)\.carriers/],
    ['carriers: [', /^countersign: .*countersign\.yaml/],
  ])('with %j in countersign.yaml ends with code 2 and one line naming the key', async (yaml, expected) => {
    const path = join(newDirectory(), 'countersign.yaml');
    writeFileSync(path, yaml);
    const { code, stdout, stderr } = await run(['serve'], newDirectory(), { COUNTERSIGN_CONFIG: path });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test('with the address of its metrics in use ends with one line naming the variable', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const address = `127.0.0.1:${port}`;
    const { code, stderr } = await run(['serve'], newDirectory(), { COUNTERSIGN_METRICS_ADDRESS: address });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^countersign: COUNTERSIGN_METRICS_ADDRESS: ${address} is in use .*\n$`),
    );
    other.close();
  });

  test('on a file that is no database ends with one line', async () => {
    const dataDir = newDirectory();
    writeFileSync(join(dataDir, 'countersign.db'), 'this is no database, '.repeat(1000));
    const { code, stderr } = await run(['serve'], dataDir);
    expect(code).toBe(1);
    expect(stderr).toBe(`countersign: the database in ${dataDir} cannot be opened: file is not a database\n`);
  });

  test('on a database of a later version ends with one line that says to install it again', async () => {
    const dataDir = newDirectory();
    expect((await run(['account', 'create'], dataDir)).code).toBe(0);
    const database = new Database(join(dataDir, 'countersign.db'));
    database.exec('pragma user_version = 9999');
    database.close();
    const { code, stderr } = await run(['serve'], dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^countersign: the database in .* made by a newer version .*: install .*\n$/);
  });

  test('with a data directory that cannot be made ends with one line that names it', async () => {
    const file = join(newDirectory(), 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await run(['serve'], join(file, 'data'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(join(file, 'data'));
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
