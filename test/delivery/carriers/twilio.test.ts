import { describe, expect, it } from 'vitest';
import { verifyTwilio } from '#delivery/carriers/twilio.js';
import { formBody } from '../../support/providers/server.js';
import { MESSAGE_SID, SID, twilioError, twilioStub } from '../../support/providers/twilio.js';
import { carrierOf, mount, PUBLIC_URL, publicContext } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { message, TEXT } from './support.js';

providerSuite(twilioStub);

describe('a request to Twilio', () => {
  it('is a form with all that is documented', async () => {
    const { result, request } = await submitTo(twilioStub);
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_SID });
    expect(request).toMatchObject({
      method: 'POST',
      url: `/2010-04-01/Accounts/${SID}/Messages.json`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    });
    expect(Object.fromEntries(formBody(request)!)).toEqual({
      To: '+14155550123',
      From: '+15005550006',
      Body: TEXT,
      ValidityPeriod: '600',
      StatusCallback: `${PUBLIC_URL}/carriers/gateway/receipts/${message().hopId}#rc=3&rp=5xx,ct,rt`,
    });
  });

  it('leaves the sender to the messaging service where nobody names one', async () => {
    const service = `MG${'0'.repeat(32)}`;
    const settings = { from: undefined, messaging_service_sid: service };
    const alone = formBody((await submitTo(twilioStub, { settings })).request)!;
    expect([alone.get('From'), alone.get('MessagingServiceSid')]).toEqual([undefined, service]);
    const named = formBody(
      (await submitTo(twilioStub, { settings, message: { src: '14155550100' } })).request,
    )!;
    expect([named.get('From'), named.get('MessagingServiceSid')]).toEqual(['+14155550100', undefined]);
  });

  it('is made with an API key where there is one', async () => {
    const settings = { api_key_sid: `SK${'1'.repeat(32)}`, api_key_secret: 'sentinel-key' };
    const { request } = await submitTo(twilioStub, { settings });
    const expected = Buffer.from(`SK${'1'.repeat(32)}:sentinel-key`).toString('base64');
    expect(request.headers.authorization).toBe(`Basic ${expected}`);
    const half = { ...twilioStub.settings, api_key_sid: settings.api_key_sid };
    expect(() => carrierOf('twilio', half)).toThrow('expected together with api_key_secret');
  });
});

describe('an error of Twilio', () => {
  itMaps(twilioStub, [
    ['21610: the recipient opted out', twilioError(400, 21610), { kind: 'refused', errorCode: 200 }],
    ['21614: no mobile number', twilioError(400, 21614), { kind: 'refused', errorCode: 50 }],
    ['21617: too long', twilioError(400, 21617), { kind: 'refused', errorCode: 110 }],
    [
      '21408: the country is off',
      twilioError(403, 21408),
      { kind: 'unavailable', errorCode: 450, down: false },
    ],
    ['21606: not our sender', twilioError(400, 21606), { kind: 'unavailable', errorCode: 40, down: false }],
    ['21611: queue full', twilioError(429, 21611), { kind: 'unavailable', errorCode: 20, down: true }],
    ['20429: too many', twilioError(429, 20429), { kind: 'unavailable', down: true }],
    ['20005: not active', twilioError(403, 20005), { kind: 'unavailable', down: true }],
    [
      'one that nobody knows, by its code',
      twilioError(400, 29999),
      { kind: 'unavailable', down: false, reason: 'HTTP 400, error 29999' },
    ],
  ]);
});

describe('a status of Twilio', () => {
  itReports(twilioStub, [
    ['queued', undefined, null, null],
    ['sending', undefined, null, null],
    ['sent', undefined, 'sent', null],
    ['delivered', undefined, 'delivered', null],
    ['undelivered', '30003', 'undelivered', 80],
    ['undelivered', '30004', 'undelivered', 100],
    ['undelivered', '30005', 'undelivered', 50],
    ['undelivered', '30006', 'undelivered', 70],
    ['undelivered', '30007', 'undelivered', 30],
    ['undelivered', '30008', 'undelivered', 1000],
    ['undelivered', undefined, 'undelivered', 1000],
    ['failed', '30001', 'failed', 20],
    ['failed', '99999', 'failed', 1000],
  ]);

  it('without the hop in its address is found by the message id', async () => {
    const { context, push, now } = await serveReceipts(twilioStub);
    const url = `${PUBLIC_URL}/carriers/gateway/receipts`;
    await push(twilioStub.receipt!(url, { messageId: 'SM1', hopId: '', status: 'delivered' }, now));
    expect(context.reports[0]?.by).toEqual({ kind: 'message', messageId: 'SM1' });
  });

  it('for another hop than the one that was signed is not believed', async () => {
    const { receive } = await serveReceipts(twilioStub);
    const other = message().hopId.replace(/1$/, '2');
    const answer = await receive({}, (push) => ({ ...push, url: push.url.replace(/[^/]+$/, other) }));
    expect(answer.status).toBe(403);
  });

  it('is thanked for with TwiML', async () => {
    const { receive } = await serveReceipts(twilioStub);
    const answer = await receive();
    expect(answer.headers.get('content-type')).toBe('text/xml');
    expect(answer.text).toContain('<Response></Response>');
  });

  it('cannot be believed while nobody knows where Twilio reaches this server', async () => {
    const context = { ...publicContext(), publicUrl: null };
    const { push } = await mount(carrierOf('twilio', twilioStub.settings, context));
    const url = `${PUBLIC_URL}/carriers/gateway/receipts`;
    const answer = await push(twilioStub.receipt!(url, { messageId: 'SM1', hopId: '', status: 'sent' }, 0));
    expect(answer.status).toBe(403);
    expect(answer.json.error).toContain('COUNTERSIGN_PUBLIC_URL');
  });
});

it("believes the signature of the example in Twilio's own libraries", () => {
  const parameters = {
    Digits: '1234',
    CallSid: 'CA1234567890ABCDE',
    To: '+18005551212',
    Caller: '+14158675309',
    From: '+14158675309',
  };
  const incoming = {
    path: 'receipts',
    method: 'POST',
    url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
    query: new URLSearchParams(),
    headers: { 'x-twilio-signature': 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' },
    body: Buffer.from(new URLSearchParams(parameters).toString()),
    hopId: null,
  } as const;
  expect(verifyTwilio(incoming, '12345')).toBeNull();
  expect(verifyTwilio({ ...incoming, url: incoming.url.replace('.com/', '.com:443/') }, '12345')).toBeNull();
  expect(verifyTwilio(incoming, '12346')).not.toBeNull();
});
