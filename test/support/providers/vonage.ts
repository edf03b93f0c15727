import { jsonWebToken, sha256 } from './json-web-token.js';
import { basic, jsonBody, type ProviderStub, type Push, type Reply } from './server.js';

export const API_KEY = 'abcd1234';
export const API_SECRET = 'sentinel-vonage-secret';
export const SIGNATURE_SECRET = 'sentinel-vonage-signature-secret-of-32-characters';
export const MESSAGE_UUID = 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab';

export function vonageError(status: number, code: string, title = 'A problem'): Reply {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: {
      type: `https://developer.vonage.com/api-errors/messages#${code}`,
      title,
      detail: 'about 14155550123',
      instance: 'bf0ca0bf927b3b52e3cb03217e1a1ddf',
    },
  };
}

/** https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks */
export function vonagePush(
  url: string,
  fields: unknown,
  now: number,
  claims: Record<string, unknown> = {},
): Push {
  const body = JSON.stringify(fields);
  const token = jsonWebToken(
    {
      iat: Math.floor(now / 1000),
      jti: '3c8ad61a-1dc0-4e3e-8a04-2ec65d4f4d64',
      iss: 'Vonage',
      payload_hash: sha256(body),
      api_key: API_KEY,
      ...claims,
    },
    SIGNATURE_SECRET,
  );
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  };
}

const KNOWN = new Set([
  'message_type',
  'channel',
  'from',
  'to',
  'text',
  'client_ref',
  'ttl',
  'webhook_url',
  'webhook_version',
  'sms',
]);

export const vonageStub: ProviderStub = {
  type: 'vonage',
  settings: {
    api_key: API_KEY,
    api_secret: API_SECRET,
    signature_secret: SIGNATURE_SECRET,
    from: '+15005550006',
  },
  receipts: 'one address',
  answer(request) {
    if (request.headers.authorization !== basic(API_KEY, API_SECRET)) return this.unauthorized;
    if (request.method === 'GET' && request.url === '/account/get-balance') {
      return { status: 200, body: { value: 10.28, autoReload: false } };
    }
    if (request.method !== 'POST' || request.url !== '/v1/messages') return vonageError(404, 'not-found');
    const fields = jsonBody(request);
    if (!fields) return vonageError(422, '1010');
    for (const name of Object.keys(fields)) if (!KNOWN.has(name)) return vonageError(422, '1020');
    if (fields.message_type !== 'text' || fields.channel !== 'sms') return vonageError(422, '1020');
    if (!/^[1-9]\d{6,14}$/.test(String(fields.to))) return this.invalidRecipient;
    if (typeof fields.from !== 'string' || fields.from.startsWith('+')) return vonageError(422, '1120');
    if (typeof fields.ttl !== 'number' || fields.ttl < 20) return vonageError(422, '1020');
    return { status: 202, body: { message_uuid: MESSAGE_UUID } };
  },
  invalidRecipient: vonageError(422, '1170'),
  unauthorized: {
    status: 401,
    body: {
      type: 'https://developer.vonage.com/api-errors#unauthorized',
      title: 'You did not provide correct credentials.',
      detail: 'Check that your API credentials are valid',
      instance: 'bf0ca0bf927b3b52e3cb03217e1a1ddf',
    },
  },
  delivered: 'delivered',
  receipt: (url, { messageId, hopId, status, error }, now) =>
    vonagePush(
      url,
      {
        message_uuid: messageId,
        to: '14155550123',
        from: '15005550006',
        timestamp: '2026-01-31T08:52:40.000Z',
        channel: 'sms',
        status,
        client_ref: hopId,
        usage: { currency: 'EUR', price: '0.0333' },
        destination: { network_code: '31026' },
        ...(error === undefined
          ? {}
          : {
              error: {
                type: `https://developer.vonage.com/api-errors/messages#${error}`,
                title: error,
                detail: 'about it',
                instance: 'bf0ca0bf927b3b52e3cb03217e1a1ddf',
              },
            }),
      },
      now,
    ),
  inbound: (url, message, now) =>
    vonagePush(
      url,
      {
        message_uuid: MESSAGE_UUID,
        channel: 'sms',
        message_type: 'text',
        ...message,
        sms: { num_messages: '1' },
      },
      now,
    ),
};
