import plivoSdk from 'plivo';
import { describe, expect, it } from 'vitest';
import {
  AUTH_ID,
  MESSAGE_UUID,
  NONCE,
  plivoError,
  plivoPush,
  plivoReceipt,
  plivoStub,
  signV2,
  signV3,
  TOKEN,
} from '../../support/providers/plivo.js';
import { PUBLIC_URL } from './mount.js';
import { itMaps, itReports, providerSuite, serveReceipts, submitTo } from './provider-suite.js';
import { message, TEXT } from './support.js';

providerSuite(plivoStub);

const DELIVERED = plivoReceipt({ messageId: MESSAGE_UUID, status: 'delivered' });

describe('a request to Plivo', () => {
  it('is JSON with all that is documented', async () => {
    const { result, request } = await submitTo(plivoStub, {
      message: { parameters: { entity_id: '1101', template_id: '1107', other: 'x' } },
    });
    expect(result).toEqual({ kind: 'accepted', messageId: MESSAGE_UUID });
    expect(request).toMatchObject({
      method: 'POST',
      url: `/v1/Account/${AUTH_ID}/Message/`,
      headers: { 'content-type': 'application/json' },
    });
    expect(JSON.parse(request.body)).toEqual({
      src: '+15005550006',
      dst: '+14155550123',
      text: TEXT,
      type: 'sms',
      url: `${PUBLIC_URL}/carriers/gateway/receipts/${message().hopId}`,
      method: 'POST',
      dlt_entity_id: '1101',
      dlt_template_id: '1107',
    });
  });

  it('leaves the sender to the Powerpack where nobody names one', async () => {
    const powerpack_uuid = '5ec4c8c9-cd74-42b5-9e41-0d7670d6bb46';
    const { request } = await submitTo(plivoStub, { settings: { from: undefined, powerpack_uuid } });
    expect(JSON.parse(request.body)).toMatchObject({ powerpack_uuid });
    expect(JSON.parse(request.body)).not.toHaveProperty('src');
  });
});

describe('an error of Plivo', () => {
  const queued = {
    api_id: 'x',
    message: 'message(s) queued',
    message_uuid: [],
    invalid_number: ['14155550123'],
  };
  itMaps(plivoStub, [
    [
      'no sender',
      plivoError(400, 'src parameter not present'),
      { kind: 'unavailable', errorCode: 40, down: false },
    ],
    ['no text', plivoError(400, 'text parameter not present'), { kind: 'refused', errorCode: 10 }],
    ['no credit', plivoError(400, 'insufficient credit'), { kind: 'unavailable', down: true }],
    ['no credit, as a status', plivoError(402, 'x'), { kind: 'unavailable', down: true }],
    [
      'a recipient of nobody, in a success',
      { status: 202, body: queued },
      { kind: 'refused', errorCode: 50 },
    ],
    [
      'a sentence that nobody knows',
      plivoError(400, 'hm'),
      { kind: 'unavailable', errorCode: 1000, down: false },
    ],
    [
      'a page instead of JSON',
      { status: 400, body: '<html>dst</html>' },
      { kind: 'unavailable', errorCode: 1000 },
    ],
  ]);
});

describe('a status of Plivo', () => {
  itReports(plivoStub, [
    ['queued', undefined, null, null],
    ['sent', '000', 'sent', null],
    ['delivered', '000', 'delivered', null],
    ['undelivered', '80', 'undelivered', 80],
    ['undelivered', '200', 'undelivered', 200],
    ['undelivered', '420', 'undelivered', 80],
    ['failed', '900', 'failed', 20],
    ['rejected', '451', 'failed', 451],
    ['failed', '', 'failed', 1000],
    ['failed', '7', 'failed', 1000],
  ]);

  it('tells what the message cost', async () => {
    const { context, receive } = await serveReceipts(plivoStub);
    await receive();
    expect(context.reports[0]?.cost).toEqual({ amount: '0.00350', currency: 'USD' });
  });

  it('of a part is one of its message', async () => {
    const { context, push } = await serveReceipts(plivoStub);
    const part = { ...DELIVERED, MessageUUID: 'part-2', PartInfo: '2 of 2' };
    await push(plivoPush(`${PUBLIC_URL}/carriers/gateway/receipts`, part));
    expect(context.reports[0]?.by).toEqual({ kind: 'message', messageId: MESSAGE_UUID });
  });
});

describe('a signature of Plivo', () => {
  const url = `${PUBLIC_URL}/carriers/gateway/receipts/${message().hopId}`;

  it('is made by the stand-in as the real SDK checks it', () => {
    const sdk = plivoSdk as unknown as Record<string, (...values: unknown[]) => boolean>;
    expect(sdk.validateV3Signature?.('POST', url, NONCE, TOKEN, signV3(url, DELIVERED), DELIVERED)).toBe(
      true,
    );
    const asked = `${url}?b=2&a=1`;
    expect(sdk.validateV3Signature?.('POST', asked, NONCE, TOKEN, signV3(asked, DELIVERED), DELIVERED)).toBe(
      true,
    );
    expect(sdk.validateSignature?.(url, NONCE, signV2(url), TOKEN)).toBe(true);
  });

  it('of version 3 covers the query too', async () => {
    const { push } = await serveReceipts(plivoStub);
    const signed = plivoPush(`${url}?b=2&a=1`, DELIVERED);
    expect((await push(signed)).status).toBe(200);
    expect((await push({ ...signed, url: `${url}?b=2&a=2` })).status).toBe(403);
  });

  it('of version 2 is believed for the hop that it names, and no other', async () => {
    const { push, context } = await serveReceipts(plivoStub);
    const signed = plivoPush(url, DELIVERED, 2);
    expect((await push(signed)).status).toBe(200);
    expect(context.reports[0]?.by).toEqual({ kind: 'hop', hopId: message().hopId });
    expect((await push({ ...signed, url: url.replace(/1$/, '2') })).status).toBe(403);
  });

  it('of version 2 does not stand in for one of version 3 that is wrong', async () => {
    const { push } = await serveReceipts(plivoStub);
    const { headers, ...rest } = plivoPush(url, DELIVERED, 2);
    const both = { ...headers, 'x-plivo-signature-v3': 'AAAA', 'x-plivo-signature-v3-nonce': NONCE };
    expect((await push({ ...rest, headers: both })).status).toBe(403);
  });

  it("may be one of several, and the main account's", async () => {
    const { push } = await serveReceipts(plivoStub);
    const { headers, ...rest } = plivoPush(url, DELIVERED);
    const { 'x-plivo-signature-v3': signature, ...others } = headers;
    const changed = { ...others, 'x-plivo-signature-ma-v3': `AAAA,${signature}` };
    expect((await push({ ...rest, headers: changed })).status).toBe(200);
  });
});
