import plivo from 'plivo';
import { afterEach, beforeAll, describe, expect } from 'vitest';
import type { Untyped } from '../e2e/support.js';
import { type ApiServer, basic, type Credentials, LIMITS, startApi } from '../support/api-server.js';
import { newId, wrongCode } from '../support/rows.js';
import { section } from './section.js';
import { startWorld, type World } from './world.js';

const SESSIONS = '/Verify/Session/';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A template of an application. */
const TEMPLATE = 'Code \u0024{code} of \u0024{brand_name}.';
const HASH = 'Fa/+0123456';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

/** A server in memory with limits of its own. */
let limited: ApiServer | undefined;
async function withLimits(limits: Partial<typeof LIMITS>): Promise<ApiServer> {
  limited = await startApi({ limits: { ...LIMITS, ...limits } });
  return limited;
}
afterEach(async () => {
  await limited?.close();
  limited = undefined;
});

const post = (body: object, headers: Record<string, string> = {}) =>
  world.call('POST', SESSIONS, { body: { recipient: world.recipient(), ...body }, headers });

/** The error of a create that must be refused with 400. */
async function refused(body: object): Promise<string> {
  const answer = await post(body);
  expect([body, answer.status]).toEqual([body, 400]);
  return answer.body.error;
}

/** How many messages have gone out. They go in order: what was accepted before would be there. */
async function sentSoFar(): Promise<number> {
  await messageOf({});
  return world.gateway.requests.length - 1;
}

/** The message of a create that must be accepted. */
async function messageOf(fields: object) {
  return (await world.messages(await world.create(fields)))[0]!;
}

const proves = section(2);

describe('§2 Create a session', () => {
  proves(
    [
      'Create a session: POST …/Verify/Session/ → 202',
      'Answer: {"api_id": "<uuid>", "message": "Session initiated", "session_uuid"',
    ],
    async () => {
      const answer = await post({});
      expect(answer.status).toBe(202);
      expect(answer.body).toEqual({
        api_id: expect.stringMatching(UUID),
        message: 'Session initiated',
        session_uuid: expect.stringMatching(/^.{36}$/),
      });
    },
  );

  proves('The answer 202 means: session and attempt are durable', async () => {
    const { answer } = world.gateway;
    world.gateway.answer = (response) => response.writeHead(503).end();
    const session = await world.create();
    await world.messages(session);
    await world.server.restart();
    expect(await world.retrieve(session)).toMatchObject({
      session_uuid: session,
      attempt_details: [{ status: 'queued' }],
    });
    world.gateway.answer = answer;
    await world.server.time.advance(60_000);
    const [, again] = await world.messages(session, 2);
    expect((await world.validate(session, { otp: again!.code })).status).toBe(200);
  });

  proves('Delivery happens after', async () => {
    const { answer } = world.gateway;
    const open: (() => void)[] = [];
    world.gateway.answer = (response) => void open.push(() => response.writeHead(202).end());
    const session = await world.create();
    expect(await world.retrieve(session)).toMatchObject({ attempt_details: [{ status: 'queued' }] });
    await world.messages(session);
    world.gateway.answer = answer;
    for (const finish of open) finish();
    await world.server.until('the attempt is sent', async () => {
      return (await world.retrieve(session)).attempt_details[0].status === 'sent';
    });
  });
});

describe('§2 the fields', () => {
  proves(
    [
      'recipient | string, required | destination in international format',
      '+, spaces, dots, dashes and parentheses are tolerated',
      'a JSON number is accepted',
      'Stored and returned as E.164 digits without +',
    ],
    async () => {
      for (const recipient of [
        '14155550101',
        '+14155550102',
        '+1 (415) 555-0103',
        '1.415.555.0104',
        14155550105,
      ]) {
        const digits = String(recipient).replace(/[^0-9]/g, '');
        const session = await world.create({ recipient });
        expect((await world.retrieve(session)).recipient).toBe(digits);
        expect((await world.messages(session))[0]!.recipient).toBe(digits);
      }
      for (const recipient of [undefined, null, '030 12345678', '(415) 555-0106']) {
        expect(await refused({ recipient })).toContain('recipient');
      }
    },
  );

  proves('A number that libphonenumber calls invalid: 400 naming recipient', async () => {
    for (const recipient of ['+19995551234', '14155551', '+491511234567', '+1415555012345', 'abc', 12]) {
      expect(await refused({ recipient })).toContain('recipient');
    }
  });

  proves(
    "app_uuid | string | the account's default application | unknown here or another account's: 404",
    async () => {
      const mine = await world.application({ alias: 'mine' });
      expect((await world.retrieve(await world.create({ app_uuid: mine }))).app_uuid).toBe(mine);
      const { applications } = (await world.call('GET', '/Verify/Application/')).body;
      const preset = applications.find((each: Untyped) => each.is_default).app_uuid;
      expect((await world.retrieve(await world.create())).app_uuid).toBe(preset);

      const strange = await world.server.administration('account.create', { name: 'x' });
      const as = { authId: strange.auth_id, token: strange.auth_token } as never;
      const theirs = (await world.call('GET', '/Verify/Application/', { as })).body.applications[0].app_uuid;
      for (const app_uuid of [theirs, newId(), 'login']) {
        const answer = await post({ app_uuid });
        expect(answer).toMatchObject({ status: 404, body: { error: expect.stringContaining('app_uuid') } });
      }
    },
  );

  proves('sms | must be enabled on the application: else 400', async () => {
    expect((await messageOf({})).channel).toBe('sms');
    expect((await messageOf({ channel: 'voice' })).channel).toBe('voice');
    const voice = await world.application({ channels: ['voice'] });
    expect(await refused({ app_uuid: voice })).toContain('channel');
    expect(await refused({ app_uuid: voice, channel: 'sms' })).toContain('channel');
    expect((await messageOf({ app_uuid: voice, channel: 'voice' })).channel).toBe('voice');
    for (const channel of ['fax', 'SMS', 5]) expect(await refused({ channel })).toContain('channel');
  });

  proves(
    [
      "url | string | application's, else none | absolute http(s) URL for status callbacks",
      'POST | how callbacks are sent',
    ],
    async () => {
      const [own, theApplications] = [await world.customer(), await world.customer()];
      const app_uuid = await world.application({ url: theApplications.url('/app'), method: 'GET' });
      await world.create({ app_uuid });
      await world.create({ app_uuid, url: own.url('/own'), method: 'POST' });
      await world.create({ url: own.url('/default') });
      const paths = (requests: readonly Untyped[]) =>
        [...new Set(requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`))].sort();
      expect(paths(await world.callbacks(theApplications, 2))).toEqual(['GET /app']);
      expect(paths(await world.callbacks(own, 4))).toEqual(['POST /default', 'POST /own']);
      for (const url of ['acme.example', '/status', 'ftp://acme.example/', 5]) {
        expect(await refused({ url })).toContain('url');
      }
      for (const method of ['PUT', 'get']) expect(await refused({ method })).toContain('method');
      // Without any url nobody is called.
      await world.messages(await world.create());
      await world.server.time.advance(0);
      expect(theApplications.requests).toHaveLength(2);
    },
  );

  proves(
    ["locale | string | application's, else en", 'unknown falls back to the language, then to en'],
    async () => {
      const texts: [string, string][] = [
        ['es', 'Tu código de verificación'],
        ['es_MX', 'Tu código de verificación'],
        ['es-QQ', 'Tu código de verificación'],
        ['pt-BR', 'Seu código de verificação'],
        ['pt_BR', 'Seu código de verificação'],
        ['en_US', 'Your verification code'],
        ['xx', 'Your verification code'],
      ];
      for (const [locale, text] of texts) {
        const message = await messageOf({ locale });
        expect([locale, message.text]).toEqual([locale, expect.stringContaining(text)]);
        expect((await world.retrieve(message.session_uuid)).locale).toBe(locale);
      }
      const app_uuid = await world.application({ locale: 'es' });
      expect((await messageOf({ app_uuid })).text).toContain('Tu código');
      expect((await messageOf({ app_uuid, locale: 'en' })).text).toContain('Your verification code');
      expect((await messageOf({})).text).toContain('Your verification code');
    },
  );

  proves('brand_name | string ≤ 50', async () => {
    const app_uuid = await world.application({ brand_name: 'Acme', template: TEMPLATE });
    const own = await messageOf({ app_uuid, brand_name: 'Globex' });
    expect(own.text).toBe(`Code ${own.code} of Globex.`);
    const preset = await messageOf({ app_uuid });
    expect(preset.text).toBe(`Code ${preset.code} of Acme.`);
    const longest = '🙂'.repeat(50);
    expect((await messageOf({ brand_name: longest })).text).toContain(longest);
    expect(await refused({ brand_name: `${longest}x` })).toContain('brand_name');
  });

  proves(
    "app_hash | 11 characters | application's | Android SMS Retriever hash, appended as the last line",
    async () => {
      const lastLine = async (fields: object) => (await messageOf(fields)).text.split('\n').at(-1);
      expect(await lastLine({ app_hash: HASH })).toBe(HASH);
      const app_uuid = await world.application({ app_hash: 'A1b2C3d4E5f' });
      expect(await lastLine({ app_uuid })).toBe('A1b2C3d4E5f');
      expect(await lastLine({ app_uuid, app_hash: HASH })).toBe(HASH);
      for (const app_hash of ['Fa/+012345', 'Fa/+01234567', 'with space!']) {
        expect(await refused({ app_hash })).toContain('app_hash');
      }
    },
  );

  proves("code_length | integer 4–8 | application's | length of a new session's code", async () => {
    for (const code_length of [4, 5, 6, 7, 8]) {
      expect((await messageOf({ code_length })).code).toMatch(new RegExp(`^[0-9]{${code_length}}$`));
    }
    const app_uuid = await world.application({ code_length: 8 });
    expect((await messageOf({ app_uuid })).code).toHaveLength(8);
    expect((await messageOf({})).code).toHaveLength(6);
    for (const code_length of [3, 9, 4.5, '6']) {
      expect(await refused({ code_length })).toContain('code_length');
    }
  });

  proves('otp | string of 4–8 digits | generated | a caller-chosen code', async () => {
    for (const otp of ['0471', '00471100']) {
      const message = await messageOf({ otp, code_length: 6 });
      expect(message.text).toContain(otp);
      expect((await world.validate(message.session_uuid, { otp })).status).toBe(200);
    }
    const codes = new Set<string>();
    for (let index = 0; index < 4; index++) codes.add((await messageOf({ code_length: 8 })).code);
    expect(codes.size).toBe(4);
    for (const otp of ['123', '123456789', '12345a']) expect(await refused({ otp })).toContain('otp');
  });

  proves('dtmf | integer 0–9 | none | voice only: the key that the callee presses', async () => {
    for (const dtmf of [0, 9]) {
      expect((await messageOf({ channel: 'voice', dtmf })).dtmf).toBe(dtmf);
      expect((await messageOf({ channel: 'sms', dtmf })).dtmf).toBeNull();
    }
    expect((await messageOf({ channel: 'voice' })).dtmf).toBeNull();
    for (const dtmf of [-1, 10, '5']) expect(await refused({ channel: 'voice', dtmf })).toContain('dtmf');
  });

  proves(
    ['fraud_check | enabled \\| disabled | enabled | SMS only', 'check_fs (boolean) means the same'],
    async () => {
      const shown = async (fields: object) =>
        (await world.retrieve(await world.create(fields))).attempt_details[0].fraud_check;
      expect(await shown({})).toBe('enabled');
      expect(await shown({ fraud_check: 'enabled' })).toBe('enabled');
      expect(await shown({ fraud_check: 'disabled' })).toBe('disabled');
      expect(await shown({ check_fs: true })).toBe('enabled');
      expect(await shown({ check_fs: false })).toBe('disabled');
      expect(await refused({ fraud_check: 'off' })).toContain('fraud_check');
      expect(await refused({ check_fs: 'no' })).toContain('check_fs');
    },
  );

  proves("src | string | route's | sender id or caller id", async () => {
    expect((await messageOf({ src: 'ACME' })).src).toBe('ACME');
    expect((await messageOf({ src: '14155550100', channel: 'voice' })).src).toBe('14155550100');
    expect((await messageOf({})).src).toBeNull();
  });
});

describe('§2 one session while a code is live', () => {
  proves('A session exists once per application and recipient while a code is live', async () => {
    const recipient = world.recipient();
    const app_uuid = await world.application({});
    const first = await world.create({ recipient });
    const other = await world.create({ recipient, app_uuid });
    expect(new Set([first, other, await world.create()]).size).toBe(3);
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => world.create({ recipient })),
      ...Array.from({ length: 4 }, () => world.create({ recipient, app_uuid })),
    ]);
    expect(answers).toEqual([...Array(4).fill(first), ...Array(4).fill(other)]);
  });

  proves('A second create for the pair before expiry adds an attempt to the live session', async () => {
    const recipient = world.recipient();
    const session = await world.create({ recipient });
    await world.server.time.advance(599_000);
    expect(await world.create({ recipient, channel: 'voice' })).toBe(session);
    const [first, second] = await world.messages(session, 2);
    expect([first!.channel, second!.channel]).toEqual(['sms', 'voice']);
    expect(second!.code).toBe(first!.code);
    expect(await world.retrieve(session)).toMatchObject({
      count: 2,
      attempt_details: [{ channel: 'sms' }, { channel: 'voice' }],
    });
  });

  proves('After verified or expiry, a create starts a new session', async () => {
    const recipient = world.recipient();
    const first = await messageOf({ recipient, code_length: 8 });
    await world.validate(first.session_uuid, { otp: first.code });
    const second = await messageOf({ recipient, code_length: 8 });
    await world.server.time.advance(600_000);
    const third = await messageOf({ recipient, code_length: 8 });
    expect(new Set([first, second, third].map(({ session_uuid }) => session_uuid)).size).toBe(3);
    expect(new Set([first, second, third].map(({ code }) => code)).size).toBe(3);
  });
});

describe('§2 of a repeated create', () => {
  proves(
    'Of a repeated create (ours): channel, locale, brand_name, app_hash, dtmf, fraud_check, src',
    async () => {
      const recipient = world.recipient();
      const session = await world.create({ recipient, brand_name: 'Acme', locale: 'en', src: 'ACME' });
      const changed = {
        channel: 'voice',
        locale: 'es',
        brand_name: 'Globex',
        app_hash: HASH,
        dtmf: 5,
        fraud_check: 'disabled',
      };
      expect(await world.create({ recipient, ...changed, src: '14155550100' })).toBe(session);
      const [first, second] = await world.messages(session, 2);
      expect(first).toMatchObject({ channel: 'sms', locale: 'en', src: 'ACME', dtmf: null });
      expect(second).toMatchObject({ channel: 'voice', locale: 'es', src: '14155550100', dtmf: 5 });
      const { attempt_details } = await world.retrieve(session);
      expect(attempt_details).toMatchObject([
        { brand_name: 'Acme', app_hash: '', fraud_check: 'enabled' },
        { brand_name: 'Globex', app_hash: HASH, fraud_check: 'disabled', dtmf: 5 },
      ]);
    },
  );

  proves("url and method replace the session's", async () => {
    const [first, second] = [await world.customer(), await world.customer()];
    const recipient = world.recipient();
    const session = await world.create({ recipient, url: first.url() });
    const [message] = await world.messages(session);
    await world.callbacks(first, 2);
    await world.create({ recipient, url: second.url('/next'), method: 'GET' });
    await world.callbacks(second, 2);
    // What happens to the first attempt from now on is told there too.
    await world.report(message!, 'delivered');
    for (const { method, path } of await world.callbacks(second, 3)) {
      expect(`${method} ${path}`).toMatch(/^GET \/next\?SessionUUID=/);
    }
    await world.server.passUntilSwept(600_000);
    const expiry = (await world.callbacks(second, 4))[3]!;
    expect(expiry).toMatchObject({ method: 'GET', parameters: { SessionStatus: 'expired' } });
    expect(first.requests).toHaveLength(2);
  });

  proves(['code_length is ignored', 'a caller-chosen otp replaces the code'], async () => {
    const recipient = world.recipient();
    const session = await world.create({ recipient, code_length: 4 });
    await world.create({ recipient, code_length: 8 });
    const [first, second] = await world.messages(session, 2);
    expect(second!.code).toBe(first!.code);
    const otp = wrongCode(first!.code);
    for (let used = 0; used < 9; used++) await world.validate(session, { otp });
    await world.create({ recipient, otp: '80417263' });
    expect((await world.messages(session, 3))[2]!.code).toBe('80417263');
    // The tenth validation, and the eleventh: those of before the new code count.
    const old = await world.validate(session, { otp: first!.code });
    expect(old.body.error).toContain('invalid OTP');
    const beyond = await world.validate(session, { otp: '80417263' });
    expect(beyond.body.error).toContain('maximum');
  });

  proves("Refused with 400 and nothing sent: one attempt more than the application's maximum", async () => {
    const app_uuid = await world.application({ max_attempts: 2 });
    const recipient = world.recipient();
    const session = await world.create({ recipient, app_uuid });
    await world.create({ recipient, app_uuid });
    await world.messages(session, 2);
    const used = await messageOf({});
    for (let tried = 0; tried < 10; tried++) {
      await world.validate(used.session_uuid, { otp: wrongCode(used.code) });
    }
    const before = world.gateway.requests.length;
    expect(await refused({ recipient, app_uuid })).toContain('maximum');
    expect(await refused({ recipient: used.recipient })).toContain('maximum');
    expect(await sentSoFar()).toBe(before);
    expect((await world.retrieve(session)).count).toBe(2);
    expect((await world.retrieve(used.session_uuid)).count).toBe(1);
  });

  proves('What an attempt renders (template, brand, locale) is fixed when it is accepted', async () => {
    const { answer } = world.gateway;
    world.gateway.answer = (response) => response.writeHead(503).end();
    const app_uuid = await world.application({ template: TEMPLATE, brand_name: 'Acme' });
    const [first] = await world.messages(await world.create({ app_uuid }));
    const other = { template: 'Other \u0024{brand_name} \u0024{code}', brand_name: 'Globex', locale: 'es' };
    await world.call('POST', `/Verify/Application/${app_uuid}/`, { body: other });
    world.gateway.answer = answer;
    await world.server.time.advance(60_000);
    const again = (await world.messages(first!.session_uuid, 2))[1]!;
    expect(again.text).toBe(`Code ${again.code} of Acme.`);
    expect(again).toEqual(first);
  });

  proves('An SMS that its app_hash would make longer than the 140 bytes that Android reads', async () => {
    const app_uuid = await world.application({ template: `${'x'.repeat(130)} ${TEMPLATE}` });
    expect(await refused({ app_uuid, app_hash: HASH })).toContain('app_hash');
    expect((await messageOf({ app_uuid })).text).not.toContain(HASH);
    expect((await messageOf({ app_uuid, app_hash: HASH, channel: 'voice' })).channel).toBe('voice');
  });
});

describe('§2 what else a create can be refused for', () => {
  proves(
    ['A header Idempotency-Key (ours), 1–255 printable ASCII characters', 'another body is 409'],
    async () => {
      const recipient = world.recipient();
      const key = '~'.repeat(255);
      const create = (body: object, idempotencyKey = key) =>
        post({ recipient, ...body }, { 'idempotency-key': idempotencyKey });
      const first = await create({ locale: 'es' });
      await world.messages(first.body.session_uuid);
      const before = world.gateway.requests.length;
      await world.server.time.advance(86_399_000);
      const again = await create({ locale: 'es' });
      expect(again.status).toBe(202);
      expect(again.body).toEqual({ ...first.body, api_id: again.body.api_id });
      expect((await create({ locale: 'de' })).status).toBe(409);
      expect((await world.retrieve(first.body.session_uuid)).count).toBe(1);
      expect(await sentSoFar()).toBe(before);
      await world.server.time.advance(1_000);
      const later = await create({ locale: 'de' });
      expect(later.body.session_uuid).not.toBe(first.body.session_uuid);
      for (const bad of ['', '~'.repeat(256), 'ü', 'a\tb']) {
        const answer = await create({}, Buffer.from(bad).toString('latin1'));
        expect(answer).toMatchObject({
          status: 400,
          body: { error: expect.stringContaining('Idempotency-Key') },
        });
      }
    },
  );

  proves('Premium-rate, shared-cost, satellite and international-network recipients', async () => {
    for (const [recipient, reason, kind, channels] of [
      ['19005551234', 'premium-rate', 'premium-rate', ['sms', 'voice']],
      ['979123456789', 'premium-rate', 'premium-rate', ['sms', 'voice']],
      ['4918012345678', 'shared-cost', 'shared-cost', ['sms', 'voice']],
      ['447012345678', 'personal number', 'personal-number', ['sms', 'voice']],
      ['447640123456', 'pager', 'pager', ['sms', 'voice']],
      ['41860211234567', 'voicemail', 'voicemail', ['sms', 'voice']],
      ['870773111632', 'satellite', 'satellite', ['sms', 'voice']],
      ['881612345678', 'satellite', 'satellite', ['sms', 'voice']],
      ['883510012345', 'international network', 'international-network', ['sms', 'voice']],
      ['493012345678', 'fixed line', 'fixed-line', ['sms']],
      ['443001234567', 'company', 'company-number', ['sms']],
    ] as const) {
      for (const channel of channels) {
        const error = await refused({ recipient, channel });
        expect(error).toMatch(new RegExp(`^recipient is a.* ${reason}`));
        expect(error).toContain(`${kind} in number_types`);
      }
      // What an SMS cannot reach, a call can.
      if (channels.length === 1) {
        expect((await messageOf({ recipient, channel: 'voice' })).recipient).toBe(recipient);
      }
      const app_uuid = await world.application({ number_types: [kind] });
      expect(await messageOf({ app_uuid, recipient })).toMatchObject({ channel: 'sms', recipient });
      const other = kind === 'pager' ? 'satellite' : 'pager';
      for (const number_types of [[other], []]) {
        await world.call('POST', `/Verify/Application/${app_uuid}/`, { body: { number_types } });
        await refused({ app_uuid, recipient });
      }
    }
    // What may be a fixed line or a mobile gets its SMS.
    expect((await messageOf({ recipient: '12125551234' })).channel).toBe('sms');
  });

  proves('Creates may be limited, and failed authentications are: 429 with Retry-After', async () => {
    const creates = { ...LIMITS.creates, perAccount: { count: 1, per: 60_000 } };
    const perAddress = { count: 1, per: 60_000 };
    const api = await withLimits({
      creates,
      failedAuthentications: { ...LIMITS.failedAuthentications, perAddress },
    });
    const create = () => api.call('POST', SESSIONS, { body: { recipient: world.recipient() } });
    const guess = () => api.call('GET', SESSIONS, { as: { ...api.main, token: 'x' } });
    for (const [call, first] of [
      [create, 202],
      [guess, 401],
    ] as const) {
      expect((await call()).status).toBe(first);
      const answer = await call();
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBe(60);
    }
    expect(LIMITS.failedAuthentications.perAddress).not.toBeNull();
  });

  proves(
    'Country not permitted, by the server, the account or its main account: 403, error text naming the country',
    async () => {
      const { server, main, call } = await startWorld({
        lifetime: 'test',
        limits: { countries: ['US', 'DE', 'FR'] },
      });
      const made = await call('POST', '/Subaccount/', { body: { name: 'x', enabled: true } });
      const sub: Credentials = { authId: made.body.auth_id, token: made.body.auth_token };
      /** The names of the countries that a create is refused for. */
      const refusedFor = async (as: Credentials, of = as) => {
        const names: string[] = [];
        for (const recipient of ['14155551234', '4915112345678', '33612345678', '34612345678']) {
          const path = `${server.url}/v1/Account/${of.authId}${SESSIONS}`;
          const headers = { authorization: basic(as), 'content-type': 'application/json' };
          const body = JSON.stringify({ recipient });
          const answer = await fetch(path, { method: 'POST', headers, body });
          const { error } = (await answer.json()) as { error?: string };
          expect([recipient, answer.status]).toEqual([recipient, error === undefined ? 202 : 403]);
          if (error !== undefined) names.push(/^recipient is in (.+),/.exec(error)?.[1] ?? error);
        }
        return names;
      };
      const restrict = (auth_id: string, countries: string[]) =>
        server.administration('account.update', { auth_id, countries });

      expect(await refusedFor(main)).toEqual(['Spain (ES)']);
      expect(await refusedFor(sub)).toEqual(['Spain (ES)']);
      await restrict(main.authId, ['US', 'DE', 'ES']);
      expect(await refusedFor(main)).toEqual(['France (FR)', 'Spain (ES)']);
      expect(await refusedFor(sub)).toEqual(['France (FR)', 'Spain (ES)']);
      await restrict(sub.authId, ['DE', 'FR']);
      const both = ['United States (US)', 'France (FR)', 'Spain (ES)'];
      expect(await refusedFor(sub)).toEqual(both);
      // Whoever acts for it.
      expect(await refusedFor(main, sub)).toEqual(both);
      expect(await refusedFor(main)).toEqual(['France (FR)', 'Spain (ES)']);
      await restrict(main.authId, []);
      expect(await refusedFor(sub)).toEqual(['United States (US)', 'Spain (ES)']);
    },
  );

  proves('SDKs turn a 403 on this POST into their geo-permission error', async () => {
    const api = await withLimits({ countries: ['US'] });
    const { authId, token } = api.main;
    const url = `${api.url}/v1/Account/${authId}`;
    const { verify_session } = new plivo.Client(authId, token, { url } as Untyped) as Untyped;
    // The SDK's error classes come out as plain errors; of 403 only its GeoPermissionError keeps our text.
    await expect(verify_session.create({ recipient: '+4915112345678' })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Germany (DE)'),
    });
    expect(await verify_session.create({ recipient: '+14155551234' })).toMatchObject({
      message: 'Session initiated',
    });
  });
});
