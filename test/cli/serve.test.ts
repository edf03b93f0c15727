import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bash, canPaste, cleanUp, newDirectory, run, serve } from './command-line.js';

afterAll(cleanUp);

/** The lines of a banner that are meant to be pasted. */
const pasted = (output: string) =>
  output
    .split('\n')
    .filter((line) => /^ {2}(account=|user=|session=|sleep|code=|echo|curl)/.test(line))
    .join('\n');

/** Waits for what the lines sleep for, so that a slow machine has the time it needs. */
const PATIENT = `sleep() { until curl -sS -u "$user" "$account/Inbox/?limit=1" | grep -q '"otp"'; do command sleep 0.1; done; }
`;

describe('the first start', () => {
  test.skipIf(!canPaste)(
    'shows an account and lines that send, read and validate a code when pasted',
    async () => {
      const dataDir = join(newDirectory(), "it's data");
      const server = await serve(dataDir);
      const output = server.output();
      const tokenFile = join(dataDir, 'auth-token');
      const token = readFileSync(tokenFile, 'utf8').trim();

      expect(output).toMatch(/auth id {5}MA[A-Z0-9]{18}\n/);
      expect(output).toContain(tokenFile);
      expect(token).toMatch(/^[A-Za-z0-9_-]{40}$/);
      expect(output).not.toContain(token);
      expect(output).toContain('Nothing leaves this machine over sms or voice');
      expect(statSync(dataDir).mode & 0o777).toBe(0o700);
      for (const name of ['auth-token', 'master.key', 'admin.sock']) {
        expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);
      }

      const { stdout, stderr } = await bash(PATIENT + pasted(output));
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^The code is [0-9]{6}$/m);
      expect(stdout).toContain('session validated successfully.');

      server.kill('SIGTERM');
      const ended = await server.ended;
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(readdirSync(dataDir)).not.toContain('admin.sock');

      const second = await serve(dataDir);
      expect(second.output()).not.toContain('auth id');
      expect(second.output()).toContain('Nothing leaves this machine');
      second.kill('SIGINT');
      expect((await second.ended).code).toBe(0);
    },
  );

  test.skipIf(!canPaste)(
    'makes the account that the environment names, whose lines work with its variable',
    async () => {
      const env = {
        COUNTERSIGN_BOOTSTRAP_AUTH_ID: 'MA0123456789ABCDEFGH',
        COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: 'sentinel-token-0123456789-abcdefghijklmn',
      };
      const dataDir = newDirectory();
      const server = await serve(dataDir, env);
      expect(server.output()).toContain(env.COUNTERSIGN_BOOTSTRAP_AUTH_ID);
      expect(existsSync(join(dataDir, 'auth-token'))).toBe(false);
      const { stdout } = await bash(PATIENT + pasted(server.output()), env);
      expect(stdout).toContain('session validated successfully.');
      server.kill('SIGTERM');
      const { stdout: all } = await server.ended;
      expect(all).not.toContain('sentinel');
    },
  );
});

test('a start with a carrier for sms shows no lines that would send one', async () => {
  const directory = newDirectory();
  const path = join(directory, 'countersign.yaml');
  writeFileSync(
    path,
    'carriers: {gateway: {type: webhook, url: "http://127.0.0.1:9/", secret: "0123456789abcdef", channels: [sms]}}',
  );
  const server = await serve(join(directory, 'data'), { COUNTERSIGN_CONFIG: path });
  expect(server.output()).toContain('Nothing leaves this machine over voice');
  expect(pasted(server.output())).toBe('');
  server.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

test('a second copy on the same data directory refuses to start in one clear line', async () => {
  const dataDir = newDirectory();
  const server = await serve(dataDir);
  const { code, stderr } = await run(['serve'], dataDir);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^countersign: the data directory .* is in use by another .*\n$/);
  expect((await run(['account', 'list'], dataDir)).code).toBe(0);
  server.kill('SIGTERM');
  await server.ended;
});

test.each([
  [{ COUNTERSIGN_PORT: 'eighty' }, /^countersign: COUNTERSIGN_PORT: expected a port/],
  [{ COUNTERSIGN_PROT: '80' }, /^countersign: COUNTERSIGN_PROT: unknown variable; .*COUNTERSIGN_PORT/],
  [{ COUNTERSIGN_CONFIG: '/absent.yaml' }, /^countersign: COUNTERSIGN_CONFIG: cannot read .*absent\.yaml/],
])('a bad configuration, %j, ends the start with one line and code 2', async (env, expected) => {
  const dataDir = join(newDirectory(), 'data');
  const { code, stdout, stderr } = await run(['serve'], dataDir, env);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(expected);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(existsSync(dataDir)).toBe(false);
});

test('a port that is taken ends the start with one line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { code, stderr } = await run(['serve'], newDirectory(), { COUNTERSIGN_PORT: String(port) });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `countersign: 127.0.0.1:${port} is in use by another program: stop it or choose another port\n`,
  });
  other.close();
});

test('a wrong master key ends the start with one line that says which key is missing', async () => {
  const dataDir = newDirectory();
  expect((await run(['account', 'create'], dataDir)).code).toBe(0);
  writeFileSync(join(dataDir, 'master.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const { code, stderr } = await run(['serve'], dataDir);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^countersign: the database needs master key [0-9a-f]{8} \(active\), .*\n$/);
});

test('a second signal ends a server at once that still drains', async () => {
  const server = await serve(newDirectory());
  // A request whose body never ends keeps the drain waiting.
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const body = 'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
  socket.on('error', () => {}).resume();
  socket.write(`POST /v1/Account/MA0123456789ABCDEFGH/Verify/Session/ HTTP/1.1\r\nHost: a\r\n${body}`);
  await fetch(`${server.url}/healthz`);
  server.kill('SIGTERM');
  while (!server.output().includes('"draining"')) await new Promise(setImmediate);
  server.kill('SIGTERM');
  expect((await server.ended).code).toBe(143);
});
