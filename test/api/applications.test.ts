import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const PATH = '/Verify/Application/';
/** Without those of subaccounts. */
const OWN = `${PATH}?subaccount=MAMAIN00000000000000`;
const TEMPLATE = 'Use \u0024{code} for \u0024{brand_name}.';

/** Adds an application that must be accepted, and resolves to its uuid. */
async function add(body: object = {}, options: object = {}): Promise<string> {
  const answer = await api.call('POST', PATH, { body, ...options });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body.error}`);
  return answer.body.app_uuid;
}

const update = (uuid: string, body: object, options: object = {}) =>
  api.call('POST', `${PATH}${uuid}/`, { body, ...options });
const get = async (uuid: string) => (await api.call('GET', `${PATH}${uuid}/`)).body;
const remove = (uuid: string, options: object = {}) => api.call('DELETE', `${PATH}${uuid}/`, options);

describe('§9 an application', () => {
  test('is shown with every field as it was given, null meaning unset', async () => {
    const fields = {
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
      resend_cooldown: 30,
      test_numbers: [{ recipient: '14155550100', otp: '424242' }],
      confirm_by_key: true,
      number_types: ['fixed-line', 'premium-rate'],
      is_default: true,
    };
    const uuid = await add(fields);
    const { api_id, ...shown } = await get(uuid.toUpperCase());
    expect(shown).toMatchObject({ app_uuid: uuid, ...fields });
    const nothing = Object.fromEntries(Object.keys(fields).map((name) => [name, null]));
    expect((await update(uuid, nothing)).body).toMatchObject(fields);
  });

  test('is changed in what is named, with 202, seen by the next create', async () => {
    const { uuid } = api.application;
    api.advance(1000);
    const answer = await update(uuid, { code_length: 4, url: 'http://Customer.Example', channels: ['sms'] });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      message: 'changed',
      alias: 'default',
      code_length: 4,
      url: 'http://customer.example/',
      updated_at: '2026-01-31T08:52:40.363000Z',
    });
    expect((await update(uuid, { url: '' })).body.url).toBeNull();
    const { right } = await api.codes(await api.create());
    expect(right).toHaveLength(4);
    const voice = { recipient: '14155551234', channel: 'voice' };
    expect((await api.call('POST', '/Verify/Session/', { body: voice })).status).toBe(400);
  });

  test('rules the sessions that name it, with its own live session for a recipient', async () => {
    const uuid = await add({ alias: 'payments', brand_name: 'Acme Pay', locale: 'de' });
    const session = await api.create({ app_uuid: uuid });
    expect(await api.create()).not.toBe(session);
    expect((await api.call('GET', `/Verify/Session/${session}/`)).body).toMatchObject({
      app_uuid: uuid,
      alias: 'payments',
      locale: 'de',
      attempt_details: [{ brand_name: 'Acme Pay' }],
    });
  });

  test('leaves a live session as it began, whatever changes', async () => {
    const session = await api.create();
    await update(api.application.uuid, { max_attempts: 1, expiry: 60, alias: 'renamed' });
    expect(await api.create()).toBe(session);
    api.advance(599_000);
    const shown = (await api.call('GET', `/Verify/Session/${session}/`)).body;
    expect(shown).toMatchObject({ status: 'in-progress', alias: 'default', count: 2 });
  });

  test.each([
    ['alias', ''],
    ['alias', 'x'.repeat(65)],
    ['alias', 'a\nb'],
    ['alias', 7],
    ['brand_name', 'x'.repeat(51)],
    ['template', 'Your code is \u0024{code}'],
    ['template', 'Your \u0024{brand_name} code'],
    ['template', `${TEMPLATE}${'x'.repeat(500)}`],
    ['code_length', 3],
    ['code_length', 9],
    ['code_length', 4.5],
    ['code_length', '6'],
    ['expiry', 59],
    ['expiry', 3601],
    ['max_attempts', 0],
    ['max_attempts', 11],
    ['channels', []],
    ['channels', ['sms', 'sms']],
    ['channels', ['fax']],
    ['channels', 'sms'],
    ['locale', 'english please'],
    ['app_hash', 'short'],
    ['url', 'customer.example'],
    ['url', 'https://user:secret@customer.example/'],
    ['method', 'PUT'],
    ['fraud_shield', 'on'],
    ['resend_cooldown', -1],
    ['resend_cooldown', 3601],
    ['confirm_by_key', 'yes'],
    ['confirm_by_key', 1],
    ['test_numbers', { 14155550100: '424242' }],
    ['test_numbers', [{ recipient: '14155550100' }]],
    ['test_numbers', [{ recipient: '14155550100', otp: '123' }]],
    ['test_numbers', [{ recipient: '12', otp: '1234' }]],
    ['test_numbers', Array.from({ length: 51 }, () => ({ recipient: '14155550100', otp: '1234' }))],
    ['number_types', 'premium-rate'],
    ['number_types', ['mobile']],
    ['number_types', ['pager', 'pager']],
    ['is_default', 'true'],
    ['app_uuid', 'mine'],
    ['colour', 'blue'],
  ])('is refused with 400 naming the field: %s %j', async (name, value) => {
    for (const path of [PATH, `${PATH}${api.application.uuid}/`]) {
      const { status, body } = await api.call('POST', path, { body: { [name]: value } });
      expect({ status, error: body.error }).toEqual({ status: 400, error: expect.stringContaining(name) });
    }
    expect((await api.call('GET', OWN)).body.applications).toHaveLength(1);
  });
});

describe('§9 exactly one application per account is the default', () => {
  const defaults = async () =>
    (await api.call('GET', OWN)).body.applications
      .filter((each: { is_default: boolean }) => each.is_default)
      .map((each: { app_uuid: string }) => each.app_uuid);

  test('which is the first, until another is made the default', async () => {
    expect(await defaults()).toEqual([api.application.uuid]);
    const created = await add({ is_default: true });
    expect(await defaults()).toEqual([created]);
    await update(api.application.uuid, { is_default: true });
    expect(await defaults()).toEqual([api.application.uuid]);
    const uuid = await add({ alias: 'next' });
    await update(uuid, { is_default: true });
    const session = await api.create();
    expect((await api.call('GET', `/Verify/Session/${session}/`)).body.alias).toBe('next');
  });

  test('which can neither be deleted nor step down by itself: 409 says what to do', async () => {
    const { uuid } = api.application;
    const deleted = await remove(uuid);
    expect(deleted.status).toBe(409);
    expect(deleted.body.error).toContain('make another the default first');
    const stepped = await update(uuid, { is_default: false });
    expect(stepped.status).toBe(409);
    expect(stepped.body.error).toContain('is_default');
    expect(await defaults()).toEqual([uuid]);
  });
});

describe('§9 deleting an application', () => {
  test('answers 204 without a body, and 404 from then on', async () => {
    const uuid = await add();
    const deleted = await remove(uuid, { body: {} });
    expect([deleted.status, deleted.body]).toEqual([204, '']);
    const body = { recipient: '14155551234', app_uuid: uuid };
    const after = [
      await api.call('GET', `${PATH}${uuid}/`),
      await update(uuid, { alias: 'x' }),
      await remove(uuid),
      await api.call('POST', '/Verify/Session/', { body }),
    ];
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });

  test('is refused with 409 while it has live sessions', async () => {
    const uuid = await add();
    const session = await api.create({ app_uuid: uuid });
    const refused = await remove(uuid);
    expect(refused.status).toBe(409);
    expect(refused.body.error).toContain('live sessions');
    const { right } = await api.codes(session);
    await api.call('POST', `/Verify/Session/${session}/`, { body: { otp: right } });
    expect((await remove(uuid)).status).toBe(204);
    expect((await api.call('GET', `/Verify/Session/${session}/`)).body).toMatchObject({
      app_uuid: uuid,
      status: 'verified',
    });
  });
});

describe('§9 the list of applications', () => {
  const list = async (query = '', as = api.main) => (await api.call('GET', `${PATH}${query}`, { as })).body;
  const uuids = (body: { applications: { app_uuid: string }[] }) =>
    body.applications.map(({ app_uuid }) => app_uuid);

  test('is newest first and pages like that of sessions', async () => {
    const added: string[] = [];
    for (let index = 0; index < 3; index++) {
      api.advance(1);
      added.unshift(await add({}, { of: api.sub.authId }));
    }
    const query = `?subaccount=${api.sub.authId}&limit=2`;
    const first = await list(query);
    expect(uuids(first)).toEqual(added.slice(0, 2));
    const path = `/v1/Account/${api.main.authId}${PATH}`;
    expect(first.meta).toEqual({
      limit: 2,
      offset: 0,
      next: `${path}?limit=2&offset=2&subaccount=${api.sub.authId}`,
      previous: null,
    });
    const second = await list(`${query}&offset=2`);
    expect(uuids(second)[0]).toBe(added[2]);
    expect(second.meta).toMatchObject({ next: null, previous: expect.stringContaining('offset=0') });
    for (const bad of ['?limit=0', '?limit=21', '?offset=-1', '?subaccount=x']) {
      expect((await api.call('GET', `${PATH}${bad}`)).status).toBe(400);
    }
    expect((await api.call('GET', `${PATH}?subaccount=SANOBODY000000000000`)).status).toBe(404);
  });

  test('has a main account’s own and its subaccounts’, and only its own for a subaccount', async () => {
    const mine = api.application.uuid;
    const [theirs] = uuids(await list('', api.sub));
    const [strangers] = uuids(await list('', api.stranger));
    expect(uuids(await list()).sort()).toEqual([mine, theirs].sort());
    expect(uuids(await list(`?subaccount=${api.main.authId}`))).toEqual([mine]);
    expect(uuids(await list(`?subaccount=${api.sub.authId}`))).toEqual([theirs]);

    const visible = async (as: typeof api.main, uuid: string) =>
      (await api.call('GET', `${PATH}${uuid}/`, { as })).status;
    expect(await visible(api.main, theirs!)).toBe(200);
    expect(await visible(api.sub, theirs!)).toBe(200);
    expect(await visible(api.sub, mine)).toBe(404);
    expect(await visible(api.main, strangers!)).toBe(404);
    expect(await visible(api.main, 'no-uuid')).toBe(404);
    expect((await update(mine, { alias: 'x' }, { as: api.sub })).status).toBe(404);
    expect((await remove(mine, { as: api.sub })).status).toBe(404);
    expect((await update(theirs!, { alias: 'renamed' })).body).toMatchObject({
      account: api.sub.authId,
      alias: 'renamed',
    });
  });
});

describe('test numbers', () => {
  const otp = '424242';
  const numbers = { test_numbers: [{ recipient: '+1 415 555 0100', otp }] };

  test('get nothing sent and have their fixed code; retrieve and list say so', async () => {
    await update(api.application.uuid, numbers);
    const session = await api.create({ recipient: '14155550100', otp: '777777' });
    const other = await api.create();
    const shown = (await api.call('GET', `/Verify/Session/${session}/`)).body;
    expect(shown).toMatchObject({
      test: true,
      attempt_details: [{ status: 'delivered' }],
      charges: { total_charge: '0' },
    });
    const listed = (await api.call('GET', '/Verify/Session/')).body.sessions;
    const tests = new Map(listed.map((each: Record<string, unknown>) => [each.session_uuid, each.test]));
    expect(tests.get(session)).toBe(true);
    expect(tests.get(other)).toBeUndefined();
    expect(await api.store.read.backlog()).toMatchObject({ deliveries: 1 });
    const right = await api.call('POST', `/Verify/Session/${session}/`, { body: { otp } });
    expect(right.body.message).toBe('session validated successfully.');
    const wrong = await api.call('POST', `/Verify/Session/${other}/`, { body: { otp } });
    expect(wrong.status).toBe(400);
  });

  test('never show their codes in the log', async () => {
    await update(api.application.uuid, numbers);
    await api.create({ recipient: '14155550100' });
    expect(api.logged.join('')).toContain('/Verify/Application/');
    expect(api.logged.join('')).not.toContain(otp);
  });
});
