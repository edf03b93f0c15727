import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { newDirectory, run } from '../cli/command-line.js';
import { AUTH_ID, depthOf, type Reply, startServerProcess, until } from '../support/server-process.js';
import { listen, startGateway, take } from './gateway.js';

/** Everything that nobody may read anywhere, by what it is. */
const SENTINELS = {
  chosen: ['73519264', '90817263', '64738291'],
  misdirected: ['58273946'],
  wrong: ['38261947'],
  token: 'sentinel-token-of-the-account-0123456789',
  bearer: 'sentinel-bearer-secret-of-the-gateway',
  key: randomBytes(32),
} as const;

interface Place {
  readonly name: string;
  readonly content: Buffer;
}

/** The forms that a secret may take on its way out. */
function formsOf(secret: string | Buffer): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  const texts = [base64, bytes.toString('base64url'), bytes.toString('hex')];
  return [bytes, Buffer.from(bytes.toString('utf8'), 'utf16le'), ...texts.map((text) => Buffer.from(text))];
}

/** Where a secret is found, in any form. */
function placesOf(secret: string | Buffer, places: readonly Place[]): string[] {
  const forms = formsOf(secret);
  return places.filter(({ content }) => forms.some((form) => content.includes(form))).map(({ name }) => name);
}

/** The files of a data directory but those that hold a secret on purpose. */
function filesOf(directory: string): Place[] {
  return readdirSync(directory)
    .filter((name) => name !== 'master.key' && name !== 'auth-token')
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => ({ name: `file ${name}`, content: readFileSync(join(directory, name)) }));
}

test('codes, tokens and keys are in no file, log line, metric or error', async () => {
  const codes = new Set<string>();
  const [first, second, third] = SENTINELS.chosen;
  const gateway = await startGateway((message, response) => {
    codes.add(message.code);
    // A gateway that repeats what it was sent, in each of its refusals.
    const echo = JSON.stringify({ reason: message.code, message: JSON.stringify(message), error_code: 20 });
    const times = gateway.timesSent(message.hop_id);
    if (message.recipient.endsWith('0001')) response.writeHead(400, message.code).end(echo);
    else if (message.recipient.endsWith('0002') && times === 1) response.writeHead(503).end(echo);
    else if (message.recipient.endsWith('0003') && times === 1) response.destroy();
    else take(message, response);
  });
  const customer = await listen((request, response) => {
    request.resume();
    // A customer's server that fails every other callback, and says why in its own words.
    response.writeHead(request.url!.includes('bad') ? 500 : 204, first).end();
  });
  const env = {
    COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: SENTINELS.token,
    COUNTERSIGN_MASTER_KEY: SENTINELS.key.toString('base64'),
    COUNTERSIGN_LOG_LEVEL: 'trace',
    GATEWAY_SECRET: SENTINELS.bearer,
  };
  const config = `carriers: {gateway: {type: webhook, url: "${gateway.url}/send", secret: "\${GATEWAY_SECRET}"}}`;
  const server = await startServerProcess({ config, env });
  const places: Place[] = [];
  const keep = (name: string, text: string) => places.push({ name, content: Buffer.from(text) });
  const replies: Reply[] = [];
  const heard = async (reply: Promise<Reply>) => {
    replies.push(await reply);
    return replies.at(-1)!;
  };
  const create = (fields: Record<string, unknown>) => heard(server.create(fields));
  const number = (index: number) => `1415555${String(index).padStart(4, '0')}`;

  // Sessions of both kinds of codes over a gateway and a customer's server that fail.
  const sessions: string[] = [];
  for (let index = 0; index < 12; index++) {
    const otp = index % 4 === 0 ? { otp: SENTINELS.chosen[index / 4] } : { code_length: 8 };
    const url = `${customer.url}/${index % 2 ? 'bad' : 'good'}`;
    const { status, body } = await create({ recipient: number(index), url, ...otp });
    expect(status).toBe(202);
    sessions.push(body.session_uuid);
  }
  await until('the gateway has all codes', () => codes.size === 12);
  for (const code of SENTINELS.chosen) expect(codes).toContain(code);
  await until('all are settled', async () => (await server.metric(depthOf('deliveries'))) === 0);

  // Right and wrong validations, and codes where they do not belong.
  const [wrong] = SENTINELS.wrong;
  const [stray] = SENTINELS.misdirected;
  for (const session of sessions) await heard(server.validate(session, wrong));
  expect((await heard(server.validate(sessions[0]!, first!))).status).toBe(200);
  expect((await heard(server.validate(sessions[0]!, first!))).status).toBe(400);
  expect((await heard(server.validate(sessions[4]!, second!))).status).toBe(200);
  await heard(server.retrieve(sessions[0]!));

  // The log of callbacks, and one that is sent again.
  const callbacks = `/Verify/Session/${sessions[0]}/Callback/`;
  const { text } = await heard(server.call('GET', callbacks));
  const [callback] = JSON.parse(text).callbacks as { callback_id: string }[];
  await heard(server.call('POST', `${callbacks}${callback!.callback_id}/Redeliver/`));
  await heard(server.call('POST', `${callbacks}${SENTINELS.token}/Redeliver/`));
  const post = (path: string, body: unknown) => heard(server.call('POST', path, body));
  for (const body of [
    { recipient: stray },
    { recipient: number(20), otp: Number(stray) },
    { recipient: number(20), otp: `${stray}0` },
    { recipient: number(20), url: `http://user:${stray}@127.0.0.1/` },
    { recipient: number(20), url: `ftp://127.0.0.1/${stray}` },
    { recipient: number(20), channel: stray },
    { recipient: number(20), locale: stray },
    { recipient: number(20), app_uuid: stray },
    { recipient: number(20), [stray]: 1 },
    { recipient: number(20), dtmf: stray },
    [stray],
    stray,
  ]) {
    expect((await post('/Verify/Session/', body)).status).toBeGreaterThanOrEqual(400);
  }
  await post(`/Verify/Session/${sessions[1]}/`, { otp: [stray] });
  await post(`/Verify/Session/${stray}/`, { otp: stray });
  await post(`/Verify/Session/${sessions[1]}/?otp=${stray}`, { otp: '' });
  await post(`/Verify/${stray}`, {});
  for (const query of [`otp=${stray}`, `limit=${stray}`, `session_time=${stray}`, `status=${stray}`]) {
    await heard(server.call('GET', `/Verify/Session/?${query}`));
  }
  const raw = async (path: string, init: RequestInit) =>
    keep(path, await (await fetch(server.url + path, init)).text());
  const sessionsPath = `/v1/Account/${AUTH_ID}/Verify/Session/`;
  const basic = (token: string) => `Basic ${Buffer.from(`${AUTH_ID}:${token}`).toString('base64')}`;
  const json = { 'content-type': 'application/json' };
  const good = { ...json, authorization: basic(SENTINELS.token) };
  await raw(sessionsPath, { method: 'POST', headers: good, body: `{"otp": "${stray}", ` });
  await raw(sessionsPath, {
    method: 'POST',
    headers: { ...good, 'content-type': 'text/plain' },
    body: stray,
  });
  await raw(`/v1/Account/${SENTINELS.token}/Verify/Session/`, { headers: good });
  await raw(`/${SENTINELS.token}?token=${SENTINELS.token}`, { method: 'DELETE', headers: good });
  await raw(sessionsPath, { headers: { authorization: basic(`${SENTINELS.token}x`) } });
  await raw(sessionsPath, { headers: { authorization: `Bearer ${SENTINELS.token}` } });
  for (const bearer of [SENTINELS.bearer, `${SENTINELS.bearer}x`]) {
    const headers = { ...json, authorization: `Bearer ${bearer}` };
    const body = JSON.stringify({ hop_id: stray, message_id: stray, status: stray, error_code: stray });
    await raw('/carriers/gateway/receipts', { method: 'POST', headers, body });
  }

  // The database breaks (500), and is held by somebody else (503), while codes come in.
  // Answers of the customer may still be being written: the lock is waited for.
  const database = new Database(join(server.dataDir, 'countersign.db'), { timeout: 30_000 });
  database.exec('alter table live_session rename to away');
  expect((await create({ recipient: number(30), otp: third })).status).toBe(500);
  database.exec('alter table away rename to live_session');
  database.exec('begin immediate');
  const held = [create({ recipient: number(31), otp: third }), heard(server.validate(sessions[8]!, third!))];
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([503, 503]);
  database.exec('rollback');
  database.close();
  expect((await heard(server.validate(sessions[8]!, third!))).status).toBe(200);

  // The command line, through the running server and on its own.
  const configPath = join(newDirectory(), 'countersign.yaml');
  writeFileSync(configPath, config);
  const backup = join(newDirectory(), 'backup.db');
  const shell = { ...env, COUNTERSIGN_CONFIG: configPath, COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID };
  const made = JSON.parse((await run(['account', 'create', '--json'], server.dataDir, shell)).stdout);
  for (const command of ['account list', 'account list --json', 'keys list', 'doctor', `backup ${backup}`]) {
    const { stdout, stderr } = await run(command.split(' '), server.dataDir, shell);
    keep(`command ${command}`, stdout + stderr);
  }
  places.push({ name: 'file backup', content: readFileSync(backup) });
  for (const bad of [
    { COUNTERSIGN_MASTER_KEY: `${env.COUNTERSIGN_MASTER_KEY}x` },
    { COUNTERSIGN_MASTER_KEY: `${env.COUNTERSIGN_MASTER_KEY},${env.COUNTERSIGN_MASTER_KEY}` },
    { COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: `${SENTINELS.token}!` },
    { GATEWAY_SECRET: `${SENTINELS.bearer} ` },
  ]) {
    const { code, stderr } = await run(['serve'], join(newDirectory(), 'data'), { ...shell, ...bad });
    expect([Object.keys(bad), code]).toEqual([Object.keys(bad), 2]);
    keep(`start with a bad ${Object.keys(bad)[0]}`, stderr);
  }

  await until('all are settled', async () => (await server.metric(depthOf('deliveries'))) === 0);
  keep('metrics', await server.metrics());
  places.push(...filesOf(server.dataDir).map((file) => ({ ...file, name: `${file.name}, running` })));
  const killed = await server.end('SIGKILL');
  keep('standard error', killed.stderr);
  places.push(...filesOf(server.dataDir));
  keep('log', server.output());
  for (const { status, text } of replies) keep(`answer ${status}`, text);

  // The search finds what may be seen, or it would prove nothing.
  const names = new Set(places.map(({ name }) => name));
  for (const name of [
    'file countersign.db',
    'file countersign.db-wal',
    'log',
    'metrics',
    'answer 500',
    'answer 503',
  ]) {
    expect(names).toContain(name);
  }
  const seen = placesOf(number(3), places);
  expect(seen).toEqual(expect.arrayContaining(['file backup', 'file countersign.db-wal, running']));
  expect(seen).not.toContain('log');
  expect(placesOf(AUTH_ID, places)).toEqual(expect.arrayContaining(['log', 'command account list']));
  expect(placesOf('1415•••', places)).toContain('log');
  expect(placesOf('countersign_sessions_total', places)).toContain('metrics');

  const secrets: Record<string, string | Buffer> = {
    'the account token': SENTINELS.token,
    'the basic credentials': basic(SENTINELS.token).slice('Basic '.length),
    'the bearer secret': SENTINELS.bearer,
    'the master key': SENTINELS.key,
    'the token of an account that was made': made.auth_token,
    'a wrong code': wrong,
    'a code in a wrong field': stray,
  };
  for (const code of codes) secrets[`code ${code}`] = code;
  const found = Object.entries(secrets).map(([name, secret]) => [name, placesOf(secret, places)]);
  expect(found.filter(([, where]) => where!.length > 0)).toEqual([]);
});
