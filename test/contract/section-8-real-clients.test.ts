import plivo from 'plivo';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Received } from '../callbacks/receiver.js';
import type { Untyped } from '../e2e/support.js';
import { read } from '../repository/markdown.js';
import { basic, LIMITS, parseRaw, sendRaw, startApi } from '../support/api-server.js';
import { newId, wrongCode } from '../support/rows.js';
import { section } from './section.js';
import { startWorld, type World } from './world.js';

const JSON_TYPE = 'application/json';
const CHARSET_TYPE = 'application/json; charset=utf-8';
const SESSIONS = '/Verify/Session/';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});

/** A request as a client writes it, below the account, on a connection of its own. */
async function send(method: string, path: string, { type = JSON_TYPE, body = '', token = world.main.token }) {
  const { authId } = world.main;
  const request = [
    `${method} /v1/Account/${authId}${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: close',
    `Authorization: ${basic({ authId, token })}`,
    `Content-Type: ${type}`,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n');
  const text = await sendRaw(Number(new URL(world.server.url).port), request);
  if (/^HTTP\/1.1 204 /.test(text)) return { status: 204, body: {} as Untyped };
  const { status, body: answer } = parseRaw(text);
  return { status, body: answer as Untyped };
}

const post = (path: string, body: unknown) => send('POST', path, { body: JSON.stringify(body) });
const list = async (query: string) =>
  (await send('GET', `${SESSIONS}${query}`, {})).body.sessions.map((each: Untyped) => each.session_uuid);

const codeOf = async (session: string) => (await world.messages(session))[0]!.code;

/** The real SDK, pointed at a server as the section shows. */
function sdk(base: string): Untyped {
  const { authId: id, token } = world.main;
  return new plivo.Client(id, token, { url: `${base}/v1/Account/${id}` } as Untyped);
}

/** What the real SDK sends for a call that must succeed, as it arrives at the server. */
async function sent(call: (sessions: Untyped) => Promise<unknown>): Promise<Received> {
  const between = await world.customer();
  between.answer = async (response, { method, path, headers, body }) => {
    const below = path.slice(`/v1/Account/${world.main.authId}`.length);
    const answer = await send(method, below, { type: String(headers['content-type']), body });
    response.writeHead(answer.status, { 'content-type': JSON_TYPE }).end(JSON.stringify(answer.body));
  };
  await call(sdk(between.url('')).verify_session);
  expect(between.requests).toHaveLength(1);
  return between.requests[0]!;
}

const proves = section(8);

describe('§8 Node', () => {
  proves(
    [
      'Node: a GET without parameters carries Content-Type: application/json and the two-byte body ""',
      'a GET with parameters has that type and no body',
    ],
    async () => {
      const session = await world.create();
      for (const call of [
        (sessions: Untyped) => sessions.get(session),
        (sessions: Untyped) => sessions.list(),
      ]) {
        const { headers, body } = await sent(call);
        expect([headers['content-type'], body]).toEqual([JSON_TYPE, '""']);
      }
      const { headers, body } = await sent((sessions) => sessions.list({ limit: 5 }));
      expect([headers['content-type'], body]).toEqual([JSON_TYPE, '']);
    },
  );

  proves(
    [
      "A caller's session_time__gt arrives as session_time_gt",
      'sessionTimeGreaterThan arrives right), so both spellings are filters',
    ],
    async () => {
      const older = await world.create();
      await world.server.time.advance(1_000);
      const newer = await world.create();
      const at = world.server.time.now();
      const time = new Date(at - 500).toISOString().replace('T', ' ').replace('Z', '');
      const folded = await sent((sessions) => sessions.list({ session_time__gt: time }));
      expect(folded.path).toContain('?session_time_gt=');
      const right = await sent((sessions) => sessions.list({ sessionTimeGreaterThan: time }));
      expect(right.path).toContain('?session_time__gt=');
      const { verify_session } = sdk(world.server.url);
      for (const [name, longName, found] of [
        ['gt', 'GreaterThan', newer],
        ['gte', 'GreaterOrEqual', newer],
        ['lt', 'LessThan', older],
        ['lte', 'LessOrEqual', older],
      ]) {
        const other = found === newer ? older : newer;
        for (const parameter of [`session_time__${name}`, `sessionTime${longName}`]) {
          const { sessions } = await verify_session.list({ [parameter]: time });
          const uuids = sessions.map((each: Untyped) => each.sessionUuid);
          expect([parameter, uuids.includes(found), uuids.includes(other)]).toEqual([parameter, true, false]);
        }
        expect(await list(`?session_time_${name}=${encodeURIComponent(time)}`)).not.toContain(
          found === newer ? older : newer,
        );
      }
    },
  );

  proves('validate takes {id, otp}, otp may be a number', async () => {
    const { verify_session } = sdk(world.server.url);
    for (const [otp, given] of [
      ['471100', '471100'],
      ['471100', 471_100],
      ['004711', 4711],
    ]) {
      const id = await world.create({ otp });
      expect(await verify_session.validate({ id, otp: given })).toMatchObject({
        message: 'session validated successfully.',
      });
    }
  });

  proves('It drops dtmf: 0, otp and src', async () => {
    const fields = { recipient: world.recipient(), channel: 'voice', dtmf: 0, otp: '4711', src: 'ACME' };
    const { body } = await sent((sessions) => sessions.create(fields));
    expect(JSON.parse(body)).toEqual({ recipient: fields.recipient, channel: 'voice' });
  });
});

describe('§8 Go', () => {
  proves(
    [
      'Go: list always appends AppHash=&BrandName=',
      'unknown or empty query parameters are ignored, and with a value they filter like app_hash/brand_name',
    ],
    async () => {
      const [acme, globex] = [
        await world.create({ brand_name: 'Acme', app_hash: 'A1b2C3d4E5f' }),
        await world.create({ brand_name: 'Globex' }),
      ];
      const has = async (query: string) => {
        const found = await list(query);
        return [found.includes(acme), found.includes(globex)];
      };
      expect(await has('?limit=20&AppHash=&BrandName=')).toEqual([true, true]);
      const empty =
        'status=&recipient=&limit=&offset=&app_uuid=&alias=&country=&session_time__gt=&subaccount=';
      expect(await has(`?${empty}&colour=blue`)).toEqual([true, true]);
      expect(await has('?AppHash=&BrandName=Globex')).toEqual([false, true]);
      expect(await has('?AppHash=A1b2C3d4E5f&BrandName=')).toEqual([true, false]);
    },
  );
});

describe('§8 Ruby', () => {
  proves(['Ruby sends explicit null for every unset field', 'null means unset'], async () => {
    const fields =
      'app_uuid channel url method locale brand_name app_hash code_length dtmf fraud_check check_fs otp src';
    const unset = Object.fromEntries(fields.split(' ').map((name) => [name, null]));
    const recipient = Number(world.recipient());
    const { status, body } = await post(SESSIONS, { ...unset, recipient });
    expect(status).toBe(202);
    const { api_id, session_uuid, ...shown } = await world.retrieve(body.session_uuid);
    const plain = await world.retrieve(await world.create());
    const comparable = ({ recipient: _, attempt_details, charges, ...rest }: Untyped) => {
      const [{ attempt_uuid, status: __, time, ...attempt }] = attempt_details;
      return { ...rest, attempt, api_id: '', session_uuid: '', created_at: '', updated_at: '' };
    };
    expect(comparable(shown)).toEqual(comparable(plain));

    const named = await post('/Subaccount/', { name: 'x', enabled: null });
    expect(named.status).toBe(201);
  });
});

describe('§8 .NET and Java', () => {
  proves('.NET sends code_length: 0 when the caller set none, Java when given 0: 0 means unset', async () => {
    const app_uuid = await world.application({ code_length: 8 });
    const created = await post(SESSIONS, { recipient: world.recipient(), code_length: 0, app_uuid });
    expect(created.status).toBe(202);
    const [{ code_length }] = (await world.retrieve(created.body.session_uuid)).attempt_details;
    expect(code_length).toBe(8);
  });

  proves('Both send application/json; charset=utf-8, and bodies on GET and DELETE', async () => {
    const type = CHARSET_TYPE;
    const body = JSON.stringify({ recipient: world.recipient(), brand_name: 'Zoë' });
    const created = await send('POST', SESSIONS, { type, body });
    expect(created.status).toBe(202);
    const { session_uuid } = created.body;
    const app_uuid = await world.application({});
    const sub = (await post('/Subaccount/', { name: 'x' })).body.auth_id;
    for (const [method, path, sentBody, expected] of [
      ['GET', `${SESSIONS}${session_uuid}/`, '{"session_uuid":"x"}', 200],
      ['GET', `${SESSIONS}?limit=20&offset=0`, '{}', 200],
      ['GET', `/Subaccount/${sub}/`, '{"id":"x"}', 200],
      ['DELETE', `/Subaccount/${sub}/`, '{"id":"x","cascade":true}', 204],
      ['DELETE', `/Verify/Application/${app_uuid}/`, '{}', 204],
    ] as const) {
      const { status } = await send(method, path, { type, body: sentBody });
      expect([method, path, status]).toEqual([method, path, expected]);
    }
  });
});

describe('§8 PHP', () => {
  proves(
    [
      'PHP: create and validate detect failure by an error key, get by a status other than 200',
      'an empty 2xx body is an error to it',
    ],
    async () => {
      const created = await post(SESSIONS, { recipient: world.recipient() });
      const path = `${SESSIONS}${created.body.session_uuid}/`;
      const code = await codeOf(created.body.session_uuid);
      const wrong = await post(path, { otp: wrongCode(code) });
      const refused = await post(SESSIONS, { recipient: '1' });
      for (const { body } of [wrong, refused]) expect(body).toHaveProperty('error');
      const right = await post(path, { otp: code });
      const [got, listed] = [await send('GET', path, {}), await send('GET', SESSIONS, {})];
      for (const { body } of [created, right, got, listed]) {
        expect(body).not.toHaveProperty('error');
        expect(Object.keys(body).length).toBeGreaterThan(1);
      }
      expect([got.status, listed.status]).toEqual([200, 200]);
      expect((await send('GET', `${SESSIONS}${newId()}/`, {})).status).toBe(404);
    },
  );
});

describe('§8 Python', () => {
  proves('Python maps 400 → ValidationError, 401 → AuthenticationError, 403 on POST', async () => {
    const answers = [
      await post(SESSIONS, { recipient: '1' }),
      await send('GET', SESSIONS, { token: 'x' }),
      await send('GET', `${SESSIONS}${newId()}/`, {}),
      await send('DELETE', SESSIONS, {}),
    ];
    const api = await startApi({ limits: { ...LIMITS, countries: ['US'] } });
    answers.push(await api.call('POST', SESSIONS, { body: { recipient: '4915112345678' } }));
    await api.close();
    expect(answers.map(({ status }) => status)).toEqual([400, 401, 404, 405, 403]);
    for (const { body } of answers) expect(body.error).toMatch(/.{10}/);
  });

  proves('That is why wrong, expired and exhausted validations are all 400', async () => {
    const session = await world.create();
    const code = await codeOf(session);
    const errors: [number, string][] = [];
    const validate = async (otp: string) => {
      const { status, body } = await post(`${SESSIONS}${session}/`, { otp });
      errors.push([status, body.error]);
    };
    for (let tried = 0; tried < 10; tried++) await validate(wrongCode(code));
    await validate(code);
    await world.server.time.advance(600_000);
    await validate(code);
    expect(errors.slice(9)).toEqual([
      [400, expect.stringContaining('invalid OTP')],
      [400, expect.stringContaining('maximum')],
      [400, expect.stringContaining('expired')],
    ]);
  });
});

describe('§8 clients without an SDK', () => {
  proves(
    [
      'Clients without an SDK look for session_uuid in the create answer',
      'some look for expired, invalid or incorrect in it',
      'some compare the validate message to the letter',
    ],
    async () => {
      const { status, body } = await post(SESSIONS, { recipient: world.recipient() });
      expect([status, body.session_uuid]).toEqual([202, expect.stringMatching(/^.{36}$/)]);
      const path = `${SESSIONS}${body.session_uuid}/`;
      const code = await codeOf(body.session_uuid);
      const wrong = await post(path, { otp: wrongCode(code) });
      expect(wrong.status).toBeGreaterThanOrEqual(400);
      expect(wrong.status).toBeLessThan(500);
      expect(wrong.body.error).toMatch(/invalid|incorrect/);
      expect((await post(path, { otp: code })).body.message).toBe('session validated successfully.');

      const late = await world.create({ otp: '123456' });
      await world.server.time.advance(600_000);
      expect((await post(`${SESSIONS}${late}/`, { otp: '123456' })).body.error).toMatch(/expired/);
    },
  );
});

describe('§8 pointing an SDK here', () => {
  proves(
    [
      'Pointing an SDK here (base has no trailing slash)',
      "Node: new plivo.Client(id, token, {url: base + '/v1/Account/' + id})",
    ],
    async () => {
      const { authId: id, token } = world.main;
      const base = world.server.url;
      const client = new plivo.Client(id, token, { url: `${base}/v1/Account/${id}` } as Untyped) as Untyped;
      const { sessionUuid } = await client.verify_session.create({ recipient: world.recipient() });
      expect(await client.verify_session.get(sessionUuid)).toMatchObject({ status: 'in-progress' });
    },
  );

  proves(
    [
      'the documentation shows each, and a test runs those it can',
      "Python: plivo.rest.client.PLIVO_API_BASE_URI = base + '/v1/Account'",
      'Go: client.BaseUrl is a *url.URL',
      'options must be non-nil',
      'Java: the six-argument PlivoClient constructor',
      '.NET: before the first call, api.Client =',
      'Ruby: set Plivo::Base::PLIVO_API_URL anew',
      'PHP: $client->client->setHttpClientHandler(',
    ],
    () => {
      const page = read('docs/sdks.md');
      // What is marked "test" is run: Node's by test/repository, the others' by `npm run conformance`.
      const shown: [fence: string, text: string | RegExp][] = [
        ['js test', /new plivo\.Client\(.+, \{\s*url: /],
        ['python test', /PLIVO_API_BASE_URI = .+\/v1\/Account/],
        ['go test', 'client.BaseUrl = base'],
        ['go test', /plivo\.NewClient\(.+, &plivo\.ClientOptions\{\}\)/],
        ['java test', /new PlivoClient\((?:[^,]+,){3}\s*base \+ "\/v1\/",[^,]+,[^,]+\)/],
        ['java test', '.client(client)'],
        [
          'csharp',
          'api.Client = new Plivo.Client.HttpClient(new BasicAuth(id, token), baseUri: baseUrl + "/v1")',
        ],
        ['ruby', 'Plivo::Base::PLIVO_API_URL = base'],
        ['php', 'setHttpClientHandler('],
        ['bash test', 'curl'],
      ];
      for (const [fence, text] of shown) {
        const blocks = [...page.matchAll(new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\`$`, 'gms'))];
        const expected =
          typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);
        expect(blocks.map((match) => match[1])).toContainEqual(expected);
      }
    },
  );
});

/** What an SDK sends for each call of the main job, whatever its language. */
interface Client {
  readonly name: string;
  readonly type: string;
  readonly create: object;
  readonly validate: (id: string, code: string) => object;
  readonly getBody?: string;
  readonly listQuery: string;
}

const UNSET = { app_uuid: null, channel: null, url: null, method: null, locale: null, brand_name: null };

const CLIENTS: readonly Client[] = [
  {
    name: 'Python, with an aware datetime',
    type: JSON_TYPE,
    create: { fraud_check: 'enabled' },
    validate: (id, otp) => ({ session_uuid: id, otp }),
    listQuery: '?session_time__gte=2026-01-31+08:00:00%2B00:00&session_time__lt=2026-02-28T10:00:00Z',
  },
  {
    name: 'Go',
    type: JSON_TYPE,
    create: { src: '14155550100' },
    validate: (_, otp) => ({ otp }),
    listQuery: '?limit=20&AppHash=&BrandName=',
  },
  {
    name: 'Ruby',
    type: JSON_TYPE,
    create: { ...UNSET, app_hash: null, code_length: null, dtmf: null },
    validate: (_, otp) => ({ otp: Number(otp) }),
    listQuery: '?channel=',
  },
  {
    name: '.NET',
    type: CHARSET_TYPE,
    create: { code_length: 0, channel: 'sms' },
    validate: (id, otp) => ({ session_uuid: id, otp }),
    getBody: '{"session_uuid":"x"}',
    listQuery: '?limit=20&offset=0',
  },
  {
    name: 'Java',
    type: CHARSET_TYPE,
    create: { code_length: 0, method: 'POST' },
    validate: (id, otp) => ({ id, otp }),
    getBody: '{}',
    listQuery: '?limit=5',
  },
  {
    name: 'PHP',
    type: JSON_TYPE,
    create: { locale: 'es', otp: '00471' },
    validate: (_, otp) => ({ otp }),
    listQuery: '?status=validated',
  },
  {
    name: 'one without an SDK that follows the legacy documentation',
    type: JSON_TYPE,
    create: {},
    validate: (_, otp) => ({ OTP: otp }),
    getBody: '""',
    listQuery: '',
  },
];

describe('§8 the whole job', () => {
  test.each(CLIENTS)('as $name sends it', async ({ type, create, validate, getBody = '', listQuery }) => {
    // Newer than what other tests have started.
    await world.server.time.advance(1_000);
    const digits = world.recipient();
    const recipient = type === CHARSET_TYPE ? digits : `+${digits}`;
    const created = await send('POST', SESSIONS, { type, body: JSON.stringify({ recipient, ...create }) });
    expect(created).toMatchObject({ status: 202, body: { message: 'Session initiated' } });
    const id = created.body.session_uuid;
    const path = `${SESSIONS}${id}/`;
    const [message] = await world.messages(id);
    expect(message!.code).toHaveLength('otp' in create ? 5 : 6);

    const body = JSON.stringify(validate(id, message!.code));
    expect(await send('POST', path, { type, body })).toMatchObject({
      status: 200,
      body: { message: 'session validated successfully.', session_uuid: id },
    });
    expect(await send('GET', path, { type, body: getBody })).toMatchObject({
      status: 200,
      body: { session_uuid: id, status: 'verified', recipient: digits, count: 1 },
    });
    const listed = await send('GET', `${SESSIONS}${listQuery}`, { type, body: getBody });
    expect(listed).toMatchObject({ status: 200, body: { meta: { offset: 0, previous: null } } });
    expect(listed.body.sessions[0]).toMatchObject({ session_uuid: id });
  });
});
