import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config.js';
import type { ReportResult } from '#delivery/carrier.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { examples } from '../../../repository/markdown.js';
import { type Push, serveProvider } from '../../../support/providers/server.js';
import { carrierOf, mount, PUBLIC_URL, publicContext } from '../mount.js';
import { message } from '../support.js';

const SECRET = 'sentinel-receipt-secret';
const STATUSES = {
  DELIVRD: 'delivered',
  ACCEPTD: 'sent',
  UNDELIV: 'undelivered',
  REJECTD: 'failed',
  ENROUTE: 'ignore',
};
const RECEIPTS = {
  message_id: '/id',
  status: '/status',
  statuses: STATUSES,
  error: '/err',
  errors: { '11': 70, '6': 80 },
  cost: { amount: '/price', currency: 'EUR' },
};

async function serve(settings: Record<string, unknown>, ...answers: ReportResult[]) {
  const context = publicContext(...answers);
  const carrier = carrierOf(
    'http',
    {
      url: 'http://127.0.0.1:1/',
      json: {},
      authentication: { bearer: SECRET },
      ...settings,
    },
    context,
  );
  const { push, lines } = await mount(carrier);
  const send = (changes: Partial<Push> & { path?: string }) => {
    const { path = 'receipts', ...others } = changes;
    return push({
      method: 'POST',
      url: `${PUBLIC_URL}/carriers/gateway/${path}`,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}` },
      ...others,
    });
  };
  return { context, carrier, send, lines };
}

it('the older gateway of the page can report by the address that it was given', async () => {
  const [, text = ''] = examples('docs/carriers/http.md', 'yaml');
  const env = { COUNTERSIGN_CONFIG: '/c.yaml', OLD_GATEWAY_PASSWORD: 'p', OLD_GATEWAY_RECEIPTS: SECRET };
  const { carriers } = loadConfig(env, carrierTypes, { read: () => Buffer.from(text) });
  const { url, received } = await serveProvider(() => ({ status: 200, body: 'OK ID: 17' }));
  const context = publicContext();
  const carrier = carrierOf('http', { ...(carriers[0]!.settings as object), url: `${url}/send` }, context);
  expect(await carrier.submit(message())).toEqual({ kind: 'accepted', messageId: '17' });
  const given = new URL(received[0]!.url, url).searchParams.get('dlr-url')!;
  // The context's carrier has a name of its own.
  const { push } = await mount(carrier);
  expect((await push({ method: 'GET', url: given.replace('%d', '1'), headers: {} })).status).toBe(200);
  const by = { kind: 'hop', hopId: message().hopId };
  expect(context.reports).toEqual([{ by, status: 'delivered', errorCode: null }]);
});

describe('a receipt of a gateway that is described in the configuration', () => {
  it.each([
    ['DELIVRD', '000', 'delivered', null],
    ['ACCEPTD', '000', 'sent', null],
    ['UNDELIV', '11', 'undelivered', 70],
    ['UNDELIV', 6, 'undelivered', 80],
    ['REJECTD', '99', 'failed', 1000],
  ])('with status %s and error %s is %s with %s', async (status, err, reported, errorCode) => {
    const { context, send } = await serve({ receipts: RECEIPTS });
    const answer = await send({ body: JSON.stringify({ id: 'm-1', status, err, price: 0.05 }) });
    expect(answer.status).toBe(200);
    expect(context.reports).toEqual([
      {
        by: { kind: 'message', messageId: 'm-1' },
        status: reported,
        errorCode,
        cost: { amount: '0.05', currency: 'EUR' },
      },
    ]);
  });

  it.each(['ENROUTE', 'NEW', '__proto__', 'constructor'])(
    'with status %s is taken and ignored',
    async (status) => {
      const { context, carrier, send } = await serve({ receipts: RECEIPTS });
      expect((await send({ body: JSON.stringify({ id: 'm-1', status }) })).status).toBe(200);
      expect(context.reports).toEqual([]);
      expect(carrier.status?.().counts).toEqual({ ignored: 1 });
    },
  );

  it('may come in a query', async () => {
    const receipts = { ...RECEIPTS, method: 'GET' };
    const { context, send } = await serve({
      receipts,
      authentication: { query: { name: 'key', value: SECRET } },
    });
    const path = `receipts?id=m-1&status=DELIVRD&key=${SECRET}`;
    expect((await send({ path, method: 'GET', headers: {} })).status).toBe(200);
    expect(context.reports).toHaveLength(1);
    expect((await send({ path: path.replace(SECRET, 'other'), method: 'GET', headers: {} })).status).toBe(
      403,
    );
  });

  it('may come as a form, or several in a list', async () => {
    const form = await serve({ receipts: { ...RECEIPTS, format: 'form' } });
    expect((await form.send({ body: 'id=m-1&status=DELIVRD' })).status).toBe(200);
    const list = await serve({ receipts: { ...RECEIPTS, list: '/reports' } });
    const reports = ['DELIVRD', 'ENROUTE', 'UNDELIV'].map((status, index) => ({ id: `m-${index}`, status }));
    expect((await list.send({ body: JSON.stringify({ reports }) })).status).toBe(200);
    expect(list.context.reports.map(({ status }) => status)).toEqual(['delivered', 'undelivered']);
  });

  it('may name the hop, in its body or in its address', async () => {
    const { context, send } = await serve({
      receipts: { ...RECEIPTS, message_id: undefined, hop_id: '/ref' },
    });
    await send({ body: JSON.stringify({ ref: 'a.1', status: 'DELIVRD' }) });
    await send({ path: `receipts/${message().hopId}`, body: JSON.stringify({ status: 'DELIVRD' }) });
    expect(context.reports.map(({ by }) => by)).toEqual([
      { kind: 'hop', hopId: 'a.1' },
      { kind: 'hop', hopId: message().hopId },
    ]);
  });

  it('is answered as the gateway wants', async () => {
    const { send } = await serve({ receipts: RECEIPTS, thanks: 'ACK' });
    const answer = await send({ body: JSON.stringify({ id: 'm-1', status: 'DELIVRD' }) });
    expect([answer.status, answer.text]).toEqual([200, 'ACK']);
  });

  it.each([
    ['no JSON', '{'],
    ['no status', '{"id": "m-1"}'],
    ['no id', '{"status": "DELIVRD"}'],
    ['an object for a status', '{"id": "m-1", "status": {"a": 1}}'],
    ['null', 'null'],
    ['nothing', ''],
  ])('with %s is answered 400', async (_, body) => {
    const { context, send } = await serve({ receipts: RECEIPTS });
    expect((await send({ body })).status).toBe(400);
    expect(context.reports).toEqual([]);
  });

  it('list that is none, or longer than a thousand, is answered 400', async () => {
    const { context, send } = await serve({ receipts: { ...RECEIPTS, list: '' } });
    expect((await send({ body: '{"id": "m-1", "status": "DELIVRD"}' })).status).toBe(400);
    const many = JSON.stringify(Array.from({ length: 1_001 }, () => ({ id: 'm', status: 'DELIVRD' })));
    expect((await send({ body: many })).status).toBe(400);
    expect(context.reports).toEqual([]);
  });

  it('of a message that nobody knows is acknowledged', async () => {
    const { send } = await serve({ receipts: RECEIPTS }, 'unknown');
    expect((await send({ body: JSON.stringify({ id: 'm-1', status: 'DELIVRD' }) })).status).toBe(200);
  });
});

describe('authentication', () => {
  const body = JSON.stringify({ id: 'm-1', status: 'DELIVRD' });
  const sum = (text: string, secret = SECRET) => createHmac('sha256', secret).update(text).digest('hex');
  const basicOf = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const signed = { hmac: { header: 'X-Signature', secret: SECRET, prefix: 'sha256=' } };

  it.each([
    [{ bearer: SECRET }, { authorization: `bearer ${SECRET}` }, { authorization: `Bearer ${SECRET}x` }, 401],
    [
      { basic: { username: 'user', password: SECRET } },
      { authorization: basicOf(SECRET) },
      { authorization: basicOf('x') },
      401,
    ],
    [{ header: { name: 'X-Key', value: SECRET } }, { 'x-key': SECRET }, { 'x-key': SECRET.slice(1) }, 403],
    [signed, { 'x-signature': `sha256=${sum(body)}` }, { 'x-signature': sum(body) }, 403],
    [
      signed,
      { 'x-signature': `sha256=${sum(body)}` },
      { 'x-signature': `sha256=${sum(body, 'other')}` },
      403,
    ],
  ] as const)('%j takes %j, neither %j nor nothing', async (authentication, right, wrong, status) => {
    const { send, context, lines } = await serve({ receipts: RECEIPTS, authentication });
    for (const headers of [wrong, {}]) {
      const answer = await send({ headers: { 'content-type': 'application/json', ...headers }, body });
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain(SECRET);
    }
    expect(context.reports).toEqual([]);
    const answer = await send({ headers: { 'content-type': 'application/json', ...right }, body });
    expect(answer.status).toBe(200);
    expect(context.reports).toHaveLength(1);
    expect(lines.join('')).not.toContain(SECRET);
  });

  it('asks for everything that is configured', async () => {
    const { send } = await serve({ receipts: RECEIPTS, authentication: { bearer: SECRET, ...signed } });
    expect((await send({ body })).status).toBe(401);
    const headers = { authorization: `Bearer ${SECRET}`, 'x-signature': `sha256=${sum(body)}` };
    expect((await send({ body, headers })).status).toBe(200);
  });
});

describe('an inbound message', () => {
  const inbound = { format: 'form', from: '/msisdn', to: '/to', text: '/text' };

  it('is handed over', async () => {
    const { context, send } = await serve({ inbound });
    expect((await send({ path: 'inbound', body: 'msisdn=14155550123&to=22000&text=STOP' })).status).toBe(200);
    expect(context.inbox).toEqual([{ from: '14155550123', to: '22000', text: 'STOP' }]);
  });

  it('without a sender is answered 400', async () => {
    const { context, send } = await serve({ inbound });
    expect((await send({ path: 'inbound', body: 'to=22000&text=STOP' })).status).toBe(400);
    expect((await send({ path: 'receipts', body: 'msisdn=1&to=22000&text=STOP' })).status).toBe(400);
    expect(context.inbox).toEqual([]);
  });
});

it('a gateway that sends nothing has no door', () => {
  expect(carrierOf('http', { url: 'http://127.0.0.1:1/', json: {} }).routes).toBeUndefined();
});
