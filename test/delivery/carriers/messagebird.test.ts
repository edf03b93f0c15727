import { describe, expect, it } from 'vitest';
import {
  MESSAGE_ID,
  messagebirdError,
  messagebirdPush,
  messagebirdStub,
} from '../../support/providers/messagebird.js';
import { PUBLIC_URL } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { message, TEXT } from './support.js';

providerSuite(messagebirdStub);

describe('a request to MessageBird', () => {
  it('is JSON with all that is documented', async () => {
    const { result, request } = await submitTo(messagebirdStub);
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_ID });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/messages',
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(request.body)).toEqual({
      originator: '15005550006',
      recipients: ['14155550123'],
      body: TEXT,
      type: 'sms',
      datacoding: 'auto',
      validity: 600,
      reference: message().hopId,
      reportUrl: `${PUBLIC_URL}/carriers/gateway/receipts/${message().hopId}`,
    });
  });
});

describe('an error of MessageBird', () => {
  itMaps(messagebirdStub, [
    [
      'a sender that is not valid',
      messagebirdError(422, 10, 'originator'),
      { kind: 'unavailable', errorCode: 40, down: false },
    ],
    ['a text that is not valid', messagebirdError(422, 10, 'body'), { kind: 'refused', errorCode: 10 }],
    [
      'another parameter',
      messagebirdError(422, 10, 'validity'),
      { kind: 'unavailable', errorCode: 1000, down: false },
    ],
    ['25: credit', messagebirdError(402, 25), { kind: 'unavailable', down: true }],
    ['99: inside', messagebirdError(500, 99), { kind: 'unavailable', down: true }],
  ]);
});

describe('a status of MessageBird', () => {
  itReports(messagebirdStub, [
    ['scheduled', undefined, null, null],
    ['buffered', undefined, null, null],
    ['sent', undefined, 'sent', null],
    ['delivered', undefined, 'delivered', null],
    ['expired', undefined, 'undelivered', 80],
    ['delivery_failed', '1', 'undelivered', 70],
    ['delivery_failed', '27', 'undelivered', 80],
    ['delivery_failed', '103', 'undelivered', 200],
    ['delivery_failed', undefined, 'undelivered', 1000],
  ]);

  it('tells what the message cost', async () => {
    const { context, receive } = await serveReceipts(messagebirdStub);
    await receive();
    expect(context.reports[0]?.cost).toEqual({ amount: '0.070', currency: 'EUR' });
  });
});

describe('a token of MessageBird', () => {
  const url = `${PUBLIC_URL}/carriers/gateway/receipts?id=m1&status=delivered`;

  it.each([
    ['that has expired', { exp: 1 }],
    ['that is for later', { nbf: 4_000_000_000 }],
    ['without a time', { nbf: undefined, exp: undefined }],
    ['of another issuer', { iss: 'Somebody' }],
    ['for no URL', { url_hash: undefined }],
  ])('%s is not believed', async (_, changes) => {
    const { push, now } = await serveReceipts(messagebirdStub);
    expect((await push(messagebirdPush(url, now, undefined, changes))).status).toBe(403);
  });

  it('for no body is not believed of one', async () => {
    const { push, now } = await serveReceipts(messagebirdStub);
    const inbound = `${PUBLIC_URL}/carriers/gateway/inbound`;
    const signed = messagebirdPush(inbound, now);
    const body = 'originator=14155550123&recipient=15005550006&body=STOP';
    const headers = { ...signed.headers, 'content-type': 'application/x-www-form-urlencoded' };
    expect((await push({ ...signed, method: 'POST', headers, body })).status).toBe(403);
  });

  it('cannot be checked without the signing key, which the answer says', async () => {
    const { receive } = await serveReceipts(messagebirdStub, [], { signing_key: undefined });
    expect((await receive()).json.error).toContain('signing_key is not set');
  });

  it('of an inbound message in JSON is believed too', async () => {
    const { push, now, context } = await serveReceipts(messagebirdStub);
    const body = JSON.stringify({ originator: 14155550123, recipient: '15005550006', body: 'STOP' });
    const signed = messagebirdPush(`${PUBLIC_URL}/carriers/gateway/inbound`, now, body);
    const headers = { ...signed.headers, 'content-type': 'application/json' };
    expect((await push({ ...signed, headers })).status).toBe(200);
    expect(context.inbox).toEqual([{ from: '14155550123', to: '15005550006', text: 'STOP' }]);
  });
});
