import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { SessionId } from '#verify/model.js';
import { type ApiServer, LIMITS, startApi } from '../support/api-server.js';
import { newId } from '../support/rows.js';
import { section } from './section.js';

let shared: ApiServer;
/** The server of a test: the shared one, unless it starts its own. */
let api: ApiServer;
beforeAll(async () => {
  shared = await startApi();
  api = shared;
});
afterEach(async () => {
  if (api !== shared) await api.close();
  api = shared;
});
afterAll(() => shared.close());

let recipients = 0;
const create = (fields: object = {}) =>
  api.create({ recipient: `1415${5_600_000 + recipients++}`, ...fields });
const validate = (session: string, body: unknown, as = api.main) =>
  api.call('POST', `/Verify/Session/${session}/`, { body, as });
const refusal = (text: string) => ({ status: 400, body: { error: expect.stringContaining(text) } });

async function failed(session: SessionId, times: number): Promise<void> {
  const { wrong } = await api.codes(session);
  for (let tried = 0; tried < times; tried++) {
    expect(await validate(session, { otp: wrong })).toMatchObject(refusal('invalid OTP'));
  }
}

const proves = section(3);

describe('§3 Validate', () => {
  proves(
    [
      'Validate: POST …/Verify/Session/{session_uuid}/ → 200',
      'Body {"otp": "123456"}',
      'right code | 200 | {"api_id", "message": "session validated successfully.", "session_uuid"}',
    ],
    async () => {
      const session = await create({ otp: '123456' });
      const answer = await validate(session, { otp: '123456' });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        api_id: expect.any(String),
        message: 'session validated successfully.',
        session_uuid: session,
      });
    },
  );

  proves('Accept the key OTP too', async () => {
    const session = await create();
    expect((await validate(session, { OTP: (await api.codes(session)).right })).status).toBe(200);
    // The session's code length says how many zeros a number has lost; a string has lost none.
    for (const [otp, number] of [
      ['004711', 4711],
      ['0000', 0],
      ['12345678', 12_345_678],
    ]) {
      const padded = await create({ otp });
      expect((await validate(padded, { otp: number })).status).toBe(200);
    }
    const text = await create({ otp: '004711' });
    expect(await validate(text, { otp: '4711' })).toMatchObject(refusal('invalid OTP'));
  });

  proves('Extra fields are ignored', async () => {
    const session = await create();
    const { right } = await api.codes(session);
    const extra = { session_uuid: newId(), id: 5, more: { otp: '1' } };
    expect((await validate(session, { ...extra, otp: right })).status).toBe(200);
  });

  proves('Python can omit otp altogether', async () => {
    const session = await create();
    expect(await validate(session, { session_uuid: session })).toMatchObject(refusal('otp'));
    expect(await validate(session, undefined)).toMatchObject(refusal('otp'));
  });
});

describe('§3 the outcomes', () => {
  proves('wrong code | 400 | error contains invalid OTP', async () => {
    const session = await create();
    await failed(session, 1);
    expect((await validate(session, { otp: (await api.codes(session)).right })).status).toBe(200);
  });

  proves('expired session | 400 | error contains expired', async () => {
    const session = await create();
    const { right } = await api.codes(session);
    api.advance(600_000);
    expect(await validate(session, { otp: right })).toMatchObject(refusal('expired'));
  });

  proves(['already verified | 400 | error contains already verified', 'a code is good once'], async () => {
    const session = await create();
    const { right, wrong } = await api.codes(session);
    expect((await validate(session, { otp: right })).status).toBe(200);
    for (const otp of [right, wrong]) {
      expect(await validate(session, { otp })).toMatchObject(refusal('already verified'));
    }
  });

  proves(
    [
      'more than 10 validations on one session | 400 | error contains maximum',
      'even the right code is refused',
    ],
    async () => {
      const session = await create();
      await failed(session, 10);
      const { right } = await api.codes(session);
      expect(await validate(session, { otp: right })).toMatchObject(refusal('maximum'));

      const tenth = await create();
      await failed(tenth, 9);
      expect((await validate(tenth, { otp: (await api.codes(tenth)).right })).status).toBe(200);
    },
  );

  proves(
    [
      'too many failed validations of one recipient in 24 h, over all sessions (default 50, configurable)',
      'creates for it are refused alike',
    ],
    async () => {
      for (const [count, limits] of [
        [50, LIMITS],
        [3, { ...LIMITS, failedValidationsPerRecipient: 3 }],
      ] as const) {
        api = await startApi({ limits });
        const recipient = '14155551234';
        let left = count;
        let session = await api.create({ recipient });
        for (; left > 9; left -= 9) {
          await failed(session, 9);
          api.advance(600_000);
          session = await api.create({ recipient });
        }
        await failed(session, left - 1);
        // The last one that it may fail.
        await failed(session, 1);
        const { right } = await api.codes(session);
        expect(await validate(session, { otp: right })).toMatchObject(refusal('maximum'));
        const again = () => api.call('POST', '/Verify/Session/', { body: { recipient } });
        expect(await again()).toMatchObject(refusal('maximum'));
        await api.create({ recipient: '14155559876' });
        api.advance(24 * 3_600_000);
        expect((await again()).status).toBe(202);
        if (api !== shared) await api.close();
      }
      api = shared;
    },
  );

  proves(
    ['malformed otp (missing, not 4–8 digits) | 400 | names the field', 'does not count as a validation'],
    async () => {
      const session = await create();
      for (const otp of [
        undefined,
        null,
        '',
        '123',
        '123456789',
        '12345a',
        ' 123456',
        '１２３４５６',
        1.5,
        -1,
        100_000_000,
        true,
        [],
        {},
      ]) {
        const { status, body } = await validate(session, { otp });
        expect([otp, status]).toEqual([otp, 400]);
        expect(body.error).toMatch(/^otp /);
      }
      await failed(session, 9);
      expect((await validate(session, { otp: (await api.codes(session)).right })).status).toBe(200);
    },
  );

  proves("unknown session, or another account's | 404", async () => {
    const session = await create();
    const { right } = await api.codes(session);
    for (const answer of [
      await validate(newId(), { otp: right }),
      await validate('no-uuid', { otp: right }),
      await validate(session, { otp: right }, api.stranger),
      await validate(session, { otp: right }, api.sub),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining('session') } });
    }
    expect((await validate(session, { otp: right })).status).toBe(200);
  });

  proves('Of any number of concurrent validations with the right code exactly one gets the 200', async () => {
    const session = await create();
    const { right } = await api.codes(session);
    const answers = await Promise.all(Array.from({ length: 50 }, () => validate(session, { otp: right })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error?.includes('already verified'))).toHaveLength(49);
  });
});
