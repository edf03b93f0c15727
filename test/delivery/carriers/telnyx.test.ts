import { describe, expect, it } from 'vitest';
import {
  MESSAGE_ID,
  telnyxError,
  telnyxFinalized,
  telnyxPush,
  telnyxStub,
} from '../../support/providers/telnyx.js';
import { carrierOf, PUBLIC_URL } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { TEXT } from './support.js';

providerSuite(telnyxStub);

const COST = { amount: '0.0040', currency: 'USD' };

describe('a request to Telnyx', () => {
  it('is JSON with all that is documented, and its answer tells the cost', async () => {
    const { result, request } = await submitTo(telnyxStub);
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_ID, cost: COST });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/v2/messages',
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(request.body)).toEqual({
      from: '+15005550006',
      to: '+14155550123',
      text: TEXT,
      type: 'SMS',
      webhook_url: `${PUBLIC_URL}/carriers/gateway/receipts`,
      use_profile_webhooks: false,
    });
  });

  it('names the messaging profile', async () => {
    const messaging_profile_id = '16fd2706-8baf-433b-82eb-8c7fada847da';
    const { request } = await submitTo(telnyxStub, { settings: { from: undefined, messaging_profile_id } });
    expect(JSON.parse(request.body)).toMatchObject({ messaging_profile_id });
    expect(JSON.parse(request.body)).not.toHaveProperty('from');
  });
});

describe('an error of Telnyx', () => {
  itMaps(telnyxStub, [
    ['40300: STOP', telnyxError(422, '40300'), { kind: 'refused', errorCode: 200 }],
    ['40302: too long', telnyxError(422, '40302'), { kind: 'refused', errorCode: 110 }],
    ['40305: sender', telnyxError(422, '40305'), { kind: 'unavailable', errorCode: 40, down: false }],
    ['40309: country', telnyxError(422, '40309'), { kind: 'unavailable', errorCode: 450, down: false }],
    ['40318: queue full', telnyxError(422, '40318'), { kind: 'unavailable', errorCode: 20, down: true }],
    ['20100: credit', telnyxError(403, '20100'), { kind: 'unavailable', down: true }],
    ['10011: too many', telnyxError(429, '10011'), { kind: 'unavailable', down: true }],
  ]);
});

describe('a status of Telnyx', () => {
  itReports(telnyxStub, [
    ['queued', undefined, null, null],
    ['sent', undefined, 'sent', null],
    ['delivered', undefined, 'delivered', null],
    ['delivery_failed', '40001', 'undelivered', 50],
    ['delivery_failed', '40002', 'undelivered', 30],
    ['delivery_failed', '40005', 'undelivered', 80],
    ['sending_failed', '40300', 'failed', 200],
    ['sending_failed', undefined, 'failed', 1000],
    ['delivery_unconfirmed', undefined, null, null],
  ]);

  it('tells what the message cost', async () => {
    const { context, receive } = await serveReceipts(telnyxStub);
    await receive();
    expect(context.reports[0]?.cost).toEqual(COST);
  });
});

describe('a signature of Telnyx', () => {
  const delivered = telnyxFinalized({ messageId: MESSAGE_ID, status: 'delivered' });

  it.each([
    [-301_000, 403],
    [-290_000, 200],
    [290_000, 200],
    [301_000, 403],
  ])('made %d ms from now is answered %d', async (offset, status) => {
    const { push, now, url } = await serveReceipts(telnyxStub);
    expect((await push(telnyxPush(url, delivered, now + offset))).status).toBe(status);
  });

  it('cannot be given another time', async () => {
    const { push, now, url } = await serveReceipts(telnyxStub);
    const old = telnyxPush(url, delivered, now - 600_000);
    const headers = { ...old.headers, 'telnyx-timestamp': String(Math.floor(now / 1000)) };
    expect((await push({ ...old, headers })).status).toBe(403);
  });

  it('of an event that means nothing here is acknowledged', async () => {
    const { push, now, url, carrier } = await serveReceipts(telnyxStub);
    expect((await push(telnyxPush(url, { event_type: 'call.hangup', payload: {} }, now))).status).toBe(200);
    expect(carrier.status?.().counts).toEqual({ ignored: 1 });
  });

  it('of something else is answered 400', async () => {
    const { push, now, url } = await serveReceipts(telnyxStub);
    expect((await push(telnyxPush(url, { payload: [] }, now))).status).toBe(400);
  });
});

it('a public key that is none is refused by name', () => {
  const settings = { ...telnyxStub.settings, public_key: 'no key' };
  expect(() => carrierOf('telnyx', settings)).toThrow('public_key: expected');
});
