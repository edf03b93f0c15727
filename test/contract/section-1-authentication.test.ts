import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { AccountId } from '#verify/model.js';
import { startCountersign } from '../e2e/support.js';
import { type Answer, type ApiServer, basic, startApi } from '../support/api-server.js';
import { section } from './section.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LIST = '/Verify/Session/';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterEach(() => api.change({ account: { enabled: true } }));
afterAll(() => api.close());

const as = (authId: string, token: string) => ({ authId: authId as AccountId, token });
const proves = section(1);

describe('§1 Authentication and ids', () => {
  proves('HTTP Basic: user = auth id, password = auth token', async () => {
    const authorization = `Basic ${Buffer.from(`${api.main.authId}:${api.main.token}`).toString('base64')}`;
    const letIn = await api.call('GET', LIST, { as: null, headers: { authorization } });
    expect(letIn.status).toBe(200);
    const swapped = basic(as(api.main.token, api.main.authId));
    const refused = await api.call('GET', LIST, { as: null, headers: { authorization: swapped } });
    expect(refused.status).toBe(401);
  });

  proves(
    "The {auth_id} in the path is the caller's own, or (main account only) one of its subaccounts'",
    async () => {
      const body = { recipient: '14155551234' };
      const created = await api.call('POST', LIST, { of: api.sub.authId, body });
      expect(created.status).toBe(202);
      const path = `${LIST}${created.body.session_uuid}/`;
      expect((await api.call('GET', path, { as: api.sub })).status).toBe(200);
      expect((await api.call('GET', path)).status).toBe(200);
      expect((await api.call('GET', path, { as: api.stranger })).status).toBe(404);
      const refused = await Promise.all([
        api.call('GET', LIST, { as: api.sub, of: api.main.authId }),
        api.call('GET', LIST, { of: api.stranger.authId }),
        api.call('GET', LIST, { as: api.stranger, of: api.sub.authId }),
      ]);
      expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
    },
  );

  proves(
    [
      'Auth ids are 20 characters, MA… for a main account and SA… for a subaccount',
      'Ours: prefix + 18 of [A-Z0-9]',
      'Auth tokens: 40 URL-safe characters',
    ],
    async () => {
      const server = await startCountersign();
      for (let made = 0; made < 5; made++) {
        const main = await server.administration('account.create', { name: 'x' });
        expect(main.auth_id).toMatch(/^MA[A-Z0-9]{18}$/);
        expect(main.auth_token).toMatch(/^[A-Za-z0-9_-]{40}$/);
        const sub = await api.call('POST', '/Subaccount/', { body: { name: 'x' } });
        expect(sub.body.auth_id).toMatch(/^SA[A-Z0-9]{18}$/);
        expect(sub.body.auth_token).toMatch(/^[A-Za-z0-9_-]{40}$/);
      }
    },
  );

  proves('Missing or wrong credentials, unknown or disabled account: 401, never saying which', async () => {
    const answers = [
      await api.call('GET', LIST, { as: null }),
      await api.call('GET', LIST, { as: as(api.main.authId, api.stranger.token) }),
      await api.call('GET', LIST, { as: as(api.main.authId, '') }),
      await api.call('GET', LIST, { as: as(api.main.authId, api.main.token.slice(0, -1)) }),
      await api.call('GET', LIST, { as: as('MANOBODY000000000000', api.main.token) }),
      await api.call('GET', LIST, { as: as('nobody', ''), of: api.main.authId }),
      await api.call('GET', LIST, { of: 'MANOBODY000000000000' as AccountId }),
    ];
    for (const authorization of [
      'Bearer x',
      'Basic',
      'Basic !!!',
      `Basic ${Buffer.from('no colon').toString('base64')}`,
      `Basic ${'A'.repeat(4000)}`,
    ]) {
      answers.push(await api.call('GET', LIST, { as: null, headers: { authorization } }));
    }
    api.change({ account: { enabled: false } });
    answers.push(await api.call('GET', LIST));
    const { error } = answers[0]!.body;
    for (const { status, body, headers } of answers) {
      expect({ status, body }).toEqual({ status: 401, body: { api_id: expect.stringMatching(UUID), error } });
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    }
  });

  proves(
    "Every JSON response, errors included, carries api_id, a fresh UUID per request, which is also in the server's log",
    async () => {
      const before = api.logged.length;
      const created = await api.call('POST', LIST, { body: { recipient: '14155559999' } });
      const path = `${LIST}${created.body.session_uuid}/`;
      const { right, wrong } = await api.codes(created.body.session_uuid);
      const answers: Answer[] = [created];
      for (const [method, where, body] of [
        ['GET', LIST],
        ['GET', path],
        ['POST', path, { otp: wrong }],
        ['POST', path, { otp: right }],
        ['POST', LIST, { recipient: '1' }],
        ['POST', LIST, '{'],
        ['DELETE', LIST],
        ['GET', '/Inbox/'],
        ['GET', '/Verify/Application/'],
        ['POST', '/Verify/Application/', {}],
        ['GET', '/Subaccount/'],
        ['POST', '/Subaccount/', { name: 'x' }],
        ['GET', '/Nothing/'],
        ['GET', `${LIST}%zz`],
      ] as [string, string, unknown?][]) {
        answers.push(await api.call(method, where, { body }));
      }
      answers.push(await api.call('GET', LIST, { as: null }));
      const ids = answers.map(({ body }) => body.api_id);
      for (const id of ids) expect(id).toMatch(UUID);
      expect(new Set(ids).size).toBe(ids.length);
      const lines = api.logged.slice(before).map((line) => JSON.parse(line));
      for (const { body, status } of answers) {
        expect(lines.filter((line) => line.api_id === body.api_id)).toEqual([
          expect.objectContaining({ status, path: expect.stringContaining('/v1/Account/MA') }),
        ]);
      }
    },
  );
});
