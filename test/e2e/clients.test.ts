import { request } from 'node:http';
import { expect, test } from 'vitest';
import { basic } from '../support/api-server.js';
import { AUTH_ID, RECIPIENT, startCountersign, TOKEN, type Untyped } from './support.js';

/** What an SDK sends for each call of the main job (contract §8), whatever its language. */
interface Client {
  readonly name: string;
  readonly contentType: string;
  readonly create: object;
  readonly validate: (id: string, code: string) => object;
  /** The body of a GET; null: none. */
  readonly getBody: string | null;
  readonly listQuery: string;
}

const JSON_TYPE = 'application/json';
const CHARSET_TYPE = 'application/json; charset=utf-8';
const UNSET = { app_uuid: null, channel: null, url: null, method: null, locale: null, brand_name: null };

const clients: readonly Client[] = [
  {
    name: 'Python, with an aware datetime',
    contentType: JSON_TYPE,
    create: { recipient: `+${RECIPIENT}`, fraud_check: 'enabled' },
    validate: (id, otp) => ({ session_uuid: id, otp }),
    getBody: null,
    listQuery: '?session_time__gte=2026-01-31+08:00:00%2B00:00&session_time__lt=2026-01-31T10:00:00Z',
  },
  {
    name: 'Go',
    contentType: JSON_TYPE,
    create: { recipient: RECIPIENT, src: '14155550100' },
    validate: (_, otp) => ({ otp }),
    getBody: null,
    listQuery: '?limit=20&AppHash=&BrandName=',
  },
  {
    name: 'Ruby',
    contentType: JSON_TYPE,
    create: { ...UNSET, app_hash: null, code_length: null, dtmf: null, recipient: Number(RECIPIENT) },
    validate: (_, otp) => ({ otp: Number(otp) }),
    getBody: null,
    listQuery: `?recipient=${RECIPIENT}`,
  },
  {
    name: '.NET',
    contentType: CHARSET_TYPE,
    create: { recipient: RECIPIENT, code_length: 0, channel: 'sms' },
    validate: (id, otp) => ({ session_uuid: id, otp }),
    getBody: '{"session_uuid":"x"}',
    listQuery: '?limit=20&offset=0',
  },
  {
    name: 'Java',
    contentType: CHARSET_TYPE,
    create: { recipient: RECIPIENT, code_length: 0, method: 'POST' },
    validate: (id, otp) => ({ id, otp }),
    getBody: '{}',
    listQuery: '?limit=5',
  },
  {
    name: 'PHP',
    contentType: JSON_TYPE,
    create: { recipient: RECIPIENT, locale: 'es', otp: '00471' },
    validate: (_, otp) => ({ otp }),
    getBody: null,
    listQuery: '?status=validated',
  },
  {
    name: 'one without an SDK that follows the legacy documentation',
    contentType: JSON_TYPE,
    create: { recipient: '+1 (415) 555-1234' },
    validate: (_, otp) => ({ OTP: otp }),
    getBody: '""',
    listQuery: '',
  },
];

test.each(clients)('the whole job, as $name sends it', async (client) => {
  const server = await startCountersign();
  const headers = {
    authorization: basic({ authId: AUTH_ID, token: TOKEN } as never),
    'content-type': client.contentType,
  };
  const base = `/v1/Account/${AUTH_ID}/Verify/Session/`;

  const created = await send(server.url, 'POST', base, headers, JSON.stringify(client.create));
  expect(created).toMatchObject({ status: 202, body: { message: 'Session initiated' } });
  const id = created.body.session_uuid;
  const [message] = await server.inbox(1);
  expect(message!.otp).toHaveLength('otp' in client.create ? 5 : 6);

  const validation = JSON.stringify(client.validate(id, message!.otp));
  expect(await send(server.url, 'POST', `${base}${id}/`, headers, validation)).toMatchObject({
    status: 200,
    body: { message: 'session validated successfully.', session_uuid: id },
  });
  expect(await send(server.url, 'GET', `${base}${id}/`, headers, client.getBody)).toMatchObject({
    status: 200,
    body: { session_uuid: id, status: 'verified', recipient: RECIPIENT, count: 1 },
  });
  expect(await send(server.url, 'GET', `${base}${client.listQuery}`, headers, client.getBody)).toMatchObject({
    status: 200,
    body: { meta: { offset: 0, next: null, previous: null }, sessions: [{ session_uuid: id }] },
  });
});

/** With `node:http`, since `fetch` sends no body with a GET. */
function send(
  origin: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | null,
): Promise<{ status: number; body: Untyped }> {
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(`${origin}${path}`, { method, headers: { ...headers, ...length } });
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode!, body: JSON.parse(text) });
    });
    outgoing.end(body ?? undefined);
  });
}
