import { createSocket, Socket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, newDirectory, run, type Serving, serve } from './command-line.js';

afterAll(cleanUp);

/** Whether the API lets these credentials in. */
async function isLetIn(url: string, authId: string, token: string): Promise<boolean> {
  const credentials = Buffer.from(`${authId}:${token}`).toString('base64');
  const headers = { Authorization: `Basic ${credentials}` };
  const { status } = await fetch(`${url}/v1/Account/${authId}/Verify/Session/`, { headers });
  expect([200, 401]).toContain(status);
  return status === 200;
}

describe('through a running server', () => {
  let dataDir: string;
  let server: Serving;
  beforeAll(async () => {
    dataDir = newDirectory();
    server = await serve(dataDir);
    return async () => {
      server.kill('SIGTERM');
      await server.ended;
    };
  });

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run([...args, '--json'], dataDir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  test('accounts are made, listed, disabled, enabled, and their tokens rotated', async () => {
    const made = await run(['account', 'create', '--name', 'Acme'], dataDir);
    const [, id, token] = /^auth id {5}(MA[A-Z0-9]{18})\nauth token {2}([A-Za-z0-9_-]{40})\n$/.exec(
      made.stdout,
    )!;
    expect(await isLetIn(server.url, id!, token!)).toBe(true);

    const list = await run(['account', 'list'], dataDir);
    expect(list.stdout).toMatch(new RegExp(`^${id} .* enabled .* Acme$`, 'm'));
    expect(list.stdout).not.toContain(token);

    await run(['account', 'disable', id!], dataDir);
    expect(await isLetIn(server.url, id!, token!)).toBe(false);
    await json('account', 'enable', id!);
    expect(await isLetIn(server.url, id!, token!)).toBe(true);

    const kept = await json('account', 'rotate-token', id!, '--keep-old', '1h');
    expect(await isLetIn(server.url, id!, token!)).toBe(true);
    expect(await isLetIn(server.url, id!, kept.auth_token)).toBe(true);
    const next = await json('account', 'rotate-token', id!);
    expect(await isLetIn(server.url, id!, kept.auth_token)).toBe(false);
    expect(await isLetIn(server.url, id!, next.auth_token)).toBe(true);
  });

  test('the countries of an account are restricted, shown and opened again', async () => {
    const { auth_id: id } = await json('account', 'create', '--name', 'Acme');
    const changed = await run(['account', 'update', id, '--countries', 'US,DE'], dataDir);
    expect(changed.stdout).toMatch(/^countries +US,DE$/m);
    expect((await run(['account', 'list'], dataDir)).stdout).toMatch(
      new RegExp(`^${id} .* US,DE +Acme$`, 'm'),
    );
    const refused = await run(['account', 'update', id, '--countries', 'US,Mars'], dataDir);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('countries: expected')]);
    expect(await json('account', 'show', id)).toMatchObject({ auth_id: id, countries: ['US', 'DE'] });
    await json('account', 'update', id, '--countries', '');
    expect((await run(['account', 'show', id], dataDir)).stdout).toMatch(/^countries +all$/m);
  });

  test('applications are made, listed, shown, changed and deleted', async () => {
    const { auth_id: account } = await json('account', 'create');
    const [original] = await json('app', 'list', '--account', account);
    const template = 'Code \u0024{code}, \u0024{brand_name}';
    const made = await json(
      ...['app', 'create', '--account', account, '--alias', 'login', '--brand-name', 'Acme'],
      ...['--template', template, '--channels', 'sms', '--code-length', '8', '--expiry', '60', '--default'],
      ...[
        '--number-types',
        'fixed-line,pager',
        '--test-numbers',
        '+14155550100=424242',
        '--resend-cooldown',
        '30',
        '--url',
        'https://a.example',
        '--confirm-by-key',
      ],
    );
    expect(made).toMatchObject({
      ...{ account, alias: 'login', brand_name: 'Acme', template, channels: ['sms'], code_length: 8 },
      ...{ expiry: 60, resend_cooldown: 30, url: 'https://a.example/', is_default: true },
      test_numbers: [{ recipient: '14155550100', otp: '424242' }],
      number_types: ['fixed-line', 'pager'],
      confirm_by_key: true,
    });
    const uuid = made.app_uuid;
    const list = await run(['app', 'list'], dataDir);
    expect(list.stdout).toMatch(new RegExp(`^${uuid} +${account} +default +sms +en +login$`, 'm'));
    expect(list.stdout).toMatch(new RegExp(`^${original.app_uuid} +${account} +-`, 'm'));
    const shown = await run(['app', 'show', uuid], dataDir);
    expect(shown.stdout).toMatch(/^code_length +8$/m);

    const refused = await run(['app', 'delete', uuid], dataDir);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('make another the default first'),
    ]);
    expect(await json('app', 'update', uuid, '--no-confirm-by-key')).toMatchObject({ confirm_by_key: false });
    expect(await json('app', 'update', uuid, '--alias', 'login')).toMatchObject({ confirm_by_key: false });
    await json('app', 'update', original.app_uuid, '--default', '--url', '', '--test-numbers', '');
    expect(await json('app', 'show', uuid)).toMatchObject({ is_default: false });
    expect((await run(['app', 'delete', uuid], dataDir)).stdout).toBe(`${uuid} is deleted\n`);
    expect((await run(['app', 'show', uuid], dataDir)).stderr).toContain('app list');
  });

  test.each([
    [['--expiry', '1'], 'expiry: expected an integer from 60 to 3600'],
    [['--template', 'no code'], 'template does not contain'],
    [['--number-types', 'mobile'], 'number_types: expected a list of fixed-line'],
    [['--channels', 'fax'], 'channels: expected a list of sms, voice or both'],
    [['--test-numbers', '12=1234'], 'test_numbers/0/recipient'],
    [['--test-numbers', '12'], 'recipient=code'],
    [['--alias', ''], 'alias: expected a name'],
  ])('an application is not made with %j: %s', async (settings, why) => {
    const { auth_id } = await json('account', 'create');
    const { code, stderr } = await run(['app', 'create', '--account', auth_id, ...settings], dataDir);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(why) });
    expect(await json('app', 'list', '--account', auth_id)).toHaveLength(1);
  });

  test('who opted out is added, listed and taken off', async () => {
    const { auth_id: account } = await json('account', 'create', '--name', 'Opt-outs');
    const added = await json('optout', 'add', '+1 415 555 1234', '--account', account);
    expect(added).toMatchObject({ recipient: '14155551234', source: 'operator', carrier: null });
    expect(await json('optout', 'list', '--account', account)).toEqual([added]);
    const { stdout } = await run(['optout', 'list', '--account', account], dataDir);
    expect(stdout).toMatch(/^14155551234 +2\d{3}-.* +operator +-$/m);
    expect(await json('optout', 'remove', '14155551234', '--account', account)).toEqual({
      recipient: '14155551234',
    });
    const again = await run(['optout', 'remove', '14155551234', '--account', account], dataDir);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not on the opt-out list of')]);
    const wrong = await run(['optout', 'add', '12', '--account', account], dataDir);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('recipient: expected a valid phone'),
    ]);
  });

  test('carriers are shown, and one is tried with a message', async () => {
    const [inbox] = await json('carriers');
    expect(inbox).toMatchObject({
      name: 'inbox',
      type: 'inbox',
      state: 'up',
      breaker: 'closed',
      in_flight: 0,
    });
    const { accepted } = inbox.submits;
    const test = await run(
      ['send-test', '--carrier', 'inbox', '--to', '14155551234', '--text', 'Hi'],
      dataDir,
    );
    expect(test.stdout).toMatch(/^accepted after \d+ ms, message id .{36}\ndelivered after \d+ ms\n$/);
    expect(test.code).toBe(0);
    const shown = await run(['carriers'], dataDir);
    expect(shown.stdout).toMatch(new RegExp(`^inbox +inbox +up +closed +0/1024 +- +${accepted + 1} `, 'm'));
    const wrong = await run(['send-test', '--carrier', 'nobody', '--to', '14155551234'], dataDir);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('there is no carrier nobody')]);
  });

  test('keys are rotated while accounts stay good', async () => {
    const { auth_id, auth_token } = await json('account', 'create');
    const [{ id: first }] = (await json('keys', 'list')).keys;
    const { id } = await json('keys', 'add');
    await json('keys', 'activate', id);
    expect((await run(['keys', 'retire', first], dataDir)).stderr).toMatch(
      /^countersign: key .* reseal first/,
    );
    expect((await json('keys', 'reseal')).accounts).toBeGreaterThan(0);
    await json('keys', 'retire', first);
    const listed = await run(['keys', 'list'], dataDir);
    expect(listed.stdout).toMatch(new RegExp(`^${first} +retired`, 'm'));
    expect(listed.stdout).toMatch(new RegExp(`^${id} +active`, 'm'));
    expect(listed.stderr).toContain('remove it from');
    expect(await isLetIn(server.url, auth_id, auth_token)).toBe(true);
  });

  test('a backup is written where the command runs, once', async () => {
    const directory = newDirectory();
    const first = await run(['backup', 'copy.db'], dataDir, {}, directory);
    expect(first.code).toBe(0);
    expect(first.stderr).toContain('master.key');
    expect(statSync(join(directory, 'copy.db')).mode & 0o777).toBe(0o600);
    const again = await run(['backup', 'copy.db'], dataDir, {}, directory);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') });
  });

  test('what is refused ends with code 1 and one line', async () => {
    const { code, stdout, stderr } = await run(['account', 'disable', `MA${'0'.repeat(18)}`], dataDir);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^countersign: there is no account MA0+: see account list\n$/);
    expect((await run(['account', 'rotate-token', 'x', '--keep-old', 'ever'], dataDir)).code).toBe(1);
  });

  test('the doctor finds nothing wrong, and tells the currency of a rate card', async () => {
    const path = join(newDirectory(), 'countersign.yaml');
    writeFileSync(path, 'rates: {currency: EUR, sms: {default: "0.1", 49: "0.07"}}');
    const { code, stdout } = await run(['doctor'], dataDir, { COUNTERSIGN_CONFIG: path });
    expect(stdout).toContain('server: runs as process');
    expect(stdout).toContain('rates: 2 prices for sms, voice costs nothing, in EUR\n');
    expect(stdout).toContain('No problems found.');
    expect(code).toBe(0);
  });
});

describe('without a server', () => {
  test('the command line opens the database itself, and the next server sees what it did', async () => {
    const dataDir = newDirectory();
    const made = JSON.parse((await run(['account', 'create', '--json'], dataDir)).stdout);
    const rotated = JSON.parse(
      (await run(['account', 'rotate-token', made.auth_id, '--json'], dataDir)).stdout,
    );
    const server = await serve(dataDir);
    expect(await isLetIn(server.url, made.auth_id, rotated.auth_token)).toBe(true);
    expect(await isLetIn(server.url, made.auth_id, made.auth_token)).toBe(false);
    // A server that was killed leaves its socket's name behind.
    server.kill('SIGKILL');
    await server.ended;
    expect(existsSync(join(dataDir, 'admin.sock'))).toBe(true);
    expect(JSON.parse((await run(['account', 'list', '--json'], dataDir)).stdout)).toHaveLength(1);
    const again = await serve(dataDir);
    again.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
  });

  test.each([
    ['account', 'list'],
    ['keys', 'list'],
    ['backup', 'copy.db'],
  ])('%s %s makes no database where there is none', async (...args) => {
    const dataDir = join(newDirectory(), 'data');
    const { code, stderr } = await run(args, dataDir);
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no database in ${dataDir}`);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('there are no carriers to see or try', async () => {
    const dataDir = newDirectory();
    await run(['account', 'create'], dataDir);
    const { code, stderr } = await run(['carriers'], dataDir);
    expect([code, stderr]).toEqual([1, expect.stringContaining('no server runs')]);
  });

  test('a database that a process holds without a socket is told of clearly', async () => {
    const dataDir = newDirectory();
    const server = await serve(dataDir);
    rmSync(join(dataDir, 'admin.sock'));
    const { code, stderr } = await run(['account', 'list'], dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(/in use by another .* does not answer on .*admin\.sock: if it is starting/);
    server.kill('SIGTERM');
    await server.ended;
  });
});

describe('doctor', () => {
  let dataDir: string;
  afterEach(() => chmodSync(dataDir, 0o700));

  const diagnose = async (env: Record<string, string> = {}) => {
    const { code, stdout } = await run(['doctor'], dataDir, env);
    expect(code).toBe(1);
    return stdout.split('\n').filter((line) => line.startsWith('problem'));
  };

  test('says what is wrong and how to mend it', async () => {
    dataDir = newDirectory();
    await run(['account', 'create'], dataDir);
    const path = join(newDirectory(), 'countersign.yaml');
    writeFileSync(
      path,
      'carriers: {gateway: {type: webhook, url: "http://127.0.0.1:1/", secret: "0123456789abcdef"}}',
    );
    chmodSync(dataDir, 0o755);
    chmodSync(join(dataDir, 'master.key'), 0o644);
    const other = await serve(newDirectory());
    const { port } = new URL(other.url);
    expect(await diagnose({ COUNTERSIGN_CONFIG: path, COUNTERSIGN_PORT: port })).toEqual([
      expect.stringContaining(`run chmod 700 '${dataDir}'`),
      expect.stringContaining(`run chmod 600 '${join(dataDir, 'master.key')}'`),
      expect.stringContaining(`API address: 127.0.0.1:${port} is in use`),
      expect.stringContaining('carrier gateway: '),
    ]);
    other.kill('SIGTERM');
    await other.ended;
  });

  test.each(['udp', 'tcp'] as const)(
    'finds a carrier’s port that another program has by %s',
    async (protocol) => {
      dataDir = newDirectory();
      const taken = protocol === 'udp' ? createSocket('udp4') : createServer();
      if (taken instanceof Socket) taken.bind(0, '127.0.0.1');
      else taken.listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      const path = join(newDirectory(), 'countersign.yaml');
      writeFileSync(
        path,
        `carriers: {trunk: {type: sip, bind: 127.0.0.1, port: ${port}, response_seconds: 1, trunks: [{host: 127.0.0.1, port: 1, transport: ${protocol}}]}}`,
      );
      expect(await diagnose({ COUNTERSIGN_CONFIG: path })).toContainEqual(
        expect.stringContaining(
          `carrier trunk: ${protocol} port: 127.0.0.1:${port} is in use by another program`,
        ),
      );
      taken.close();
    },
  );

  test('finds what a start would refuse of carriers', async () => {
    dataDir = newDirectory();
    const path = join(newDirectory(), 'countersign.yaml');
    const sid = `AC${'0'.repeat(32)}`;
    writeFileSync(
      path,
      `carriers:
  phone: {type: twilio, account_sid: ${sid}, auth_token: "0123456789abcdef", channels: [voice], base_url: "http://127.0.0.1:1"}
  trunk: {type: sip, port: 0, trunks: [{host: 127.0.0.1}], rtp_ports: {from: 20001, to: 20002}}
`,
    );
    expect(await diagnose({ COUNTERSIGN_CONFIG: path })).toEqual([
      expect.stringContaining('carrier phone: channels: voice needs COUNTERSIGN_PUBLIC_URL'),
      expect.stringContaining('carrier trunk: rtp_ports: expected room'),
    ]);
  });

  test('makes nothing before the first start', async () => {
    dataDir = newDirectory();
    const absent = join(dataDir, 'data');
    const { code, stdout } = await run(['doctor'], absent);
    expect(code).toBe(0);
    expect(stdout).toContain('will be made at the first start');
    expect(existsSync(absent)).toBe(false);
  });

  test('tells of a bad configuration', async () => {
    dataDir = newDirectory();
    expect(await diagnose({ COUNTERSIGN_PORT: 'x' })).toEqual([
      expect.stringContaining('COUNTERSIGN_PORT: expected'),
    ]);
  });
});

test('--version tells the version of the package', async () => {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  expect((await run(['--version'], newDirectory())).stdout).toBe(`${version}\n`);
});
