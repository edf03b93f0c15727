import { jsonWebToken, sha256 } from './json-web-token.js';
import { jsonBody, type ProviderStub, type Push, type Reply } from './server.js';

export const ACCESS_KEY = 'sentinel_messagebird_key';
export const SIGNING_KEY = 'sentinel-messagebird-signing-key';
export const MESSAGE_ID = 'e8077d803532c0b5937c639b60216938';

export function messagebirdError(status: number, code: number, parameter: string | null = null): Reply {
  return { status, body: { errors: [{ code, description: 'about 14155550123', parameter }] } };
}

/** https://developers.messagebird.com/docs/verify-http-requests */
export function messagebirdToken(url: string, body: string | undefined, now: number, changes = {}): string {
  const seconds = Math.floor(now / 1000);
  return jsonWebToken(
    {
      iss: 'MessageBird',
      nbf: seconds,
      exp: seconds + 60,
      jti: '2d3ea9bb-0cf7-4c4e-b4a4-b2b3a0c9dd9b',
      url_hash: sha256(url),
      ...(body === undefined ? {} : { payload_hash: sha256(body) }),
      ...changes,
    },
    SIGNING_KEY,
  );
}

export function messagebirdPush(url: string, now: number, body?: string, changes = {}): Push {
  return {
    method: body === undefined ? 'GET' : 'POST',
    url,
    headers: {
      'messagebird-signature-jwt': messagebirdToken(url, body, now, changes),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    body,
  };
}

const KNOWN = new Set([
  'originator',
  'recipients',
  'body',
  'type',
  'datacoding',
  'validity',
  'reference',
  'reportUrl',
  'gateway',
  'groupIds',
  'mclass',
  'scheduledDatetime',
]);

export const messagebirdStub: ProviderStub = {
  type: 'messagebird',
  settings: { access_key: ACCESS_KEY, signing_key: SIGNING_KEY, from: '+15005550006' },
  receipts: 'each hop has its own address',
  answer(request) {
    if (request.headers.authorization !== `AccessKey ${ACCESS_KEY}`) return this.unauthorized;
    if (request.method === 'GET' && request.url === '/balance') {
      return { status: 200, body: { payment: 'prepaid', type: 'credits', amount: 9.2 } };
    }
    if (request.method !== 'POST' || request.url !== '/messages') return messagebirdError(404, 20);
    const fields = jsonBody(request);
    if (!fields) return messagebirdError(400, 21);
    for (const name of Object.keys(fields)) {
      if (!KNOWN.has(name)) return messagebirdError(422, 10, name);
    }
    const [recipient, ...others] = (fields.recipients ?? []) as string[];
    if (others.length > 0 || !/^[1-9]\d{4,14}$/.test(recipient ?? '')) return this.invalidRecipient;
    if (!/^([0-9]{3,15}|[A-Za-z0-9 ]{1,11})$/.test(String(fields.originator))) {
      return messagebirdError(422, 10, 'originator');
    }
    if (fields.reportUrl !== undefined && !fields.reference) return messagebirdError(422, 9, 'reference');
    return {
      status: 201,
      body: {
        id: MESSAGE_ID,
        href: `https://rest.messagebird.com/messages/${MESSAGE_ID}`,
        direction: 'mt',
        type: 'sms',
        originator: fields.originator,
        body: fields.body,
        reference: fields.reference,
        recipients: { totalCount: 1, totalSentCount: 1, items: [{ recipient: 14155550123, status: 'sent' }] },
      },
    };
  },
  invalidRecipient: messagebirdError(422, 10, 'recipients'),
  unauthorized: messagebirdError(401, 2, 'access_key'),
  delivered: 'delivered',
  receipt: (url, { messageId, hopId, status, error }, now) => {
    const query = new URLSearchParams({
      id: messageId,
      reference: hopId,
      recipient: '14155550123',
      status,
      statusDatetime: '2026-01-31T08:52:40+00:00',
      mccmnc: '310260',
      'price[amount]': '0.070',
      'price[currency]': 'EUR',
      ...(error === undefined ? {} : { statusErrorCode: error }),
    });
    return messagebirdPush(`${url}?${query}`, now);
  },
  inbound: (url, { from, to, text }, now) =>
    messagebirdPush(
      url,
      now,
      new URLSearchParams({ id: MESSAGE_ID, originator: from, recipient: to, body: text }).toString(),
    ),
};
