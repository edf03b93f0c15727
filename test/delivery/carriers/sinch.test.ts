import { describe, expect, it } from 'vitest';
import { verifySinch } from '#delivery/carriers/sinch.js';
import { BATCH, PLAN, sinchError, sinchPush, sinchStub } from '../../support/providers/sinch.js';
import { PUBLIC_URL } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { message, TEXT } from './support.js';

providerSuite(sinchStub);

describe('a request to Sinch', () => {
  it('is JSON with all that is documented', async () => {
    const { result, request } = await submitTo(sinchStub);
    expect(result).toEqual({ kind: 'accepted', messageId: BATCH });
    expect(request).toMatchObject({
      method: 'POST',
      url: `/xms/v1/${PLAN}/batches`,
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(request.body)).toEqual({
      from: '15005550006',
      to: ['14155550123'],
      body: TEXT,
      type: 'mt_text',
      expire_at: '2026-01-31T09:02:39.363Z',
      delivery_report: 'per_recipient',
      callback_url: `${PUBLIC_URL}/carriers/gateway/receipts`,
      client_reference: message().hopId,
    });
  });
});

describe('an error of Sinch', () => {
  itMaps(sinchStub, [
    [
      'a parameter',
      sinchError(400, 'syntax_constraint_violation'),
      { kind: 'unavailable', errorCode: 10, down: false },
    ],
    [
      'a blocked number',
      sinchError(403, 'number_blocked'),
      { kind: 'unavailable', errorCode: 100, down: false },
    ],
    ['no such plan', { status: 404, body: '' }, { kind: 'unavailable', down: true }],
  ]);
});

describe('a status of Sinch', () => {
  itReports(sinchStub, [
    ['Queued', '400', null, null],
    ['Dispatched', '401', 'sent', null],
    ['Delivered', '0', 'delivered', null],
    ['Aborted', '411', 'failed', 110],
    ['Rejected', '402', 'failed', 90],
    ['Rejected', '999', 'failed', 100],
    ['Failed', '404', 'undelivered', 80],
    ['Failed', '999', 'undelivered', 1000],
    ['Expired', '406', 'undelivered', 80],
    ['Deleted', '999', 'undelivered', 70],
    ['Unknown', '999', null, null],
  ]);
});

describe('a signature of Sinch', () => {
  const fields = { type: 'recipient_delivery_report_sms', batch_id: BATCH, code: 0, status: 'Delivered' };

  it('that is older than 5 minutes is not believed', async () => {
    const { push, now, url } = await serveReceipts(sinchStub);
    expect((await push(sinchPush(url, fields, now - 301_000))).status).toBe(403);
    expect((await push(sinchPush(url, fields, now - 290_000))).status).toBe(200);
  });

  it('by another algorithm is not believed', async () => {
    const { push, now, url } = await serveReceipts(sinchStub);
    const signed = sinchPush(url, fields, now);
    const headers = { ...signed.headers, 'x-sinch-webhook-signature-algorithm': 'HmacSHA1' };
    expect((await push({ ...signed, headers })).status).toBe(403);
  });

  it('cannot be checked without the secret, which the answer says', async () => {
    const { receive } = await serveReceipts(sinchStub, [], { callback_secret: undefined });
    expect((await receive()).json.error).toContain('callback_secret is not set');
  });

  it("of the example in Sinch's own libraries is believed", () => {
    const body =
      '{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4","contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":"SMS","identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com","external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}';
    const incoming = {
      path: 'receipts',
      method: 'POST',
      url: null,
      query: new URLSearchParams(),
      headers: {
        'x-sinch-webhook-signature-nonce': '01FJA8B4A7BM43YGWSG9GBV067',
        'x-sinch-webhook-signature-timestamp': '1634579353',
        'x-sinch-webhook-signature': '6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=',
      },
      body: Buffer.from(body),
      hopId: null,
    } as const;
    expect(verifySinch(incoming, 'foo_secret1234', 1_634_579_353_000)).toBeNull();
    expect(verifySinch(incoming, 'foo_secret1235', 1_634_579_353_000)).not.toBeNull();
  });
});
