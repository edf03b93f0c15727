import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ApiServer, basic, parseRaw, sendRaw, startApi } from '../support/api-server.js';
import { section } from './section.js';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const proves = section(0);

describe('The base path', () => {
  proves('Base path: /v1/Account/{auth_id}/Verify/Session/', async () => {
    const authorization = basic(api.main);
    const get = async (path: string) =>
      (await fetch(`${api.url}${path}`, { headers: { authorization } })).status;
    expect(await get(`/v1/Account/${api.main.authId}/Verify/Session/`)).toBe(200);
    expect(await get(`/Account/${api.main.authId}/Verify/Session/`)).toBe(404);
    expect(await get(`/v2/Account/${api.main.authId}/Verify/Session/`)).toBe(404);
  });

  proves('Every path is served with and without its trailing slash', async () => {
    const body = { recipient: '14155551234' };
    for (const slash of ['', '/']) {
      const created = await api.call('POST', `/Verify/Session${slash}`, { body });
      expect(created.status).toBe(202);
      const { session_uuid } = created.body;
      const { right } = await api.codes(session_uuid);
      const app = await api.call('POST', `/Verify/Application${slash}`, { body: {} });
      const sub = await api.call('POST', `/Subaccount${slash}`, { body: { name: 'x' } });
      const calls: [string, string, object | undefined, number][] = [
        ['GET', '/Verify/Session', undefined, 200],
        ['GET', `/Verify/Session/${session_uuid}`, undefined, 200],
        ['POST', `/Verify/Session/${session_uuid}`, { otp: right }, 200],
        ['GET', '/Inbox', undefined, 200],
        ['GET', '/Verify/Application', undefined, 200],
        ['GET', `/Verify/Application/${app.body.app_uuid}`, undefined, 200],
        ['POST', `/Verify/Application/${app.body.app_uuid}`, { alias: 'x' }, 202],
        ['DELETE', `/Verify/Application/${app.body.app_uuid}`, undefined, 204],
        ['GET', '/Subaccount', undefined, 200],
        ['GET', `/Subaccount/${sub.body.auth_id}`, undefined, 200],
        ['POST', `/Subaccount/${sub.body.auth_id}`, { name: 'y' }, 202],
        ['DELETE', `/Subaccount/${sub.body.auth_id}`, undefined, 204],
      ];
      for (const [method, path, sent, expected] of calls) {
        const { status } = await api.call(method, `${path}${slash}`, { body: sent });
        expect(`${method} ${path}${slash}: ${status}`).toBe(`${method} ${path}${slash}: ${expected}`);
      }
    }
  });

  proves('Never redirect: the Node SDK turns a redirected POST into a GET', async () => {
    const account = `/v1/Account/${api.main.authId}`;
    for (const path of [
      '/',
      account,
      `/${account}/Verify/Session/`,
      `${account}/Verify//Session/`,
      `${account}/Verify/Session//`,
      `${account}/verify/session/`,
      `${account}/Verify/./Session/`,
      `${account}/Verify/Session/../Session/`,
      `${account}/Verify%2FSession/`,
    ]) {
      const body = '{"recipient":"14155551234"}';
      const head = [
        `POST ${path} HTTP/1.1`,
        'Host: x',
        'Connection: close',
        `Authorization: ${basic(api.main)}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ];
      const answer = parseRaw(await sendRaw(api.port, `${head.join('\r\n')}\r\n\r\n${body}`));
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.head).not.toMatch(/^location:/im);
    }
  });
});
