import { generateKeyPairSync, sign } from 'node:crypto';
import { jsonBody, type ProviderStub, type Push, type Reply } from './server.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
export const API_KEY = 'KEY0123456789_sentinel';
export const MESSAGE_ID = '40385f64-5717-4562-b3fc-2c963f66afa6';
export const PUBLIC_KEY = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url').toString(
  'base64',
);

export function telnyxError(status: number, code: string): Reply {
  const title = 'An error';
  return {
    status,
    body: { errors: [{ code, title, detail: 'about +14155550123', meta: { url: 'https://x.example' } }] },
  };
}

/** https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks */
export function telnyxPush(url: string, data: Record<string, unknown>, now: number): Push {
  const timestamp = String(Math.floor(now / 1000));
  const body = JSON.stringify({
    data: { record_type: 'event', id: 'b301ed3f', ...data },
    meta: { attempt: 1 },
  });
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      'telnyx-timestamp': timestamp,
      'telnyx-signature-ed25519': sign(null, Buffer.from(`${timestamp}|${body}`), privateKey).toString(
        'base64',
      ),
    },
    body,
  };
}

export function telnyxFinalized({
  messageId,
  status,
  error,
}: {
  messageId: string;
  status: string;
  error?: string;
}) {
  return {
    event_type: status === 'sent' ? 'message.sent' : 'message.finalized',
    occurred_at: '2026-01-31T08:52:40.000+00:00',
    payload: {
      record_type: 'message',
      direction: 'outbound',
      id: messageId,
      cost: { amount: '0.0040', currency: 'USD' },
      errors: error === undefined ? [] : [{ code: error, title: 'An error' }],
      from: { phone_number: '+15005550006', carrier: 'TELNYX', line_type: 'Wireless' },
      to: [{ phone_number: '+14155550123', status, carrier: 'T-MOBILE', line_type: 'Wireless' }],
    },
  };
}

const KNOWN = new Set([
  'from',
  'messaging_profile_id',
  'to',
  'text',
  'subject',
  'media_urls',
  'webhook_url',
  'webhook_failover_url',
  'use_profile_webhooks',
  'type',
]);

export const telnyxStub: ProviderStub = {
  type: 'telnyx',
  settings: { api_key: API_KEY, public_key: PUBLIC_KEY, from: '+15005550006' },
  receipts: 'one address',
  answer(request) {
    if (request.headers.authorization !== `Bearer ${API_KEY}`) return this.unauthorized;
    if (request.method === 'GET' && request.url === '/v2/balance') {
      return { status: 200, body: { data: { record_type: 'balance', balance: '300.00', currency: 'USD' } } };
    }
    if (request.method !== 'POST' || request.url !== '/v2/messages') return telnyxError(404, '10005');
    const fields = jsonBody(request);
    if (!fields) return telnyxError(400, '10015');
    for (const name of Object.keys(fields)) if (!KNOWN.has(name)) return telnyxError(400, '10015');
    if (!/^\+[1-9]\d{1,14}$/.test(String(fields.to))) return this.invalidRecipient;
    if (!fields.from && !fields.messaging_profile_id) return telnyxError(400, '40313');
    if (typeof fields.text !== 'string') return telnyxError(400, '40316');
    return {
      status: 200,
      body: {
        data: {
          record_type: 'message',
          direction: 'outbound',
          id: MESSAGE_ID,
          type: 'SMS',
          cost: { amount: '0.0040', currency: 'USD' },
          to: [{ phone_number: fields.to, status: 'queued' }],
          errors: [],
        },
      },
    };
  },
  invalidRecipient: telnyxError(400, '40310'),
  unauthorized: telnyxError(401, '10009'),
  delivered: 'delivered',
  receipt: (url, fate, now) => telnyxPush(url, telnyxFinalized(fate), now),
  inbound: (url, { from, to, text }, now) =>
    telnyxPush(
      url,
      {
        event_type: 'message.received',
        payload: {
          direction: 'inbound',
          id: MESSAGE_ID,
          from: { phone_number: from, carrier: 'T-MOBILE' },
          to: [{ phone_number: to, status: 'webhook_delivered' }],
          text,
          type: 'SMS',
        },
      },
      now,
    ),
};
