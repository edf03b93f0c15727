import { createHmac } from 'node:crypto';
import { basic, formBody, type ProviderStub, type Push, type Reply } from './server.js';

export const SID = `AC${'0123456789abcdef'.repeat(2)}`;
export const TOKEN = 'sentinel-twilio-auth-token';
export const MESSAGE_SID = `SM${'fedcba9876543210'.repeat(2)}`;

/** https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions */
export function twilioError(status: number, code: number, message = `about +14155550123`): Reply {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

/** https://www.twilio.com/docs/usage/webhooks/webhooks-security */
export function signTwilio(url: string, parameters: Record<string, string>, token = TOKEN): string {
  const [signed] = url.split('#');
  const text = Object.keys(parameters)
    .sort()
    .reduce((all, name) => all + name + parameters[name], signed!);
  return createHmac('sha1', token).update(text, 'utf8').digest('base64');
}

function push(url: string, parameters: Record<string, string>): Push {
  return {
    method: 'POST',
    url: url.split('#')[0]!,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': signTwilio(url, parameters),
    },
    body: new URLSearchParams(parameters).toString(),
  };
}

export const twilioStub: ProviderStub = {
  type: 'twilio',
  settings: { account_sid: SID, auth_token: TOKEN, from: '+15005550006' },
  receipts: 'each hop has its own address',
  answer(request) {
    if (request.headers.authorization !== basic(SID, TOKEN)) return this.unauthorized;
    if (request.method === 'GET' && request.url === `/2010-04-01/Accounts/${SID}.json`) {
      return { status: 200, body: { sid: SID, status: 'active', type: 'Full' } };
    }
    if (request.method !== 'POST' || request.url !== `/2010-04-01/Accounts/${SID}/Messages.json`) {
      return twilioError(404, 20404);
    }
    const fields = formBody(request);
    if (!fields) return twilioError(400, 21604);
    if (!/^\+[1-9]\d{1,14}$/.test(fields.get('To') ?? '')) return this.invalidRecipient;
    if (!fields.get('Body')) return twilioError(400, 21602);
    if (!fields.has('From') && !fields.has('MessagingServiceSid')) return twilioError(400, 21603);
    const validity = Number(fields.get('ValidityPeriod'));
    if (!(validity >= 1 && validity <= 36_000)) return twilioError(400, 21623);
    return {
      status: 201,
      body: {
        account_sid: SID,
        api_version: '2010-04-01',
        body: fields.get('Body'),
        direction: 'outbound-api',
        error_code: null,
        from: fields.get('From') ?? null,
        price: null,
        price_unit: 'USD',
        sid: MESSAGE_SID,
        status: 'queued',
        to: fields.get('To'),
      },
    };
  },
  invalidRecipient: twilioError(400, 21211),
  unauthorized: twilioError(401, 20003, 'Authenticate'),
  delivered: 'delivered',
  receipt: (url, { messageId, status, error }) =>
    push(url, {
      AccountSid: SID,
      ApiVersion: '2010-04-01',
      From: '+15005550006',
      MessageSid: messageId,
      MessageStatus: status,
      SmsSid: messageId,
      SmsStatus: status,
      To: '+14155550123',
      ...(error === undefined ? {} : { ErrorCode: error }),
    }),
  inbound: (url, { from, to, text }) =>
    push(url, {
      AccountSid: SID,
      Body: text,
      From: from,
      To: to,
      MessageSid: MESSAGE_SID,
      NumMedia: '0',
      NumSegments: '1',
      SmsStatus: 'received',
      ToCountry: 'US',
      FromCity: '',
    }),
};
