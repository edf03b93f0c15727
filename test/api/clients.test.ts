import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, basic, parseRaw, sendRaw, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

/** A request as a client writes it, on a connection of its own. */
async function asWritten(method: string, path: string, headers: string[], body = '') {
  const request = [
    `${method} /v1/Account/${api.main.authId}${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: close',
    `Authorization: ${basic(api.main)}`,
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n');
  return parseRaw(await sendRaw(api.port, request));
}

const JSON_TYPE = 'Content-Type: application/json';
const DOTNET_TYPE = 'Content-Type: application/json; charset=utf-8';

test('§8 Node: a GET with the body "" and a GET with a type but no body', async () => {
  const session = await api.create();
  expect((await asWritten('GET', `/Verify/Session/${session}/`, [JSON_TYPE], '""')).status).toBe(200);
  expect((await asWritten('GET', '/Verify/Session/?limit=5', [JSON_TYPE])).status).toBe(200);
});

test('§8 Go: list appends AppHash and BrandName, empty', async () => {
  expect((await asWritten('GET', '/Verify/Session/?AppHash=&BrandName=', [JSON_TYPE])).status).toBe(200);
});

test('§8 Ruby: null for every field that is not set, and an integer recipient', async () => {
  const unset = [
    'app_uuid',
    'channel',
    'url',
    'method',
    'locale',
    'brand_name',
    'app_hash',
    'code_length',
    'dtmf',
    'fraud_check',
    'otp',
    'src',
  ];
  const fields = Object.fromEntries(unset.map((name) => [name, null]));
  const body = JSON.stringify({ ...fields, recipient: 14155551234, a_field_of_tomorrow: null });
  const answer = await asWritten('POST', '/Verify/Session/', [JSON_TYPE], body);
  expect(answer.status).toBe(202);
  const { session } = (await api.store.read.session(answer.body.session_uuid as never))!;
  expect(session).toMatchObject({ recipient: '14155551234', channel: 'sms', code: { length: 6 } });
});

test('§8 .NET: code_length 0, a charset, and a body on a GET', async () => {
  const body = '{"recipient":"14155551234","code_length":0}';
  const created = await asWritten('POST', '/Verify/Session/', [DOTNET_TYPE], body);
  expect(created.status).toBe(202);
  const path = `/Verify/Session/${created.body.session_uuid}/`;
  expect((await asWritten('GET', path, [DOTNET_TYPE], '{"session_uuid":"x"}')).status).toBe(200);
});

test('§8 Python: a validate without otp names the field', async () => {
  const session = await api.create();
  const path = `/Verify/Session/${session}/`;
  const answer = await asWritten('POST', path, [JSON_TYPE], `{"session_uuid":"${session}"}`);
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('otp') } });
});

test('§8 PHP: no success has an error key, no failure lacks it', async () => {
  const session = await api.create();
  const { right, wrong } = await api.codes(session);
  const path = `/Verify/Session/${session}/`;
  const validate = (otp: string) => asWritten('POST', path, [JSON_TYPE], JSON.stringify({ otp }));
  expect((await validate(wrong)).body).toHaveProperty('error');
  for (const answer of [
    await validate(right),
    await asWritten('GET', path, []),
    await asWritten('GET', '/Verify/Session/', []),
    await asWritten('GET', '/Inbox/', []),
  ]) {
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('error');
  }
});

test('§8 a client of HTTP/1.0 needs no Host', async () => {
  expect(parseRaw(await sendRaw(api.port, 'GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200);
});
