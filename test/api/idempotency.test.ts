import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';

const PATH = '/Verify/Session/';
const DAY = 24 * 3600_000;
const HOUR = 3600_000;

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const create = (key: string, body: object = {}, options: Parameters<ApiServer['call']>[2] = {}) =>
  api.call('POST', PATH, {
    ...options,
    body: { recipient: '14155551234', ...body },
    headers: { 'idempotency-key': key },
  });
const attemptsOf = async (session: string) =>
  (await api.call('GET', `${PATH}${session}/`)).body.attempt_details.length;

describe('a create with an Idempotency-Key', () => {
  test('that was accepted is answered the same again, under a fresh api_id, and sends nothing', async () => {
    const first = await create('key-1', { locale: 'de', otp: '123456' });
    expect(first.status).toBe(202);
    const again = await create('key-1', { otp: '123456', locale: 'de' });
    expect(again.status).toBe(202);
    expect({ ...again.body, api_id: '' }).toEqual({ ...first.body, api_id: '' });
    expect(again.body.api_id).not.toBe(first.body.api_id);
    expect(await attemptsOf(first.body.session_uuid)).toBe(1);
  });

  test('is repeated even when its session has ended since', async () => {
    const { body } = await create('key-1');
    api.advance(HOUR);
    expect((await create('key-1')).body.session_uuid).toBe(body.session_uuid);
    expect((await create('key-2')).body.session_uuid).not.toBe(body.session_uuid);
  });

  test('with another body is 409, names the header, and sends nothing', async () => {
    const { body } = await create('key-1');
    for (const other of [
      { locale: 'de' },
      { recipient: '14155551235' },
      { otp: '1234' },
      { recipient: '1' },
    ]) {
      const refused = await create('key-1', other);
      expect(refused).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining('Idempotency-Key') },
      });
    }
    expect(await attemptsOf(body.session_uuid)).toBe(1);
  });

  test('takes fields that are null for fields that are not there, in any order', async () => {
    const { body } = await create('key-1', { locale: 'de', channel: null });
    const again = await create('key-1', { src: null, locale: 'de' });
    expect(again.body.session_uuid).toBe(body.session_uuid);
    expect(await attemptsOf(body.session_uuid)).toBe(1);
  });

  test('of another account is another', async () => {
    const { body } = await create('key-1');
    const strange = await create('key-1', { locale: 'de' }, { as: api.stranger });
    expect(strange.status).toBe(202);
    expect(strange.body.session_uuid).not.toBe(body.session_uuid);
  });

  test('is forgotten after 24 hours', async () => {
    const { body } = await create('key-1');
    api.advance(DAY - 1);
    expect((await create('key-1')).body.session_uuid).toBe(body.session_uuid);
    api.advance(1);
    const after = await create('key-1', { locale: 'de' });
    expect(after.status).toBe(202);
    expect(after.body.session_uuid).not.toBe(body.session_uuid);
  });

  test('many at once create one attempt, and all get its answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('key-1')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const sessions = new Set(answers.map(({ body }) => body.session_uuid));
    expect(sessions.size).toBe(1);
    expect(await attemptsOf([...sessions][0])).toBe(1);
    expect(new Set(answers.map(({ body }) => body.api_id)).size).toBe(20);
  });

  test('that was refused is not remembered', async () => {
    api.change({ application: { maxAttempts: 1 } });
    await create('key-0');
    expect((await create('key-1', { locale: 'de' })).status).toBe(400);
    expect((await create('key-1', { recipient: 'x' })).status).toBe(400);
    api.store.failure = 'away';
    expect((await create('key-1')).status).toBe(503);
    api.store.failure = null;
    expect((await create('key-1', { recipient: '14155551235' })).status).toBe(202);
  });

  test('is answered again although the settings have changed since', async () => {
    const { body } = await create('key-1');
    api.change({ application: { channels: ['voice'] } });
    const again = await create('key-1');
    expect(again).toMatchObject({ status: 202, body: { session_uuid: body.session_uuid } });
    expect((await create('key-2')).status).toBe(400);
  });

  test.each(['', 'ü', '\t', 'x'.repeat(256)])(
    'must be printable ASCII of 1 to 255 characters, unlike %j',
    async (key) => {
      const refused = await create(Buffer.from(key).toString('latin1'));
      expect(refused).toMatchObject({
        status: 400,
        body: { error: expect.stringContaining('Idempotency-Key') },
      });
    },
  );

  test('may be of 255 characters', async () => {
    expect((await create('~'.repeat(255))).status).toBe(202);
  });

  test('leaves neither key nor code in what is stored', async () => {
    await create('sentinel-key', { otp: '80417263' });
    const stored = JSON.stringify([...api.store.database.tables.idempotency]);
    expect(api.store.database.tables.idempotency.size).toBe(1);
    expect(stored).not.toContain('sentinel-key');
    expect(stored).not.toContain('80417263');
  });
});

test('a limit that is reached holds back neither a repeat nor what follows it', async () => {
  await api.close();
  const limits = { ...LIMITS, creates: { ...LIMITS.creates, perRecipient: { count: 2, per: HOUR } } };
  api = await startApi({ limits });
  const { body } = await create('key-1');
  for (let index = 0; index < 3; index++) {
    expect((await create('key-1')).body.session_uuid).toBe(body.session_uuid);
  }
  expect((await create('key-2')).status).toBe(202);
  expect((await create('key-3')).status).toBe(429);
  expect((await create('key-1')).body.session_uuid).toBe(body.session_uuid);
});
