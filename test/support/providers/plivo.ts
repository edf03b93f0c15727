import { createHmac } from 'node:crypto';
import { basic, jsonBody, type ProviderStub, type Push, type Reply } from './server.js';

export const AUTH_ID = 'MAXXXXXXXXXXXXXXXXXX';
export const TOKEN = 'sentinel-plivo-auth-token';
export const MESSAGE_UUID = 'db3ce55a-7f1d-11e1-8ea7-1231380bc196';
export const NONCE = '05429567804466091622';

export function plivoError(status: number, error: string): Reply {
  return { status, body: { api_id: '5b40a428-bfc7-11e1-8f6e-1231381ebc1d', error } };
}

/** https://docs.plivo.com/docs/messaging/concepts/signature-validation */
export function signV2(url: string, token = TOKEN): string {
  return createHmac('sha256', token)
    .update(url.split('?')[0]! + NONCE)
    .digest('base64');
}

/** https://docs.plivo.com/docs/voice/xml/request/validation, as the Node SDK's validator has it. */
export function signV3(url: string, parameters: Record<string, string>, token = TOKEN): string {
  const [base, query] = url.split('?');
  const asked = query ? `${query.split('&').sort().join('&')}.` : '';
  const sent = Object.keys(parameters)
    .sort()
    .map((name) => name + parameters[name])
    .join('');
  return createHmac('sha256', token).update(`${base}?${asked}${sent}.${NONCE}`).digest('base64');
}

export function plivoPush(url: string, parameters: Record<string, string>, version: 2 | 3 = 3): Push {
  const signature = version === 3 ? signV3(url, parameters) : signV2(url);
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      [`x-plivo-signature-v${version}`]: signature,
      [`x-plivo-signature-v${version}-nonce`]: NONCE,
    },
    body: new URLSearchParams(parameters).toString(),
  };
}

const KNOWN = new Set([
  'src',
  'dst',
  'text',
  'type',
  'url',
  'method',
  'log',
  'trackable',
  'powerpack_uuid',
  'message_expiry',
  'dlt_entity_id',
  'dlt_template_id',
  'dlt_template_category',
]);

export function plivoReceipt({
  messageId,
  status,
  error = '000',
}: {
  messageId: string;
  status: string;
  error?: string;
}) {
  return {
    DestinationCountryISO2: 'US',
    ErrorCode: error,
    From: '15005550006',
    MCC: '310',
    MNC: '004',
    MessageUUID: messageId,
    ParentMessageUUID: messageId,
    PartInfo: '1 of 1',
    Status: status,
    To: '14155550123',
    TotalAmount: '0.00350',
    TotalRate: '0.00350',
    Units: '1',
  };
}

export const plivoStub: ProviderStub = {
  type: 'plivo',
  settings: { auth_id: AUTH_ID, auth_token: TOKEN, from: '+15005550006' },
  receipts: 'each hop has its own address',
  answer(request) {
    if (request.headers.authorization !== basic(AUTH_ID, TOKEN)) return this.unauthorized;
    if (request.method === 'GET' && request.url === `/v1/Account/${AUTH_ID}/`) {
      return { status: 200, body: { account_type: 'standard', auth_id: AUTH_ID, cash_credits: '10.00000' } };
    }
    if (request.method !== 'POST' || request.url !== `/v1/Account/${AUTH_ID}/Message/`) {
      return plivoError(404, 'not found');
    }
    const fields = jsonBody(request);
    if (!fields) return plivoError(400, 'Invalid JSON');
    for (const name of Object.keys(fields))
      if (!KNOWN.has(name)) return plivoError(400, `${name} is not known`);
    if (!/^\+?[1-9]\d{4,14}$/.test(String(fields.dst))) return this.invalidRecipient;
    if (!fields.src && !fields.powerpack_uuid) return plivoError(400, 'src parameter not present');
    if (typeof fields.text !== 'string') return plivoError(400, 'text parameter not present');
    return {
      status: 202,
      body: { message: 'message(s) queued', message_uuid: [MESSAGE_UUID], api_id: 'db342550-7f1d-11e1' },
    };
  },
  invalidRecipient: plivoError(400, 'dst parameter is not a valid phone number +14155550123'),
  unauthorized: { status: 401, body: 'Could not verify your access level for that URL.' },
  delivered: 'delivered',
  receipt: (url, fate) => plivoPush(url, plivoReceipt(fate)),
  inbound: (url, { from, to, text }) =>
    plivoPush(url, { From: from, To: to, Text: text, Type: 'sms', MessageUUID: MESSAGE_UUID, Units: '1' }),
};
