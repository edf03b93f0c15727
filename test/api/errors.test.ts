import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreError } from '#store/store.js';
import { type Answer, type ApiServer, basic, parseRaw, sendRaw, startApi } from '../support/api-server.js';

const PATH = '/Verify/Session/';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const post = (body: unknown, headers?: Record<string, string>) => api.call('POST', PATH, { body, headers });

function expectShape({ status, headers, body }: Answer): void {
  expect(Object.keys(body).sort()).toEqual(['api_id', 'error']);
  expect(body.error).toMatch(/^.{5,}$/);
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(status).not.toBe(408);
  expect(headers.get('retry-after')).not.toBe('0');
}

describe('§7 a body that cannot be read is 400 in the shape of every error', () => {
  test.each([
    '{',
    '{"recipient":',
    'null',
    '[]',
    '"x"',
    '5',
    'recipient=14155551234',
    '\u00ff',
    `{"a":${'['.repeat(30_000)}`,
  ])('the text %.40s', async (body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expectShape(answer);
  });

  test('30,000 arrays within each other', async () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    expect(await post(`{"recipient":"14155551234","x":${deep}}`)).toMatchObject({ status: 400 });
    expect(await post(`{"recipient":"\\u0000","x":${deep}}`)).toMatchObject({ status: 400 });
  });

  test('bytes that are not UTF-8', async () => {
    const response = await fetch(`${api.url}/v1/Account/${api.main.authId}${PATH}`, {
      method: 'POST',
      headers: { authorization: basic(api.main), 'content-type': 'application/json' },
      body: Buffer.concat([
        Buffer.from('{"recipient":"14155551234","brand_name":"'),
        Buffer.from([0xff, 0x22, 0x7d]),
      ]),
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toContain('UTF-8');
  });

  test.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data',
    'nonsense',
    'application/json5',
  ])('the content type %s', async (type) => {
    const answer = await post('{"recipient":"14155551234"}', { 'content-type': type });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('application/json') },
    });
  });

  test('a NUL character or half a surrogate pair in any string', async () => {
    for (const body of [
      '{"recipient":"1\\u0000"}',
      '{"brand_name":"\\ud83d"}',
      '{"\\u0000":1}',
      '{"x":[{"y":"\\u0000"}]}',
    ]) {
      const answer = await post(body);
      expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('NUL') } });
    }
    const emoji = '{"recipient":"14155551234","brand_name":"\\ud83d\\ude42 \\\\u0000"}';
    expect((await post(emoji)).status).toBe(202);
  });
});

test('§7 no body and an empty body name the missing field', async () => {
  for (const answer of [await post(''), await api.call('POST', PATH)]) {
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('recipient') } });
  }
});

test('§7 a body that names something twice is 400: one reader takes the first of them, another the last', async () => {
  const bodies = [
    '{"recipient":"14155551234","recipient":"14155551234"}',
    '{"recipient":"14155551234","\\u0072ecipient":"14155551235"}',
    '{"recipient":"14155551234","x":null,"x":null}',
    '{"recipient":"14155551234","__proto__":null,"__proto__":null}',
    '{"recipient":"14155551234","x":[{"y":1,"z":2},{"y":1,"y":2}]}',
  ];
  for (const body of bodies) {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, body: { error: 'the body has a name twice' } });
  }
  const text = '{"recipient":"14155551234","brand_name":"a\\":{\\"a\\": \\\\","src":null}';
  expect((await post(text)).status).toBe(202);
});

test('§7 a deeply nested body is 400, also where further fields are ignored', async () => {
  const session = await api.create();
  const { right } = await api.codes(session);
  const validate = (depth: number) =>
    api.call('POST', `${PATH}${session}/`, {
      body: `{"otp":"${right}","x":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    });
  for (const depth of [32, 20_000]) {
    const answer = await validate(depth);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'the body is nested deeper than 32 levels' },
    });
  }
  expect((await validate(31)).status).toBe(200);
});

test('§7 a NUL character in path or query is 400', async () => {
  for (const path of [`${PATH}%00/`, `${PATH}?recipient=%00`, `/%00`]) {
    const answer = await api.call('GET', path);
    expect(answer.status).toBe(400);
    expectShape(answer);
  }
});

test('§7 a path that is not validly encoded is 400, one that names nothing 404', async () => {
  const bad = await api.call('GET', `${PATH}%zz/`);
  expect(bad.status).toBe(400);
  expectShape(bad);
  for (const path of ['/', '/Verify/', `${PATH}a/b/`, '/verify/session/', `${PATH}${'x'.repeat(5000)}`]) {
    const missing = await api.call('GET', path);
    expect(missing.status).toBe(404);
    expectShape(missing);
  }
});

describe('§7 a body of more than 64 KiB is 413', () => {
  test('with its length announced', async () => {
    const answer = await post({ recipient: '14155551234', brand_name: 'x'.repeat(3_000_000) });
    expect(answer.status).toBe(413);
    expectShape(answer);
  });

  test('in chunks', async () => {
    const response = await fetch(`${api.url}/v1/Account/${api.main.authId}${PATH}`, {
      method: 'POST',
      headers: { authorization: basic(api.main), 'content-type': 'application/json' },
      body: new Blob(['x'.repeat(3_000_000)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({
      api_id: expect.any(String),
      error: expect.stringContaining('64 KiB'),
    });
  });

  test('and one of 64 KiB is read', async () => {
    const body = '{"recipient":"14155551234"}'.padEnd(65_536);
    expect((await post(body)).status).toBe(202);
  });
});

describe('§7 a method that a path does not take is 405 with Allow', () => {
  test('CONNECT, which asks for a tunnel', async () => {
    const path = `/v1/Account/${api.main.authId}${PATH}`;
    for (const [target, status] of [
      [path, 405],
      ['example.com:443', 404],
      ['/nothing/', 404],
    ] as const) {
      const bytes = `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
      const answer = parseRaw(await sendRaw(api.port, bytes));
      expect(answer.status).toBe(status);
      if (status === 405) expect(answer.head).toContain('allow: GET, HEAD, POST');
      expect(answer.body).toEqual({ api_id: expect.stringMatching(/^.{36}$/), error: expect.any(String) });
      expect(api.logged.some((line) => JSON.parse(line).api_id === answer.body.api_id)).toBe(true);
    }
  });

  test('even one that no router knows, and whatever its body is', async () => {
    const head = `PROPFIND /v1/Account/${api.main.authId}${PATH}?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
    const answer = parseRaw(await sendRaw(api.port, `${head}Content-Type: x\r\nContent-Length: 1\r\n\r\n{`));
    expect(answer.status).toBe(405);
    expect(answer.head).toContain('allow: GET, HEAD, POST');
  });
});

describe('§7 what is no HTTP is answered too', () => {
  test.each<[string, string]>([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n'],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['a path that is too large', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['a length that is no number', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n'],
    [
      'a length and chunks at once',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const { status, head, body } = parseRaw(await sendRaw(api.port, bytes));
    expect(status).toBe(400);
    expect(head).toMatch(/content-type: application\/json/i);
    expect(body).toEqual({ api_id: expect.stringMatching(/^.{36}$/), error: expect.stringMatching(/.{5}/) });
    expect(api.logged.some((line) => JSON.parse(line).api_id === body.api_id)).toBe(true);
  });

  test('an expectation that nobody knows is ignored', async () => {
    const bytes = 'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: x\r\nConnection: close\r\n\r\n';
    expect(parseRaw(await sendRaw(api.port, bytes)).status).toBe(200);
  });

  test('but HTTP/1.0 is, which needs no Host', async () => {
    expect(parseRaw(await sendRaw(api.port, 'GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200);
  });

  test('a client that hangs up in the middle harms nobody', async () => {
    const socket = connect(api.port, '127.0.0.1');
    const head = `POST /v1/Account/${api.main.authId}${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n`;
    const credentials = `Authorization: ${basic(api.main)}\r\nContent-Type: application/json\r\n\r\n{"rec`;
    await new Promise<void>((resolve) => socket.write(head + credentials, () => resolve()));
    socket.resetAndDestroy();
    expect((await post({ recipient: '14155551234' })).status).toBe(202);
    expect(api.logged.filter((line) => JSON.parse(line).level === 'error')).toEqual([]);
  });
});

describe('§7 503 with Retry-After of a second or more', () => {
  const expectUnavailable = (answer: Answer) => {
    expect(answer.status).toBe(503);
    expectShape(answer);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  };

  test('while reads cannot be answered', async () => {
    await api.call('GET', PATH);
    api.store.read.sessions = async () => {
      throw new StoreError('unavailable', 'the database is away');
    };
    expectUnavailable(await api.call('GET', PATH));
  });

  test('while draining, and the connection is given up', async () => {
    await api.close();
    let draining = false;
    api = await startApi({ draining: () => draining });
    expect((await api.call('GET', PATH)).status).toBe(200);
    draining = true;
    const answer = await api.call('GET', PATH);
    expectUnavailable(answer);
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('when the code’s key is not on this node: never invalid OTP, and not counted', async () => {
    const session = await api.create();
    const row = api.store.database.tables.session.get(session)!;
    const code = { ...row.code, keyId: '00000000' as typeof row.code.keyId };
    api.store.database.put('session', { ...row, code });
    expectUnavailable(await api.call('POST', `${PATH}${session}/`, { body: { otp: '123456' } }));
    expect(api.store.database.tables.session.get(session)!.validations).toBe(0);
  });

  test('when the account’s token is sealed under a key that is not on this node', async () => {
    const row = api.store.database.tables.account.get(api.main.authId)!;
    const token = { ...row.token, keyId: '00000000' as typeof row.token.keyId };
    api.change({ account: { token } });
    expectUnavailable(await api.call('GET', PATH));
  });
});

test('§7 a defect of ours is 500 without detail, in the log with its api_id', async () => {
  await api.close();
  api = await startApi({
    plan: () => {
      throw new TypeError('what went wrong');
    },
  });
  const answer = await post({ recipient: '14155551234', otp: '80917263' });
  expect(answer.status).toBe(500);
  expectShape(answer);
  expect(answer.body.error).not.toContain('what went wrong');
  const lines = api.logged.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  expect(lines).toEqual([expect.objectContaining({ api_id: answer.body.api_id })]);
  expect(lines[0].error.message).toBe('what went wrong');
  expect(api.logged.join('')).not.toContain('80917263');
});

test('codes, tokens, bodies, queries and recipients do not reach the log, wherever a caller puts them', async () => {
  const code = '80917263';
  const session = await api.create({ otp: code, brand_name: 'SentinelBrand' });
  await api.call('POST', `${PATH}${session}/`, { body: { otp: code } });
  await api.call('POST', `${PATH}${code}/`, { body: { otp: code } });
  await api.call('GET', `${PATH}${api.main.token}/`);
  await api.call('GET', `${PATH}14155551234/`);
  await api.call('GET', `/${api.main.token}/${code}?recipient=14155551234&otp=${code}`);
  await api.call('GET', `${PATH}?recipient=14155551234`);
  await post(`{"otp":"${code}"`);
  await post({ otp: code, [code]: code });
  await sendRaw(api.port, `${code} ${api.main.token}\r\n\r\n`);
  const log = api.logged.join('');
  expect(api.logged).toHaveLength(10);
  for (const secret of [code, api.main.token, '14155551234', 'SentinelBrand', '?']) {
    expect(log).not.toContain(secret);
  }
  expect(log).toContain('1415•••1234');
});

test('requests are counted by route, not by path', async () => {
  const session = await api.create();
  await api.call('GET', `${PATH}${session}/`);
  await api.call('GET', '/Nothing/');
  const text = await api.context.metrics.registry.metrics();
  expect(text).not.toContain(session);
  expect(text).toContain(
    'countersign_http_request_seconds_count{method="GET",route="/v1/Account/:auth_id/Verify/Session/:session_uuid/",status="200"} 1',
  );
  expect(text).toContain('countersign_http_request_seconds_count{method="GET",route="none",status="404"} 1');
});
