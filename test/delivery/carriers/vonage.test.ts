import { describe, expect, it } from 'vitest';
import { jsonWebToken, sha256 } from '../../support/providers/json-web-token.js';
import {
  API_KEY,
  MESSAGE_UUID,
  SIGNATURE_SECRET,
  vonageError,
  vonagePush,
  vonageStub,
} from '../../support/providers/vonage.js';
import { PUBLIC_URL } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { message, TEXT } from './support.js';

providerSuite(vonageStub);

describe('a request to Vonage', () => {
  it('is JSON with all that is documented', async () => {
    const { result, request } = await submitTo(vonageStub);
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_UUID });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/v1/messages',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    });
    expect(JSON.parse(request.body)).toEqual({
      message_type: 'text',
      channel: 'sms',
      from: '15005550006',
      to: '14155550123',
      text: TEXT,
      client_ref: message().hopId,
      ttl: 600,
      webhook_url: `${PUBLIC_URL}/carriers/gateway/receipts`,
      webhook_version: 'v1',
    });
  });

  it('has the ids of India where the route has them', async () => {
    const parameters = { entity_id: '1101', template_id: '1107' };
    const { request } = await submitTo(vonageStub, { message: { parameters } });
    expect(JSON.parse(request.body).sms).toEqual({ entity_id: '1101', content_id: '1107' });
  });
});

describe('an error of Vonage', () => {
  itMaps(vonageStub, [
    ['1000: throttled', vonageError(429, '1000'), { kind: 'unavailable', down: true }],
    ['1050: barred', vonageError(422, '1050'), { kind: 'refused', errorCode: 100 }],
    ['1070: credit', vonageError(402, '1070'), { kind: 'unavailable', down: true }],
    ['1120: sender', vonageError(422, '1120'), { kind: 'unavailable', errorCode: 40, down: false }],
    ['credit, by its status', vonageError(402, 'low-balance'), { kind: 'unavailable', down: true }],
    [
      'one that nobody knows',
      vonageError(422, 'invalid-params'),
      { kind: 'unavailable', down: false, reason: 'HTTP 422, error invalid-params' },
    ],
  ]);
});

describe('a status of Vonage', () => {
  itReports(vonageStub, [
    ['submitted', undefined, 'sent', null],
    ['delivered', undefined, 'delivered', null],
    ['undeliverable', '1180', 'undelivered', 80],
    ['undeliverable', '1190', 'undelivered', 70],
    ['undeliverable', '1260', 'undelivered', 70],
    ['rejected', '1210', 'failed', 30],
    ['rejected', '1240', 'failed', 50],
    ['rejected', undefined, 'failed', 1000],
  ]);

  it('tells what the message cost', async () => {
    const { context, receive } = await serveReceipts(vonageStub);
    await receive();
    expect(context.reports[0]?.cost).toEqual({ amount: '0.0333', currency: 'EUR' });
  });

  it('that is new to us is answered 400', async () => {
    const { receive } = await serveReceipts(vonageStub);
    expect((await receive({ status: 'beamed' })).status).toBe(400);
  });
});

describe('a token of Vonage', () => {
  const fields = { status: 'delivered', message_uuid: MESSAGE_UUID };
  const body = JSON.stringify(fields);

  it.each([
    ['is older than 5 minutes', { iat: 1 }],
    ['has no time', { iat: undefined }],
    ['is for another account', { api_key: 'other' }],
    ['has no hash of the body', { payload_hash: undefined }],
    ['has the hash of another body', { payload_hash: sha256('{}') }],
  ])('that %s is not believed', async (_, claims) => {
    const { push, now, url } = await serveReceipts(vonageStub);
    const answer = await push(vonagePush(url, fields, now, claims));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each([
    ['none', { typ: 'JWT', alg: 'none' }],
    ['HS512', { typ: 'JWT', alg: 'HS512' }],
  ])('that claims the algorithm %s is not believed', async (_, header) => {
    const { push, now, url } = await serveReceipts(vonageStub);
    const claims = { iat: Math.floor(now / 1000), api_key: API_KEY, payload_hash: sha256(body) };
    const token = jsonWebToken(claims, SIGNATURE_SECRET, header);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    expect((await push({ method: 'POST', url, headers, body })).status).toBe(401);
    const unsigned = { ...headers, authorization: `Bearer ${token.replace(/[^.]*$/, '')}` };
    expect((await push({ method: 'POST', url, headers: unsigned, body })).status).toBe(401);
  });

  it('cannot be checked without the signature secret, which the answer says', async () => {
    const { receive } = await serveReceipts(vonageStub, [], { signature_secret: undefined });
    const answer = await receive();
    expect(answer.status).toBe(401);
    expect(answer.json.error).toContain('signature_secret is not set');
  });
});
