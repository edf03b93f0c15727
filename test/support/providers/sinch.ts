import { createHmac } from 'node:crypto';
import { jsonBody, type ProviderStub, type Push, type Reply } from './server.js';

export const PLAN = '6f0a1b2c3d4e5f60718293a4b5c6d7e8';
export const TOKEN = 'sentinel-sinch-token';
export const SECRET = 'sentinel-sinch-callback-secret';
export const BATCH = '01FC66621XXXXX119Z8PMV1QPQ';

export function sinchError(status: number, code: string): Reply {
  return { status, body: { code, text: 'about 14155550123' } };
}

export function sinchPush(url: string, fields: unknown, now: number): Push {
  const body = JSON.stringify(fields);
  const nonce = '01FJA8B4A7BM43YGWSG9GBV067';
  const timestamp = String(Math.floor(now / 1000));
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      'x-sinch-webhook-signature': createHmac('sha256', SECRET)
        .update(`${body}.${nonce}.${timestamp}`)
        .digest('base64'),
      'x-sinch-webhook-signature-nonce': nonce,
      'x-sinch-webhook-signature-timestamp': timestamp,
      'x-sinch-webhook-signature-algorithm': 'HmacSHA256',
    },
    body,
  };
}

const KNOWN = new Set([
  'from',
  'to',
  'body',
  'type',
  'expire_at',
  'send_at',
  'delivery_report',
  'callback_url',
  'client_reference',
  'feedback_enabled',
]);

export const sinchStub: ProviderStub = {
  type: 'sinch',
  settings: { service_plan_id: PLAN, api_token: TOKEN, callback_secret: SECRET, from: '+15005550006' },
  receipts: 'one address',
  answer(request) {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return this.unauthorized;
    if (request.method === 'GET' && request.url === `/xms/v1/${PLAN}/batches?page_size=1`) {
      return { status: 200, body: { count: 0, page: 0, page_size: 1, batches: [] } };
    }
    if (request.method !== 'POST' || request.url !== `/xms/v1/${PLAN}/batches`)
      return { status: 404, body: '' };
    const fields = jsonBody(request);
    if (!fields) return sinchError(400, 'syntax_invalid_json');
    for (const name of Object.keys(fields)) {
      if (!KNOWN.has(name)) return sinchError(400, 'syntax_disallowed_parameter');
    }
    const [to, ...others] = (fields.to ?? []) as string[];
    if (others.length > 0 || !/^\+?[1-9]\d{4,14}$/.test(to ?? '')) return this.invalidRecipient;
    if (typeof fields.body !== 'string') return sinchError(400, 'syntax_constraint_violation');
    return {
      status: 201,
      body: {
        id: BATCH,
        to: fields.to,
        from: fields.from,
        canceled: false,
        body: fields.body,
        type: 'mt_text',
      },
    };
  },
  invalidRecipient: sinchError(400, 'syntax_invalid_parameter_format'),
  unauthorized: { status: 401, body: '' },
  delivered: 'Delivered',
  receipt: (url, { messageId, hopId, status, error = '0' }, now) =>
    sinchPush(
      url,
      {
        type: 'recipient_delivery_report_sms',
        batch_id: messageId,
        recipient: '14155550123',
        code: Number(error),
        status,
        at: '2026-01-31T08:52:40.000Z',
        operator_status_at: '2026-01-31T08:52:00.000Z',
        client_reference: hopId,
      },
      now,
    ),
  inbound: (url, { from, to, text }, now) =>
    sinchPush(
      url,
      { type: 'mo_text', id: BATCH, from, to, body: text, received_at: '2026-01-31T08:52:40Z' },
      now,
    ),
};
