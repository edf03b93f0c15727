import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attempt, Session } from '#verify/model.js';
import { type ApiServer, startApi } from '../support/api-server.js';
import { newId } from '../support/rows.js';

const PATH = '/Verify/Session/';
const RECIPIENT = '14155551234';
const TEMPLATE = '$' + '{brand_name}: $' + '{code}';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const post = (body: unknown) => api.call('POST', PATH, { body });

/** Creates, and shows what the store keeps of it. */
async function stored(body: Record<string, unknown>): Promise<{ session: Session; attempt: Attempt }> {
  const uuid = await api.create(body);
  const { session, attempts } = (await api.store.read.session(uuid))!;
  return { session, attempt: attempts.at(-1)! };
}

/** The error of a create that must be refused with 400 and leave no trace. */
async function refused(body: unknown): Promise<string> {
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 400 });
  expect(api.store.database.tables.session.size).toBe(0);
  return answer.body.error;
}

test('§2 a create answers 202 with message and session_uuid, and the session is there', async () => {
  const answer = await post({ recipient: RECIPIENT });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({
    api_id: expect.stringMatching(/^.{36}$/),
    message: 'Session initiated',
    session_uuid: expect.stringMatching(/^.{36}$/),
  });
  expect(await api.store.read.session(answer.body.session_uuid)).not.toBeNull();
});

describe('§2 recipient', () => {
  test.each([RECIPIENT, `+${RECIPIENT}`, '+1 (415) 555-1234', '1.415.555.1234', 14155551234])(
    '%j is stored as digits',
    async (recipient) => {
      const { session } = await stored({ recipient });
      expect(session.recipient).toBe(RECIPIENT);
      expect(session.country).toBe('US');
    },
  );
});

describe('§2 app_uuid', () => {
  test('names an application of the account', async () => {
    const { uuid } = await api.addApplication(api.main.authId, { alias: 'login', codeLength: 8 });
    const { session } = await stored({ app_uuid: uuid });
    expect(session).toMatchObject({ application: uuid, alias: 'login', code: { length: 8 } });
  });

  test('without it the default application is used', async () => {
    await api.addApplication(api.main.authId);
    expect((await stored({})).session.application).toBe(api.application.uuid);
  });

  test('of another account, of none, or no UUID at all: 404', async () => {
    const other = await api.addApplication(api.stranger.authId);
    for (const app_uuid of [other.uuid, newId(), 'login', '']) {
      const answer = await post({ recipient: RECIPIENT, app_uuid });
      expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining('app_uuid') } });
    }
  });
});

describe('§2 channel', () => {
  test('is sms unless voice is asked for', async () => {
    expect((await stored({})).attempt.channel).toBe('sms');
    expect((await stored({ channel: 'voice' })).attempt.channel).toBe('voice');
  });

  test('that the application does not have is refused', async () => {
    api.change({ application: { channels: ['voice'] } });
    expect(await refused({ recipient: RECIPIENT })).toContain('channel');
  });
});

test('§2 what the caller does not set comes from the application', async () => {
  api.change({
    application: {
      brandName: 'Acme',
      appHash: 'AAAAAAAAAAA',
      locale: 'es',
      codeLength: 5,
      url: 'https://acme.example/',
      method: 'GET',
    },
  });
  const { session, attempt } = await stored({});
  expect(attempt).toMatchObject({
    brandName: 'Acme',
    appHash: 'AAAAAAAAAAA',
    locale: 'es',
    dtmf: null,
    src: null,
  });
  expect(session).toMatchObject({ url: 'https://acme.example/', method: 'GET', code: { length: 5 } });
});

describe('§2 locale', () => {
  test('chooses the message, and is shown as it was asked for', async () => {
    for (const [locale, text] of [
      ['pt_BR', 'Seu código de verificação'],
      ['xx', 'Your verification code'],
    ] as const) {
      const { session, attempt } = await stored({ locale });
      expect(attempt.template).toContain(text);
      const answer = await api.call('GET', `${PATH}${session.uuid}/`);
      expect(answer.body.locale).toBe(locale);
    }
  });

  test('does not change a template of the application', async () => {
    api.change({ application: { template: TEMPLATE } });
    expect((await stored({ locale: 'fr' })).attempt.template).toBe(TEMPLATE);
  });
});

describe('§2 app_hash', () => {
  const app_hash = 'Fa/+0123456';

  test('that makes the SMS longer than Android reads is refused by name', async () => {
    api.change({ application: { template: `${'x'.repeat(130)} ${TEMPLATE}` } });
    expect(await refused({ recipient: RECIPIENT, app_hash })).toMatch(/^app_hash .*140 bytes/);
  });

  test('does not matter to a call', async () => {
    api.change({ application: { template: `${'x'.repeat(130)} ${TEMPLATE}` } });
    expect((await stored({ channel: 'voice', app_hash })).attempt.appHash).toBe(app_hash);
  });

  test('has the last line before the domain of the application', async () => {
    api.change({ application: { domain: 'acme.example' } });
    expect((await stored({})).attempt).toMatchObject({ appHash: '', domain: 'acme.example' });
    expect((await stored({ app_hash })).attempt).toMatchObject({ appHash: app_hash, domain: '' });
  });
});

test('§2 what the caller sets replaces what the application has', async () => {
  const { session, attempt } = await stored({
    channel: 'voice',
    brand_name: 'Other',
    app_hash: 'Fa/+0123456',
    locale: 'pt-BR',
    code_length: 8,
    url: 'HTTPS://Acme.Example:443',
    method: 'GET',
    dtmf: 5,
    fraud_check: 'disabled',
    src: '+14155550000',
  });
  expect(attempt).toMatchObject({
    channel: 'voice',
    brandName: 'Other',
    appHash: 'Fa/+0123456',
    locale: 'pt-BR',
    dtmf: 5,
    fraudCheck: 'disabled',
    src: '+14155550000',
  });
  expect(session).toMatchObject({ url: 'https://acme.example/', method: 'GET', code: { length: 8 } });
});

test('§2 dtmf 0 is a key, and an SMS has none', async () => {
  expect((await stored({ channel: 'sms', dtmf: 0 })).attempt.dtmf).toBeNull();
  expect((await stored({ channel: 'voice', dtmf: 0 })).attempt.dtmf).toBe(0);
});

test('§2 check_fs means the same as fraud_check', async () => {
  expect((await stored({ check_fs: false })).attempt.fraudCheck).toBe('disabled');
  expect((await stored({ check_fs: true })).attempt.fraudCheck).toBe('enabled');
  expect((await stored({})).attempt.fraudCheck).toBe('enabled');
});

test('§2 a caller-chosen otp is the code, whatever its length', async () => {
  const uuid = await api.create({ otp: '00471100', code_length: 4 });
  expect((await api.codes(uuid)).right).toBe('00471100');
});

test('§2 brand_name may have 50 characters, counted as people count them', async () => {
  expect((await stored({ brand_name: '🙂'.repeat(50) })).attempt.brandName).toBe('🙂'.repeat(50));
});

describe('§2 of a repeated create', () => {
  test('the session is the same and the code too, over whatever channel', async () => {
    const first = await api.create({});
    const { right } = await api.codes(first);
    expect(await api.create({ channel: 'voice', code_length: 8 })).toBe(first);
    expect((await api.codes(first)).right).toBe(right);
    const { session, attempts } = (await api.store.read.session(first))!;
    expect(session.attempts).toBe(2);
    expect(attempts.map(({ channel }) => channel)).toEqual(['sms', 'voice']);
  });

  test('another application or recipient has a session of its own', async () => {
    const { uuid } = await api.addApplication(api.main.authId);
    const sessions = [
      await api.create({}),
      await api.create({ app_uuid: uuid }),
      await api.create({ recipient: '14155551235' }),
    ];
    expect(new Set(sessions).size).toBe(3);
  });

  test('after verification or expiry a new session starts', async () => {
    const first = await api.create({});
    await api.call('POST', `${PATH}${first}/`, { body: { otp: (await api.codes(first)).right } });
    const second = await api.create({});
    api.advance(600_000);
    const third = await api.create({});
    expect(new Set([first, second, third]).size).toBe(3);
  });

  test('url and method replace the session’s, an otp replaces the code', async () => {
    const uuid = await api.create({ url: 'https://acme.example/one' });
    await api.create({ url: 'https://acme.example/two', method: 'GET', otp: '4711' });
    await api.create({});
    const { session } = (await api.store.read.session(uuid))!;
    expect(session).toMatchObject({ url: 'https://acme.example/two', method: 'GET' });
    expect((await api.codes(uuid)).right).toBe('4711');
  });

  test('one attempt more than the maximum is refused, and so is one after ten validations', async () => {
    for (let attempt = 0; attempt < 5; attempt++) await api.create({});
    const sixth = await post({ recipient: RECIPIENT });
    expect(sixth).toMatchObject({ status: 400, body: { error: expect.stringContaining('maximum') } });

    const other = await api.create({ recipient: '14155551235' });
    const { wrong } = await api.codes(other);
    for (let use = 0; use < 10; use++) await api.call('POST', `${PATH}${other}/`, { body: { otp: wrong } });
    const refusal = await post({ recipient: '14155551235' });
    expect(refusal).toMatchObject({ status: 400, body: { error: expect.stringContaining('maximum') } });
    expect((await api.store.read.session(other))!.attempts).toHaveLength(1);
  });
});

test('§2 an attempt that no route serves is accepted and fails', async () => {
  await api.close();
  api = await startApi({ plan: ({ channel }) => (channel === 'sms' ? 'smpp' : null) });
  expect((await stored({})).attempt).toMatchObject({ carrier: 'smpp', status: 'queued' });
  expect((await stored({ channel: 'voice' })).attempt).toMatchObject({ status: 'failed', errorCode: 5020 });
});

test('§2 creates are counted: sessions started and resumed, attempts queued', async () => {
  await api.create({});
  await api.create({ channel: 'voice' });
  const text = await api.context.metrics.registry.metrics();
  expect(text).toContain('countersign_sessions_total{event="started"} 1');
  expect(text).toContain('countersign_sessions_total{event="resumed"} 1');
  expect(text).toContain('countersign_attempts_total{channel="voice",status="queued"} 1');
});
