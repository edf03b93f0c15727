import plivo from 'plivo';
import { beforeAll, describe, expect } from 'vitest';
import type { Untyped } from '../e2e/support.js';
import { read } from '../repository/markdown.js';
import type { Credentials } from '../support/api-server.js';
import { section } from './section.js';
import { startWorld, type World } from './world.js';

const APPLICATIONS = '/Verify/Application/';
const SUBACCOUNTS = '/Subaccount/';
const OPT_OUTS = '/Verify/OptOut/';
const SESSIONS = '/Verify/Session/';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TEMPLATE = 'Code \u0024{code} of \u0024{brand_name}.';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

const post = (path: string, body: object, as?: Credentials) => world.call('POST', path, { body, as });
const get = async (path: string, as?: Credentials) => {
  const { status, body } = await world.call('GET', path, { as });
  expect([path, status]).toEqual([path, 200]);
  return body;
};
const now = () => new Date(world.server.time.now()).toISOString().replace('Z', '000Z');

/** Makes an enabled subaccount; resolves to its credentials. */
async function subaccount(fields: object = {}): Promise<Credentials> {
  const { status, body } = await post(SUBACCOUNTS, { name: 'Wayne', enabled: true, ...fields });
  expect(status).toBe(201);
  return { authId: body.auth_id, token: body.auth_token };
}

const isLetIn = async (as: Credentials) => (await world.call('GET', SESSIONS, { as })).status === 200;

async function textOf(fields: object): Promise<{ text: string; code: string }> {
  return (await world.messages(await world.create(fields)))[0]!;
}

const proves = section(9);

describe('§9 Applications', () => {
  proves(
    [
      'Here they have a REST resource in the same style',
      'and number_types (refused kinds of recipients that it allows)',
    ],
    async () => {
      const as = await subaccount();
      const created = await post(APPLICATIONS, {}, as);
      expect(created.status).toBe(201);
      const { app_uuid } = created.body;
      const fields = {
        alias: 'application',
        brand_name: '',
        template: '',
        code_length: 6,
        expiry: 600,
        max_attempts: 5,
        channels: ['sms', 'voice'],
        locale: 'en',
        app_hash: '',
        domain: '',
        url: null,
        method: 'POST',
        fraud_shield: 'off',
        resend_cooldown: 0,
        test_numbers: [],
        confirm_by_key: false,
        number_types: [],
        is_default: false,
      };
      expect(created.body).toEqual({
        api_id: expect.stringMatching(UUID),
        message: 'created',
        app_uuid: expect.stringMatching(UUID),
        account: as.authId,
        ...fields,
        created_at: now(),
        updated_at: now(),
      });

      const path = `${APPLICATIONS}${app_uuid}/`;
      expect(await get(path, as)).toMatchObject({ app_uuid, ...fields });
      const changed = {
        alias: 'login',
        brand_name: 'Acme',
        template: TEMPLATE,
        code_length: 8,
        expiry: 60,
        max_attempts: 10,
        channels: ['voice'],
        locale: 'pt-BR',
        app_hash: 'A1b2C3d4E5f',
        url: 'https://customer.example/status',
        method: 'GET',
        fraud_shield: 'high',
        number_types: ['fixed-line', 'premium-rate'],
        is_default: true,
      };
      const updated = await post(path, changed, as);
      expect(updated.status).toBe(202);
      expect(await get(path, as)).toMatchObject({ app_uuid, ...changed });
      const { applications } = await get(APPLICATIONS, as);
      expect(applications.map((each: Untyped) => each.app_uuid)).toContain(app_uuid);

      const other = (await post(APPLICATIONS, { domain: 'acme.example' }, as)).body;
      expect(other.domain).toBe('acme.example');
      const deleted = await world.call('DELETE', `${APPLICATIONS}${other.app_uuid}/`, { as });
      expect([deleted.status, deleted.body]).toEqual([204, '']);
      expect((await world.call('GET', `${APPLICATIONS}${other.app_uuid}/`, { as })).status).toBe(404);

      for (const [name, ...values] of [
        ['code_length', 3, 9],
        ['expiry', 59, 3601],
        ['max_attempts', 0, 11],
        ['channels', 'sms', [], ['fax']],
        ['method', 'PUT'],
        ['fraud_shield', 'on'],
        ['number_types', 'pager', ['mobile']],
        ['is_default', 'true'],
      ] as [string, ...unknown[]][]) {
        for (const value of values) {
          for (const where of [APPLICATIONS, path]) {
            const answer = await post(where, { [name]: value }, as);
            expect([name, value, answer.status]).toEqual([name, value, 400]);
            expect(answer.body.error).toContain(name);
          }
        }
      }
      for (const fraud_shield of ['high', 'medium', 'low', 'off']) {
        expect((await post(path, { fraud_shield }, as)).body.fraud_shield).toBe(fraud_shield);
      }
      for (const [name, least, most] of [
        ['code_length', 4, 8],
        ['expiry', 60, 3600],
        ['max_attempts', 1, 10],
      ] as const) {
        for (const value of [least, most]) {
          expect((await post(path, { [name]: value }, as)).body[name]).toBe(value);
        }
      }
    },
  );

  proves("template null or empty means the default message in the attempt's locale", async () => {
    for (const template of [null, '', undefined]) {
      const app_uuid = await world.application({ template });
      expect((await textOf({ app_uuid, locale: 'es' })).text).toMatch(/^Tu código de verificación/);
      expect((await textOf({ app_uuid, locale: 'en' })).text).toMatch(/^Your verification code/);
    }
    const app_uuid = await world.application({ template: TEMPLATE, brand_name: 'Acme' });
    const { text, code } = await textOf({ app_uuid, locale: 'es' });
    expect(text).toBe(`Code ${code} of Acme.`);
    await post(`${APPLICATIONS}${app_uuid}/`, { template: '' });
    expect((await textOf({ app_uuid, locale: 'es' })).text).toMatch(/^Tu código de verificación de Acme/);
  });

  proves('app_hash and domain exclude each other', async () => {
    const [app_hash, domain] = ['A1b2C3d4E5f', 'acme.example'];
    expect((await post(APPLICATIONS, { app_hash, domain })).status).toBe(400);
    const hashed = await world.application({ app_hash });
    expect((await post(`${APPLICATIONS}${hashed}/`, { domain })).status).toBeGreaterThanOrEqual(400);
    const bound = await world.application({ domain });
    expect((await post(`${APPLICATIONS}${bound}/`, { app_hash })).status).toBeGreaterThanOrEqual(400);
    expect(await get(`${APPLICATIONS}${hashed}/`)).toMatchObject({ app_hash, domain: '' });
    expect(await get(`${APPLICATIONS}${bound}/`)).toMatchObject({ app_hash: '', domain });
  });

  proves('Exactly one application per account is the default', async () => {
    const as = await subaccount();
    const defaults = async () =>
      (await get(APPLICATIONS, as)).applications
        .filter((each: Untyped) => each.is_default)
        .map((each: Untyped) => each.app_uuid);
    const [first] = await defaults();
    expect(await defaults()).toEqual([first]);
    const second = (await post(APPLICATIONS, { is_default: true }, as)).body.app_uuid;
    expect(await defaults()).toEqual([second]);
    await post(`${APPLICATIONS}${first}/`, { is_default: true }, as);
    expect(await defaults()).toEqual([first]);
    expect((await post(`${APPLICATIONS}${first}/`, { is_default: false }, as)).status).toBe(409);
    expect((await world.call('DELETE', `${APPLICATIONS}${first}/`, { as })).status).toBe(409);
    const added = [1, 2, 3, 4].map(() => post(APPLICATIONS, { is_default: true }, as));
    const uuids = (await Promise.all(added)).map(({ body }) => body.app_uuid);
    expect(await defaults()).toHaveLength(1);
    await Promise.all(uuids.map((uuid) => post(`${APPLICATIONS}${uuid}/`, { is_default: true }, as)));
    expect(await defaults()).toHaveLength(1);
    expect((await get(APPLICATIONS, await subaccount())).applications).toMatchObject([{ is_default: true }]);
  });

  proves(
    'Fraud Shield itself comes later: until then fraud_shield and fraud_check are stored, shown',
    async () => {
      const app_uuid = await world.application({ fraud_shield: 'high' });
      expect((await get(`${APPLICATIONS}${app_uuid}/`)).fraud_shield).toBe('high');
      for (const fraud_check of ['enabled', 'disabled']) {
        const session = await world.create({ app_uuid, fraud_check });
        expect((await world.retrieve(session)).attempt_details[0].fraud_check).toBe(fraud_check);
        expect(await world.messages(session)).toHaveLength(1);
      }
      expect(read('docs/applications.md')).toMatch(
        /`fraud_shield` .*without effect in this version.*`fraud_check`/,
      );
    },
  );

  proves(
    [
      'Also resend_cooldown (seconds between two attempts of a session, 0–3600, default 0',
      'sooner: 429 with Retry-After) and test_numbers (recipients with a fixed code, to which nothing is sent',
    ],
    async () => {
      const app_uuid = await world.application({ resend_cooldown: 30 });
      const body = { app_uuid, recipient: world.recipient() };
      const session = await world.create(body);
      await world.server.time.advance(10_500);
      const early = await post(SESSIONS, body);
      expect([early.status, early.headers.get('retry-after')]).toEqual([429, '20']);
      expect(await world.create({ app_uuid })).not.toBe(session);
      await world.server.time.advance(19_500);
      expect(await world.create(body)).toBe(session);
      for (const resend_cooldown of [-1, 3601, '30']) {
        const answer = await post(APPLICATIONS, { resend_cooldown });
        expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining('resend_cooldown')]);
      }
      await world.application({ resend_cooldown: 3600 });
      const without = { recipient: world.recipient() };
      expect(await world.create(without)).toBe(await world.create(without));

      const recipient = world.recipient();
      const tested = await world.application({ test_numbers: [{ recipient, otp: '424242' }] });
      const before = world.gateway.requests.length;
      const test = await world.create({ app_uuid: tested, recipient });
      const other = await world.create({ app_uuid: tested });
      await world.messages(other);
      const sent = world.gateway.requests.slice(before).map((request) => JSON.parse(request.body).recipient);
      expect(sent).not.toContain(recipient);
      expect((await world.validate(other, { otp: '424242' })).status).toBe(400);
      expect((await world.validate(test, { otp: '424242' })).status).toBe(200);
    },
  );

  proves(
    'confirm_by_key (default false: calls ask the callee to press 1, which verifies the session, and never speak its code',
    async () => {
      const app_uuid = await world.application({ confirm_by_key: true });
      const session = await world.create({ app_uuid, channel: 'voice' });
      const [call] = await world.messages(session);
      expect(call).toMatchObject({ confirm_by_key: true, code: null, text: '' });
      const message = await world.create({ recipient: call!.recipient, app_uuid });
      expect(message).toBe(session);
      const [, sms] = await world.messages(session, 2);
      expect(sms).toMatchObject({ channel: 'sms', code: expect.stringMatching(/^[0-9]{6}$/) });
      await world.report(call!, 'completed', undefined, { confirmed: true });
      expect((await world.retrieve(session)).status).toBe('verified');
      expect((await world.validate(session, { otp: sms!.code })).body.error).toContain('already verified');
      const speaking = await world.create({ channel: 'voice' });
      expect((await world.messages(speaking))[0]).toMatchObject({
        code: expect.stringMatching(/^[0-9]{6}$/),
      });
    },
  );

  proves('retrieve and list show their sessions with "test": true', async () => {
    const recipient = world.recipient();
    const app_uuid = await world.application({ test_numbers: [{ recipient, otp: '424242' }] });
    const [test, other] = [
      await world.create({ app_uuid, recipient }),
      await world.create({ app_uuid, recipient: world.recipient() }),
    ];
    expect((await world.retrieve(test)).test).toBe(true);
    expect(await world.retrieve(other)).not.toHaveProperty('test');
    const { sessions } = await get(`${SESSIONS}?app_uuid=${app_uuid}`);
    const shown = Object.fromEntries(sessions.map((each: Untyped) => [each.session_uuid, each.test]));
    expect(shown).toEqual({ [test]: true, [other]: undefined });
  });
});

describe('§9 Subaccounts', () => {
  proves("Subaccounts, in the shape that the SDKs' subaccounts resources expect", async () => {
    const clientOf = ({ authId, token }: Credentials): Untyped =>
      new plivo.Client(authId, token, { url: `${world.server.url}/v1/Account/${authId}` } as Untyped);
    const { subaccounts } = clientOf(world.main);
    const created = await subaccounts.create('Wayne Enterprises', true);
    expect(created).toMatchObject({
      authId: expect.stringMatching(/^SA[A-Z0-9]{18}$/),
      authToken: expect.stringMatching(/^.{40}$/),
      message: 'created',
    });
    const { authId, authToken: token } = created;
    await world.server.time.advance(1);
    const disabled = await subaccounts.create('Disabled', false);

    const listed = await subaccounts.list({ limit: 2 });
    expect(listed.map((each: Untyped) => each.authId)).toEqual([disabled.authId, authId]);
    expect(listed.meta.totalCount).toBeGreaterThanOrEqual(2);

    expect(await subaccounts.get(authId)).toMatchObject({ name: 'Wayne Enterprises', enabled: true });
    expect(await subaccounts.get(authId)).toMatchObject({ authToken: token });
    expect((await subaccounts.get(disabled.authId)).enabled).toBe(false);
    expect(await subaccounts.update(authId, 'Wayne', false)).toMatchObject({ message: 'changed' });
    expect(await subaccounts.get(authId)).toMatchObject({ name: 'Wayne', enabled: false });
    const sessions = clientOf({ authId, token }).verify_session;
    await expect(sessions.list()).rejects.toMatchObject({ status: 401 });
    expect(await subaccounts.delete(authId, true)).toBe(true);
    expect(await subaccounts.delete(disabled.authId)).toBe(true);
    await expect(subaccounts.get(authId)).rejects.toMatchObject({ status: 404 });
  });

  proves('POST create (name, enabled) → 201 {api_id, auth_id, auth_token, message: "created"}', async () => {
    const answer = await post(SUBACCOUNTS, { name: 'Wayne', enabled: true });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      api_id: expect.stringMatching(UUID),
      auth_id: expect.stringMatching(/^SA[A-Z0-9]{18}$/),
      auth_token: expect.stringMatching(/^[A-Za-z0-9_-]{40}$/),
      message: 'created',
    });
    const as = { authId: answer.body.auth_id, token: answer.body.auth_token };
    expect(await isLetIn(as)).toBe(true);
    const { applications } = await get(APPLICATIONS, as);
    expect(applications).toMatchObject([{ alias: 'default', is_default: true }]);
  });

  proves(
    'GET list → {api_id, meta: {limit, offset, next, previous, total_count}, objects: […]}',
    async () => {
      const made: Credentials[] = [];
      for (let count = 0; count < 3; count++) {
        await world.server.time.advance(1);
        made.unshift(await subaccount());
      }
      const first = await get(`${SUBACCOUNTS}?limit=2`);
      const total_count = first.meta.total_count;
      const path = `/v1/Account/${world.main.authId}${SUBACCOUNTS}`;
      expect(first).toEqual({
        api_id: expect.stringMatching(UUID),
        meta: { limit: 2, offset: 0, next: `${path}?limit=2&offset=2`, previous: null, total_count },
        objects: made
          .slice(0, 2)
          .map(({ authId: auth_id, token: auth_token }) =>
            expect.objectContaining({ auth_id, auth_token, name: 'Wayne' }),
          ),
      });
      const second = await get(`${SUBACCOUNTS}?limit=2&offset=2`);
      expect(second.objects[0].auth_id).toBe(made[2]!.authId);
      expect(second.meta.previous).toBe(`${path}?limit=2&offset=0`);
      await subaccount();
      expect((await get(SUBACCOUNTS)).meta.total_count).toBe(total_count + 1);
      const last = await get(`${SUBACCOUNTS}?limit=1&offset=${total_count}`);
      expect([last.objects.length, last.meta.next]).toEqual([1, null]);
      const none = await get(`${SUBACCOUNTS}?offset=${total_count + 1}`);
      expect(none.objects).toEqual([]);
    },
  );

  proves(
    'GET one → account, api_id, auth_id, auth_token, created, enabled (JSON boolean), modified, name',
    async () => {
      const created = now();
      const { authId, token } = await subaccount();
      const account = `/v1/Account/${world.main.authId}/`;
      const shown = {
        account,
        api_id: expect.stringMatching(UUID),
        auth_id: authId,
        auth_token: token,
        created,
        enabled: true,
        modified: null,
        name: 'Wayne',
        new_auth_token: null,
        resource_uri: `${account}Subaccount/${authId}/`,
      };
      const path = `${SUBACCOUNTS}${authId}/`;
      expect(await get(path)).toEqual(shown);
      await world.server.time.advance(1_000);
      await post(path, { name: 'Kane', enabled: false });
      expect(await get(path)).toEqual({ ...shown, name: 'Kane', enabled: false, modified: now() });
    },
  );

  proves('POST update → 202 {api_id, message: "changed"}', async () => {
    const as = await subaccount();
    const answer = await post(`${SUBACCOUNTS}${as.authId}/`, { name: 'Kane', enabled: false });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ api_id: expect.stringMatching(UUID), message: 'changed' });
    expect(await isLetIn(as)).toBe(false);
    await post(`${SUBACCOUNTS}${as.authId}/`, { enabled: true });
    expect(await isLetIn(as)).toBe(true);
  });

  proves(
    [
      'DELETE → 204 (Ruby and Java fail on 202)',
      'DELETE bodies vary ({}, {"cascade": …}, extra ids)',
      'PHP also sends ?cascade=1',
    ],
    async () => {
      for (const [query, body] of [
        ['', undefined],
        ['', {}],
        ['', { cascade: 'true' }],
        ['', { cascade: false }],
        ['', { id: 'SA', subauth_id: 'x', cascade: true }],
        ['?cascade=1', undefined],
        ['?cascade=1', { cascade: 1 }],
      ] as const) {
        const as = await subaccount();
        const path = `${SUBACCOUNTS}${as.authId}/`;
        const answer = await world.call('DELETE', `${path}${query}`, { body });
        expect([query, body, answer.status, answer.body]).toEqual([query, body, 204, '']);
        expect(await isLetIn(as)).toBe(false);
        const after = [
          await world.call('GET', path),
          await post(path, { name: 'y' }),
          await world.call('DELETE', path),
        ];
        expect(after.map(({ status }) => status)).toEqual([404, 404, 404]);
      }
    },
  );

  proves(
    'countries (ISO 3166-1 alpha-2 codes that it may send to) may be sent too, and is shown where it is set',
    async () => {
      const as = await subaccount({ countries: ['DE', 'FR', 'DE'] });
      const path = `${SUBACCOUNTS}${as.authId}/`;
      const create = async () => (await post(SESSIONS, { recipient: '14155551234' }, as)).status;
      expect((await get(path)).countries).toEqual(['DE', 'FR']);
      expect(await create()).toBe(403);
      await post(path, { countries: ['US'] });
      expect(await create()).toBe(202);
      await post(path, { name: 'Kane', countries: null });
      expect(await get(path)).toMatchObject({ name: 'Kane', countries: ['US'] });
      const { objects } = await get(SUBACCOUNTS);
      expect(objects).toContainEqual(expect.objectContaining({ auth_id: as.authId, countries: ['US'] }));
      await post(path, { countries: [] });
      expect(await get(path)).not.toHaveProperty('countries');
      for (const countries of ['US', ['us'], ['USA'], ['US', 'XX']]) {
        for (const where of [SUBACCOUNTS, path]) {
          const { status, body } = await post(where, { name: 'x', countries });
          expect([countries, status, body.error]).toEqual([
            countries,
            400,
            expect.stringContaining('countries'),
          ]);
        }
      }
    },
  );

  proves("Only the main account manages them: 404 on a subaccount's own path", async () => {
    const as = await subaccount();
    const other = await subaccount();
    const calls: [string, string, object?][] = [
      ['GET', SUBACCOUNTS],
      ['POST', SUBACCOUNTS, { name: 'x' }],
      ['GET', `${SUBACCOUNTS}${other.authId}/`],
      ['POST', `${SUBACCOUNTS}${as.authId}/`, { name: 'x' }],
      ['DELETE', `${SUBACCOUNTS}${other.authId}/`],
    ];
    for (const [method, path, body] of calls) {
      const { status } = await world.call(method, path, { as, body });
      expect([method, path, status]).toEqual([method, path, 404]);
    }
    expect([await isLetIn(as), await isLetIn(other)]).toEqual([true, true]);
  });

  proves('While one has live sessions, DELETE answers 409', async () => {
    const as = await subaccount();
    const path = `${SUBACCOUNTS}${as.authId}/`;
    const session = await world.create({}, { as });
    const refused = await world.call('DELETE', path);
    expect([refused.status, refused.body.error]).toEqual([409, expect.stringContaining('live sessions')]);
    await world.server.time.advance(600_000);
    expect((await world.call('DELETE', path)).status).toBe(204);
    expect((await world.retrieve(session)).status).toBe('expired');
  });

  proves(
    [
      'enabled left out of a create means false, left out of an update: unchanged',
      'Node sends enabled and cascade as strings "true"/"false"',
      'Python and Ruby default to enabled: false on create and on update',
      'Go omits false',
    ],
    async () => {
      for (const [sent, enabled] of [
        [{}, false],
        [{ enabled: null }, false],
        [{ enabled: false }, false],
        [{ enabled: 'false' }, false],
        [{ enabled: true }, true],
        [{ enabled: 'true' }, true],
      ] as const) {
        const { body } = await post(SUBACCOUNTS, { name: 'x', ...sent });
        const path = `${SUBACCOUNTS}${body.auth_id}/`;
        expect([sent, (await get(path)).enabled]).toEqual([sent, enabled]);

        const isSaid = 'enabled' in sent && sent.enabled !== null;
        for (const before of [true, false]) {
          await post(path, { name: 'x', enabled: before });
          await post(path, { name: 'y', ...sent });
          const expected = isSaid ? enabled : before;
          expect([sent, before, (await get(path)).enabled]).toEqual([sent, before, expected]);
        }
      }
    },
  );
});

describe('§9 Opt-outs', () => {
  const optOut = async (recipient: string | number) => {
    const { status } = await post(OPT_OUTS, { recipient });
    expect([recipient, status]).toEqual([recipient, 201]);
  };

  proves(
    'Opt-outs (ours): /v1/Account/{auth_id}/Verify/OptOut/ (POST recipient → 201, GET list → {api_id, meta, opt_outs})',
    async () => {
      const api_id = expect.stringMatching(UUID);
      const meta = { limit: 20, offset: 0, next: null, previous: null };
      expect(await get(OPT_OUTS)).toEqual({ api_id, meta, opt_outs: [] });

      const recipient = '14155551234';
      const shown = { recipient, source: 'api', carrier: null, created_at: now() };
      for (const written of ['+1 (415) 555-1234', recipient, Number(recipient)]) {
        const made = await post(OPT_OUTS, { recipient: written });
        expect([made.status, made.body]).toEqual([201, { api_id, message: 'created', ...shown }]);
        await world.server.time.advance(1_000);
      }
      expect(await get(`${OPT_OUTS}${recipient}/`)).toEqual({ api_id, ...shown });
      expect(await get(`${OPT_OUTS}${encodeURIComponent('+1 415 555 1234')}/`)).toEqual({ api_id, ...shown });
      await optOut('14155551235');
      const other = { recipient: '14155551235', source: 'api', carrier: null, created_at: now() };
      expect(await get(OPT_OUTS)).toEqual({ api_id, meta, opt_outs: [other, shown] });
      const { meta: paged, opt_outs } = await get(`${OPT_OUTS}?limit=1`);
      const next = `/v1/Account/${world.main.authId}${OPT_OUTS}?limit=1&offset=1`;
      expect([paged, opt_outs]).toEqual([{ limit: 1, offset: 0, next, previous: null }, [other]]);

      const path = `${OPT_OUTS}${recipient}/`;
      const removed = await world.call('DELETE', path);
      expect([removed.status, removed.body]).toEqual([204, '']);
      const gone = [await world.call('GET', path), await world.call('DELETE', path)];
      expect(gone.map(({ status }) => status)).toEqual([404, 404]);
      expect((await get(OPT_OUTS)).opt_outs).toEqual([other]);
    },
  );

  proves(
    [
      "A create for a recipient on the main account's list is answered 202",
      'the SMS attempt is failed with channel error 200, and nothing is sent',
    ],
    async () => {
      for (const as of [world.main, await subaccount()]) {
        const customer = await world.customer();
        const recipient = world.recipient();
        await optOut(recipient);
        const sent = world.gateway.requests.length;
        const session = await world.create({ recipient, url: customer.url() }, { as });
        const told = await world.callbacks(customer, 2);
        expect(told.map(({ parameters }) => [parameters.ChannelStatus, parameters.ChannelErrorCode])).toEqual(
          [
            ['queued', ''],
            ['failed', '200'],
          ],
        );
        const { attempt_details } = await world.retrieve(session);
        expect(attempt_details).toMatchObject([{ channel: 'sms', status: 'failed' }]);

        // A call goes out, and so does an SMS after the recipient was taken off the list: both after the first.
        await world.create({ recipient, channel: 'voice' }, { as });
        await world.messages(session, 1);
        await world.call('DELETE', `${OPT_OUTS}${recipient}/`);
        await world.create({ recipient }, { as });
        const messages = await world.messages(session, 2);
        expect(messages.map((each) => each.channel)).toEqual(['voice', 'sms']);
        expect(world.gateway.requests.length).toBe(sent + 2);
      }
    },
  );
});
