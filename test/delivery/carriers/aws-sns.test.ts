import { describe, expect, it } from 'vitest';
import {
  awsSnsStub,
  KEY_ID,
  MESSAGE_ID,
  REGION,
  SECRET,
  signingKey,
  snsError,
} from '../../support/providers/aws-sns.js';
import { formBody } from '../../support/providers/server.js';
import { carrierOf } from './mount.js';
import { itMaps, providerSuite, submitTo } from './provider-suite.js';
import { TEXT } from './support.js';

providerSuite(awsSnsStub);

/** The attributes of a request by name. */
function attributesOf(request: Parameters<typeof formBody>[0]): Record<string, string> {
  const fields = formBody(request)!;
  const names = [...fields].filter(([key]) => key.endsWith('.Name'));
  return Object.fromEntries(
    names.map(([key, name]) => [name, fields.get(key.replace(/Name$/, 'Value.StringValue'))!]),
  );
}

describe('a request to Amazon SNS', () => {
  it('is a signed form with all that is documented', async () => {
    const { result, request } = await submitTo(awsSnsStub);
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_ID });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-amz-date': '20260131T085239Z' },
    });
    const credential = `AWS4-HMAC-SHA256 Credential=${KEY_ID}/20260131/${REGION}/sns/aws4_request, `;
    expect(request.headers.authorization?.startsWith(credential)).toBe(true);
    expect(Object.fromEntries(formBody(request)!)).toMatchObject({
      Action: 'Publish',
      Version: '2010-03-31',
      PhoneNumber: '+14155550123',
      Message: TEXT,
    });
    expect(attributesOf(request)).toEqual({
      'AWS.SNS.SMS.SMSType': 'Transactional',
      'AWS.MM.SMS.OriginationNumber': '+15005550006',
    });
  });

  it('tells apart senders that are names and numbers, and passes on the rest', async () => {
    const { result, request } = await submitTo(awsSnsStub, {
      settings: { sms_type: 'Promotional', max_price: '0.50' },
      message: { sender: 'Acme', parameters: { entity_id: '1101', template_id: '1107' } },
    });
    expect(result.kind).toBe('accepted');
    expect(attributesOf(request)).toEqual({
      'AWS.SNS.SMS.SMSType': 'Promotional',
      'AWS.SNS.SMS.SenderID': 'Acme',
      'AWS.SNS.SMS.MaxPrice': '0.50',
      'AWS.MM.SMS.EntityId': '1101',
      'AWS.MM.SMS.TemplateId': '1107',
    });
  });

  it('signs every text, and the token of a temporary key', async () => {
    for (const text of ['ünïcödé ✓', 'a+b & c=d %20', "it's (a) *test*!"]) {
      const { result, request } = await submitTo(awsSnsStub, {
        settings: { session_token: 'sentinel-session-token' },
        message: { text },
      });
      expect(result.kind).toBe('accepted');
      expect(request.headers['x-amz-security-token']).toBe('sentinel-session-token');
      expect(request.headers.authorization).toContain('x-amz-security-token');
    }
  });

  it('is refused by a stand-in whose key has another secret', async () => {
    const { result } = await submitTo(awsSnsStub, { settings: { secret_access_key: `${SECRET}x` } });
    expect(result).toMatchObject({ kind: 'unavailable', down: true });
  });
});

it('the stand-in derives keys as the example of the AWS documentation', () => {
  const key = signingKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', '20150830', 'us-east-1', 'iam');
  expect(key.toString('hex')).toBe('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9');
});

describe('an error of Amazon SNS', () => {
  itMaps(awsSnsStub, [
    ['opted out', snsError(400, 'OptedOut'), { kind: 'refused', errorCode: 200 }],
    ['throttled', snsError(400, 'Throttling'), { kind: 'unavailable', errorCode: 20, down: true }],
    ['throttled, as another', snsError(429, 'ThrottlingException'), { kind: 'unavailable', down: true }],
    ['not allowed', snsError(403, 'AuthorizationError'), { kind: 'unavailable', down: true }],
    ['a key of nobody', snsError(403, 'InvalidClientTokenId'), { kind: 'unavailable', down: true }],
    [
      'a parameter',
      snsError(400, 'InvalidParameter', 'Invalid parameter: Message'),
      { kind: 'unavailable', errorCode: 10, down: false },
    ],
    ['an error inside', snsError(500, 'InternalError'), { kind: 'unavailable', down: true }],
    [
      'a code that nobody knows',
      snsError(400, 'Newest'),
      { kind: 'unavailable', down: false, reason: 'HTTP 400, error Newest' },
    ],
    ['no XML', { status: 400, body: '<Code>' }, { kind: 'unavailable', down: false, reason: 'HTTP 400' }],
  ]);
});

it('has no door for receipts, since none can come', () => {
  expect(carrierOf('aws-sns', awsSnsStub.settings).routes).toBeUndefined();
});
