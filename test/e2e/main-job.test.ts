import { beforeEach, describe, expect, test } from 'vitest';
import { wrongCode } from '../support/rows.js';
import { type Countersign, RECIPIENT, startCountersign, type Untyped } from './support.js';

const VALIDATED = { message: 'session validated successfully.' };

let server: Countersign;
let sessions: Untyped;

async function start(yaml?: string): Promise<void> {
  server = await startCountersign({ yaml });
  sessions = server.sessions();
}

async function create(fields: Record<string, unknown> = {}): Promise<string> {
  const { sessionUuid } = await sessions.create({ recipient: `+${RECIPIENT}`, ...fields });
  return sessionUuid;
}

async function statusOf(id: string): Promise<string> {
  return (await sessions.get(id)).status;
}

describe('the main job', () => {
  beforeEach(() => start());

  test('create, read the code, validate wrong, right and a second time', async () => {
    const id = await create({ brand_name: 'Acme' });
    const [message] = await server.inbox(1);
    expect(message).toMatchObject({ session_uuid: id, channel: 'sms', recipient: RECIPIENT });
    expect(message!.otp).toMatch(/^[0-9]{6}$/);
    expect(message!.text).toContain(message!.otp);
    expect(message!.text).toContain('Acme');

    await expect(sessions.validate({ id, otp: wrongCode(message!.otp) })).rejects.toThrow('invalid OTP');
    expect(await statusOf(id)).toBe('in-progress');
    expect(await sessions.validate({ id, otp: message!.otp })).toMatchObject(VALIDATED);
    expect(await statusOf(id)).toBe('verified');
    await expect(sessions.validate({ id, otp: message!.otp })).rejects.toThrow('already verified');
  });

  test('a resend is the same session and code on the other channel', async () => {
    const id = await create();
    await server.inbox(1);
    await server.time.advance(1_000);
    expect(await create({ channel: 'voice' })).toBe(id);
    const [second, first] = await server.inbox(2);
    expect([first!.channel, second!.channel]).toEqual(['sms', 'voice']);
    expect(second!.otp).toBe(first!.otp);
    expect(second!.attempt_uuid).not.toBe(first!.attempt_uuid);
    expect(await sessions.validate({ id, otp: first!.otp })).toMatchObject(VALIDATED);
  });

  test('after a verification a create starts a session with another code', async () => {
    const id = await create({ code_length: 8 });
    const [first] = await server.inbox(1);
    await sessions.validate({ id, otp: first!.otp });
    await server.time.advance(1_000);
    const next = await create({ code_length: 8 });
    expect(next).not.toBe(id);
    const [second] = await server.inbox(2);
    expect(second!.otp).toMatch(/^[0-9]{8}$/);
    expect(second!.otp).not.toBe(first!.otp);
    await expect(sessions.validate({ id: next, otp: first!.otp })).rejects.toThrow('invalid OTP');
  });

  test('of many validations at once with the right code exactly one succeeds', async () => {
    const id = await create();
    const [message] = await server.inbox(1);
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => sessions.validate({ id, otp: message!.otp })),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(29);
    for (const { reason } of refused) expect(String(reason)).toContain('already verified');
  });

  test('of many creates at once for one recipient all are attempts of one session', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => create()));
    const started = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    expect(started).toHaveLength(5);
    expect(new Set(started).size).toBe(1);
    const messages = await server.inbox(5);
    expect(new Set(messages.map(({ otp }) => otp)).size).toBe(1);
    expect(await sessions.get(started[0])).toMatchObject({ count: 5 });
  });

  test('retrieve shows the session whole, once every attempt is delivered', async () => {
    const id = await create({ brand_name: 'Acme', locale: 'pt-BR', app_hash: 'A1b2C3d4E5f', code_length: 4 });
    await create({ channel: 'voice', dtmf: 5, fraud_check: 'disabled' });
    let session: Untyped;
    await server.until('both attempts reported', async () => {
      session = await sessions.get(id);
      return session.attemptDetails.every(({ status }: Untyped) =>
        ['delivered', 'completed'].includes(status),
      );
    });
    const time = '2026-01-31T08:52:39.363000Z';
    expect(session).toMatchObject({
      sessionUuid: id,
      alias: 'default',
      recipient: RECIPIENT,
      channel: 'voice',
      status: 'in-progress',
      count: 2,
      requestor_ip: '127.0.0.1',
      destination_country_iso2: 'US',
      attemptDetails: [
        {
          channel: 'sms',
          status: 'delivered',
          time,
          brandName: 'Acme',
          appHash: 'A1b2C3d4E5f',
          codeLength: 4,
          fraudCheck: 'enabled',
        },
        { channel: 'voice', status: 'completed', time, codeLength: 4, dtmf: 5, fraudCheck: 'disabled' },
      ],
      charges: { attemptCharges: [{ channel: 'sms' }, { channel: 'voice' }] },
      createdAt: time,
      updatedAt: time,
    });
  });

  test('list filters by status, recipient, application and time, and pages', async () => {
    const recipients = ['14155551001', '14155551002', '14155551003'];
    const ids: string[] = [];
    for (const recipient of recipients) {
      ids.push(await create({ recipient }));
      await server.time.advance(1_000);
    }
    const [message] = await server.inbox(1, recipients[1]);
    await sessions.validate({ id: ids[1], otp: message!.otp });

    const list = async (filters?: object) =>
      (await sessions.list(filters)).sessions.map(({ recipient }: Untyped) => recipient.slice(-4));
    expect(await list()).toEqual(['1003', '1002', '1001']);
    expect(await list({ limit: 2 })).toEqual(['1003', '1002']);
    expect(await list({ limit: 2, offset: 2 })).toEqual(['1001']);
    expect(await list({ status: 'verified' })).toEqual(['1002']);
    expect(await list({ status: 'in-progress', limit: 1 })).toEqual(['1003']);
    expect(await list({ recipient: '+14155551001' })).toEqual(['1001']);
    expect(await list({ session_time__gt: '2026-01-31 08:52:40' })).toEqual(['1003', '1002']);
    expect(await list({ sessionTimeLessThan: '2026-01-31 08:52:40' })).toEqual(['1001']);
    const { appUuid } = await sessions.get(ids[0]);
    expect(await list({ app_uuid: appUuid, status: 'verified' })).toEqual(['1002']);
    expect(await list({ app_uuid: ids[0] })).toEqual([]);
  });

  test('a session expires when its time has passed, and the next create starts another', async () => {
    const id = await create();
    const [message] = await server.inbox(1);
    await server.time.advance(599_999);
    expect(await statusOf(id)).toBe('in-progress');
    await server.time.advance(1);
    expect(await statusOf(id)).toBe('expired');
    await expect(sessions.validate({ id, otp: message!.otp })).rejects.toThrow('expired');
    expect((await sessions.list({ status: 'expired' })).sessions).toHaveLength(1);
    expect(await create()).not.toBe(id);
  });

  test('the sixth attempt of a session is refused, and nothing is sent for it', async () => {
    const id = await create();
    for (let attempt = 2; attempt <= 5; attempt++) expect(await create()).toBe(id);
    await expect(create()).rejects.toThrow('maximum');
    expect(await server.inbox(5)).toHaveLength(5);
    expect(await sessions.get(id)).toMatchObject({ count: 5 });
  });

  test('after ten validations even the right code is refused', async () => {
    const id = await create();
    const [message] = await server.inbox(1);
    const wrong = wrongCode(message!.otp);
    for (let tried = 1; tried <= 10; tried++) {
      await expect(sessions.validate({ id, otp: wrong })).rejects.toThrow('invalid OTP');
    }
    await expect(sessions.validate({ id, otp: message!.otp })).rejects.toThrow('maximum');
    await expect(create()).rejects.toThrow('maximum');
    expect(await statusOf(id)).toBe('in-progress');
  });
});

test('a recipient has a budget of failed validations a day, over all sessions', async () => {
  await start('limits:\n  failed_validations_per_recipient: 3\n');
  const first = await create();
  const [message] = await server.inbox(1);
  const wrong = wrongCode(message!.otp);
  await expect(sessions.validate({ id: first, otp: wrong })).rejects.toThrow('invalid OTP');
  await server.time.advance(600_000);
  const second = await create();
  const [newest] = await server.inbox(2);
  for (let tried = 2; tried <= 3; tried++) {
    await expect(sessions.validate({ id: second, otp: wrongCode(newest!.otp) })).rejects.toThrow(
      'invalid OTP',
    );
  }
  await expect(sessions.validate({ id: second, otp: newest!.otp })).rejects.toThrow('maximum');
  await expect(create()).rejects.toThrow('maximum');
  expect(await create({ recipient: '+14155559876' })).toBeTruthy();

  await server.time.advance(24 * 3_600_000 + 1_000);
  const tomorrow = await create();
  const fresh = (await server.inbox(1)).find((message) => message.session_uuid === tomorrow);
  expect(await sessions.validate({ id: tomorrow, otp: fresh!.otp })).toMatchObject(VALIDATED);
});

test('a restart on the same data directory keeps sessions, codes, counts and credentials', async () => {
  await start();
  const live = await create({ brand_name: 'Acme' });
  const done = await create({ recipient: '+14155559876' });
  const [other] = await server.inbox(1, '14155559876');
  await sessions.validate({ id: done, otp: other!.otp });
  const [message] = await server.inbox(1);
  for (let tried = 1; tried <= 9; tried++) {
    await expect(sessions.validate({ id: live, otp: wrongCode(message!.otp) })).rejects.toThrow(
      'invalid OTP',
    );
  }
  const before = await sessions.get(live);

  await server.restart();
  sessions = server.sessions();
  expect(await sessions.get(live)).toEqual({ ...before, apiId: expect.any(String) });
  expect(await statusOf(done)).toBe('verified');
  expect(await server.inbox(1)).toEqual([message]);
  expect(await create({ channel: 'voice' })).toBe(live);
  const [resent] = await server.inbox(2);
  expect(resent!.otp).toBe(message!.otp);
  // The tenth validation of the session, nine of which were used before.
  await expect(sessions.validate({ id: live, otp: wrongCode(message!.otp) })).rejects.toThrow('invalid OTP');
  await expect(sessions.validate({ id: live, otp: message!.otp })).rejects.toThrow('maximum');
});

test('codes, tokens and callers outlive a rotation of the master key', async () => {
  await start();
  const id = await create();
  const [message] = await server.inbox(1);
  const { keys: before } = await server.administration('keys.list', {});
  const { id: key } = await server.administration('keys.add', {});
  await server.administration('keys.activate', { id: key });
  await server.administration('keys.reseal', {});

  await server.restart();
  sessions = server.sessions();
  expect(await create({ channel: 'voice' })).toBe(id);
  const [resent] = await server.inbox(2);
  expect(resent!.otp).toBe(message!.otp);
  const next = await create({ recipient: '+14155559876' });

  await server.administration('keys.revoke', { id: before[0]!.id });
  expect(await statusOf(id)).toBe('expired');
  await expect(sessions.validate({ id, otp: message!.otp })).rejects.toThrow('expired');
  const [newer] = await server.inbox(1, '14155559876');
  expect(await sessions.validate({ id: next, otp: newer!.otp })).toMatchObject(VALIDATED);
});
