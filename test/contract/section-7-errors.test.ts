import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { buildApi } from '#api/app.js';
import { StoreError } from '#store/store.js';
import { CHANNEL_ERRORS } from '#verify/channel-errors.js';
import type { Untyped } from '../e2e/support.js';
import {
  type Answer,
  type ApiServer,
  basic,
  LIMITS,
  parseRaw,
  sendRaw,
  startApi,
} from '../support/api-server.js';
import { sections } from './document.js';
import { section } from './section.js';
import { startWorld } from './world.js';

const SESSIONS = '/Verify/Session/';
const RECIPIENT = '14155551234';

let api: ApiServer;
let draining = false;
beforeEach(async () => {
  draining = false;
  const limits = { ...LIMITS, countries: ['US'], listsPerMinute: 5 };
  api = await startApi({ limits, draining: () => draining });
});
afterEach(() => api.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', SESSIONS, { body, headers });

/** An answer of every status that is an error, by how it came about. */
async function everyError(): Promise<Map<string, Answer>> {
  const session = await api.create();
  const key = { 'idempotency-key': 'key' };
  await post({ recipient: RECIPIENT }, key);
  const answers = new Map<string, Answer>([
    ['400 invalid parameter', await post({ recipient: RECIPIENT, channel: 'fax' })],
    ['400 missing parameter', await post({})],
    ['400 unparsable JSON', await post('{"recipient":')],
    ['400 unsupported content type', await post('recipient=1', { 'content-type': 'text/plain' })],
    ['401', await api.call('GET', SESSIONS, { as: null })],
    ['403', await post({ recipient: '4915112345678' })],
    ['404', await api.call('GET', '/Nothing/')],
    ['405', await api.call('PATCH', SESSIONS)],
    ['409', await post({ recipient: RECIPIENT, locale: 'de' }, key)],
    ['413', await post({ recipient: RECIPIENT, brand_name: 'x'.repeat(100_000) })],
  ]);
  let list = await api.call('GET', SESSIONS);
  for (let request = 0; request < 5; request++) list = await api.call('GET', SESSIONS);
  answers.set('429', list);

  const { database } = api.store;
  const row = database.session(session)!;
  const code = { ...row.code, keyId: '00000000' as typeof row.code.keyId };
  database.put('session', { ...row, code });
  answers.set(
    '503 without a key',
    await api.call('POST', `${SESSIONS}${session}/`, { body: { otp: '123456' } }),
  );
  api.store.failure = 'away';
  answers.set('503 without a database', await post({ recipient: RECIPIENT }));
  api.store.failure = null;
  const { submit } = api.store;
  api.store.submit = async () => {
    throw new StoreError('unavailable', 'too many commands wait for the database');
  };
  answers.set('503 overloaded', await post({ recipient: RECIPIENT }));
  api.store.submit = async () => {
    throw new TypeError('a defect');
  };
  answers.set('500', await post({ recipient: RECIPIENT }));
  api.store.submit = submit;
  draining = true;
  answers.set('503 draining', await api.call('GET', SESSIONS));
  draining = false;
  return answers;
}

const proves = section(7);

describe('§7 Errors', () => {
  proves(
    '{"api_id": "…", "error": "one clear sentence naming the parameter"}, Content-Type: application/json',
    async () => {
      for (const [name, { status, headers, body }] of await everyError()) {
        expect([name, Object.keys(body).sort()]).toEqual([name, ['api_id', 'error']]);
        expect(body.error).toMatch(/^[A-Za-z].{10,200}$/);
        expect(headers.get('content-type')).toMatch(/^application\/json(;|$)/);
        expect(name.startsWith(String(status))).toBe(true);
      }
      for (const [field, value] of Object.entries({
        recipient: '1',
        channel: 'fax',
        code_length: 9,
        otp: 'x',
      })) {
        expect((await post({ recipient: RECIPIENT, [field]: value })).body.error).toContain(field);
      }

      const session = await api.create({ recipient: '14155559876' });
      const { right } = await api.codes(session);
      const application = await api.call('POST', '/Verify/Application/', { body: {} });
      const subaccount = await api.call('POST', '/Subaccount/', { body: { name: 'x' } });
      for (const { status, body } of [
        await post({ recipient: '14155559876' }),
        await api.call('GET', `${SESSIONS}${session}/`),
        await api.call('POST', `${SESSIONS}${session}/`, { body: { otp: right } }),
        await api.call('GET', '/Inbox/'),
        application,
        await api.call('GET', '/Verify/Application/'),
        await api.call('POST', `/Verify/Application/${application.body.app_uuid}/`, { body: { alias: 'x' } }),
        subaccount,
        await api.call('GET', '/Subaccount/'),
        await api.call('GET', `/Subaccount/${subaccount.body.auth_id}/`),
        await api.call('POST', `/Subaccount/${subaccount.body.auth_id}/`, { body: { name: 'y' } }),
      ]) {
        expect(status).toBeLessThan(300);
        expect(body).toHaveProperty('api_id');
        expect(body).not.toHaveProperty('error');
      }
    },
  );

  proves(
    '400 invalid or missing parameter (also unparsable JSON and unsupported content type), 401, 403',
    async () => {
      const answers = await everyError();
      const statuses = [...answers.values()].map(({ status }) => status);
      expect([...new Set(statuses)].sort()).toEqual([400, 401, 403, 404, 405, 409, 413, 429, 500, 503]);
      expect(answers.get('405')!.headers.get('allow')).toMatch(/\bGET\b.*\bPOST\b/);
      for (const [name, { status, headers }] of answers) {
        if (status === 503) expect([name, Number(headers.get('retry-after')) >= 1]).toEqual([name, true]);
      }
      // After all of that the server goes on.
      expect((await post({ recipient: '14155559876' })).status).toBe(202);
    },
  );

  proves('Never 408, and never Retry-After: 0', async () => {
    for (const [name, { status, headers }] of await everyError()) {
      expect([name, status]).not.toEqual([name, 408]);
      expect([name, headers.get('retry-after')]).not.toEqual([name, '0']);
    }
    // The last moment of a limit.
    api.advance(12_000);
    for (let request = 0; request < 6; request++) await api.call('GET', SESSIONS);
    for (let wait = 0; wait < 60_000; wait += 999) {
      const after = (await api.call('GET', SESSIONS)).headers.get('retry-after');
      if (after !== null) expect(Number(after)).toBeGreaterThanOrEqual(1);
      api.advance(999);
    }

    // A request that does not arrive in time: Node's own answer would be a 408 without a body.
    const app = buildApi(api.context);
    const accepted = new Promise<Socket>((resolve) => app.server.once('connection', resolve));
    const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(url.port), url.hostname).setEncoding('utf8');
    let received = '';
    socket.on('data', (text) => {
      received += text;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('POST /v1/Account/x/Verify/Session/ HTTP/1.1\r\nHost: x\r\n');
    timeOut(app.server, await accepted);
    await closed;
    await app.close();
    expect(parseRaw(received)).toMatchObject({
      status: 400,
      body: { api_id: expect.any(String), error: 'the request did not arrive in time' },
    });
  });

  proves('Nothing is lost and nothing is half done when one is returned', async () => {
    const session = await api.create();
    const { right } = await api.codes(session);
    const { uuid } = api.application;
    const before = await api.call('GET', `${SESSIONS}${session}/`);
    const tables = () =>
      Object.fromEntries(
        Object.entries(api.store.database.tables).map(([name, rows]) => [name, [...rows.values()]]),
      );
    const stored = tables();
    api.store.failure = 'away';
    for (const answer of [
      await post({ recipient: RECIPIENT }),
      await post({ recipient: '14155559876' }, { 'idempotency-key': 'key' }),
      await api.call('POST', `${SESSIONS}${session}/`, { body: { otp: right } }),
      await api.call('POST', `/Verify/Application/${uuid}/`, { body: { alias: 'x' } }),
      await api.call('POST', '/Verify/Application/', { body: { is_default: true } }),
      await api.call('POST', '/Subaccount/', { body: { name: 'x' } }),
    ]) {
      expect(answer.status).toBe(503);
    }
    api.store.failure = null;
    await everyRefusal();
    expect(tables()).toEqual(stored);
    const after = await api.call('GET', `${SESSIONS}${session}/`);
    expect({ ...after.body, api_id: '' }).toEqual({ ...before.body, api_id: '' });
    // What was refused can be sent again as it was.
    expect((await post({ recipient: '14155559876' }, { 'idempotency-key': 'key' })).status).toBe(202);
    const again = await api.call('POST', `${SESSIONS}${session}/`, { body: { otp: right } });
    expect(again.status).toBe(200);
  });

  /** What the whole server says of itself. */
  const described = async (url: string): Promise<Untyped> => (await fetch(`${url}/openapi.json`)).json();

  proves('Any other method on a path is 405, CONNECT too', async () => {
    const { server, main } = await startWorld({ lifetime: 'test' });
    const port = Number(new URL(server.url).port);
    const head = `Host: x\r\nConnection: close\r\nAuthorization: ${basic(main)}\r\n`;
    const { paths } = await described(server.url);
    for (const [pattern, operations] of Object.entries<object>(paths)) {
      const taken = Object.keys(operations).map((method) => method.toUpperCase());
      if (taken.includes('GET')) taken.push('HEAD');
      const path = pattern
        .replace('{auth_id}', main.authId)
        .replace('{carrier}', 'gateway')
        .replace(/\{[^}]+\}/g, 'x');
      for (const method of [
        'GET',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'TRACE',
        'CONNECT',
        'PURGE',
      ]) {
        if (taken.includes(method)) continue;
        for (const target of new Set([path, path.replace(/(?<=.)\/$/, '')])) {
          const answer = parseRaw(await sendRaw(port, `${method} ${target} HTTP/1.1\r\n${head}\r\n`));
          expect([method, target, answer.status]).toEqual([method, target, 405]);
          const [, allow] = /^allow: (.+)$/im.exec(answer.head) ?? [];
          expect([target, allow?.split(', ')]).toEqual([target, taken.sort()]);
          expect(answer.body).toEqual({ api_id: expect.any(String), error: expect.stringContaining(method) });
        }
      }
    }
  });

  proves(
    [
      'The server describes itself at /openapi.json (OpenAPI 3.1) and /docs, without authentication',
      'these are the only answers without api_id (ours)',
    ],
    async () => {
      const { server, main, application, create } = await startWorld({ lifetime: 'test' });
      const document = await described(server.url);
      expect(document.openapi).toMatch(/^3\.1\./);
      const page = await fetch(`${server.url}/docs`);
      expect([page.status, page.headers.get('content-type')]).toEqual([
        200,
        expect.stringContaining('text/html'),
      ]);
      const text = await page.text();
      for (const path of Object.keys(document.paths)) expect(text).toContain(`<code>${path}</code>`);

      const [session, app] = [await create(), await application({})];
      const without = new Set<string>();
      for (const authorization of [undefined, basic(main), `Bearer ${main.token}`]) {
        for (const [pattern, operations] of Object.entries<object>(document.paths)) {
          const path = pattern
            .replace('{auth_id}', main.authId)
            .replace('{session_uuid}', session)
            .replace('{app_uuid}', app)
            .replace('{carrier}', 'gateway')
            .replace(/\{[^}]+\}/g, 'x');
          for (const method of [...Object.keys(operations), 'trade'].map((each) => each.toUpperCase())) {
            const headers = new Headers(authorization === undefined ? {} : { authorization });
            const answer = await fetch(`${server.url}${path}`, { method, headers });
            const body = await answer.text();
            if (body === '') expect([method, path, answer.status]).toEqual([method, path, 204]);
            else if (!/^\{"api_id":"[0-9a-f-]{36}"/.test(body)) without.add(path);
          }
        }
      }
      expect([...without].sort()).toEqual(['/docs/', '/docs/reference.css', '/openapi.json']);
    },
  );
});

/** Requests that are refused before they reach the store. */
async function everyRefusal(): Promise<void> {
  for (const answer of [
    await post({ recipient: RECIPIENT, url: 'x' }),
    await post({ recipient: RECIPIENT, app_uuid: 'x' }),
    await post({ recipient: '4915112345678' }),
    await post({ recipient: RECIPIENT }, { authorization: basic({ ...api.main, token: 'x' }) }),
    await post({ recipient: RECIPIENT }, { 'content-type': 'text/plain' }),
    await api.call('DELETE', `/Verify/Application/${api.application.uuid}/`),
    await api.call('POST', '/Verify/Application/', { body: { alias: 'x', code_length: 3 } }),
  ]) {
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
}

/** As Node does when its timer finds a request that has taken too long. */
function timeOut(server: Server, socket: Socket): void {
  const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  server.emit('clientError', error, socket);
}

describe('§7 Channel error codes', () => {
  proves(
    [
      "Channel error codes, as the SDKs' users know them",
      'SMS: 10 invalid message, 20 network error',
      'Voice: 2000 invalid destination address',
    ],
    () => {
      for (const [channel, name] of [
        ['sms', 'SMS'],
        ['voice', 'Voice'],
      ] as const) {
        const sentence = sections()
          .get(7)!
          .find((each) => each.startsWith(`${name}: `))!;
        const listed = sentence.slice(name.length + 2, -1).split(', ');
        const known = [...CHANNEL_ERRORS[channel]].map(([code, meaning]) => `${code} ${meaning}`);
        expect(known).toEqual(listed);
      }
    },
  );
});
