import { describe, expect, it } from 'vitest';
import type { ReportResult, SubmitResult } from '#delivery/carrier.js';
import {
  type Fate,
  type ProviderStub,
  type Push,
  type Reply,
  serveProvider,
} from '../../support/providers/server.js';
import { carrierOf, mount, PUBLIC_URL, publicContext, typeNamed } from './mount.js';
import { CODE, message, TEXT } from './support.js';

const RECEIPTS = `${PUBLIC_URL}/carriers/gateway/receipts`;
const HOP = message().hopId;

/** Submits one message to a provider that answers as it should, or so. */
export async function submitTo(
  stub: ProviderStub,
  options: {
    readonly reply?: Reply;
    readonly settings?: Record<string, unknown>;
    readonly message?: Parameters<typeof message>[0];
    readonly publicUrl?: string | null;
  } = {},
) {
  const { reply } = options;
  const { url, received } = await serveProvider((request) => reply ?? stub.answer(request));
  const context = {
    ...publicContext(),
    ...('publicUrl' in options ? { publicUrl: options.publicUrl! } : {}),
  };
  const carrier = carrierOf(stub.type, { ...stub.settings, base_url: url, ...options.settings }, context);
  const result: SubmitResult = await carrier.submit(message(options.message));
  return { result, request: received[0]!, received, carrier };
}

/** A carrier that reports to a context, and its receipts' door. */
export async function serveReceipts(stub: ProviderStub, answers: ReportResult[] = [], settings = {}) {
  const context = publicContext(...answers);
  const carrier = carrierOf(stub.type, { ...stub.settings, ...settings }, context);
  const { push } = await mount(carrier);
  const now = context.environment.now();
  const fate = (changes: Partial<Fate> = {}): Fate => ({
    messageId: 'id-of-the-provider',
    hopId: HOP,
    status: stub.delivered ?? '',
    ...changes,
  });
  const url = stub.receipts === 'one address' ? RECEIPTS : `${RECEIPTS}/${HOP}`;
  /** Sends a receipt as the provider does. */
  const receive = (changes: Partial<Fate> = {}, change: (push: Push) => Push = (same) => same) =>
    push(change(stub.receipt!(url, fate(changes), now)));
  return { context, carrier, push, receive, now, url };
}

/** Checks that each status of the provider is reported as that of the contract, or not at all. */
export function itReports(
  stub: ProviderStub,
  cases: readonly (readonly [
    status: string,
    error: string | undefined,
    reported: string | null,
    code: number | null,
  ])[],
) {
  it.each(cases)('%s with error %s is reported as %s with %s', async (status, error, reported, errorCode) => {
    const { context, receive } = await serveReceipts(stub);
    expect((await receive({ status, error })).status).toBe(200);
    expect(context.reports.map((report) => [report.status, report.errorCode])).toEqual(
      reported === null ? [] : [[reported, errorCode]],
    );
  });
}

/** Checks what each error of the provider means for a submit. */
export function itMaps(
  stub: ProviderStub,
  cases: readonly (readonly [name: string, reply: Reply, result: Partial<SubmitResult>])[],
) {
  it.each(cases)('%s', async (_, reply, expected) => {
    const { result } = await submitTo(stub, { reply });
    expect(result).toMatchObject(expected);
    expect(JSON.stringify(result)).not.toContain('14155550123');
  });
}

/** What every carrier to a provider's API does alike. */
export function providerSuite(stub: ProviderStub) {
  describe(`a message over ${stub.type}`, () => {
    it('is taken by a provider that checks everything it documents', async () => {
      const { result, carrier } = await submitTo(stub);
      expect(result).toMatchObject({ kind: 'accepted', messageId: expect.stringMatching(/./) });
      expect(carrier).toMatchObject({ channels: ['sms'], window: 256, unanswered: 'resend' });
      expect(carrier.status?.()).toMatchObject({
        state: 'up',
        detail: null,
        inFlight: 0,
        counts: { accepted: 1 },
      });
    });

    it('has the sender that the caller asked for, else the one of the route, else its own', async () => {
      const request = async (changes: Parameters<typeof message>[0]) =>
        decodeURIComponent((await submitTo(stub, { message: changes })).request.body);
      expect(await request({ src: 'Caller', sender: 'Route' })).toMatch(/Caller/);
      expect(await request({ sender: 'Route' })).toMatch(/Route/);
      expect(await request({})).toMatch(/15005550006/);
    });

    it('goes below the path of base_url', async () => {
      const { url, received } = await serveProvider(() => stub.unauthorized);
      const carrier = carrierOf(stub.type, { ...stub.settings, base_url: `${url}/proxy/` });
      await carrier.submit(message());
      expect(received[0]?.url).toMatch(/^\/proxy\/[^/]*/);
      expect(received[0]?.url).not.toContain('//');
    });

    it('is refused or left to others when the recipient is no number', async () => {
      const { result } = await submitTo(stub, { reply: stub.invalidRecipient });
      expect(result).toMatchObject(
        stub.type === 'sinch'
          ? { kind: 'unavailable', errorCode: 10, down: false }
          : { kind: 'refused', errorCode: 50 },
      );
    });

    it('finds the carrier down when the credentials are wrong', async () => {
      const { result, carrier } = await submitTo(stub, { reply: stub.unauthorized });
      expect(result).toMatchObject({ kind: 'unavailable', down: true, errorCode: 20 });
      expect(result).toHaveProperty('reason', expect.stringMatching(/credentials are refused/));
      expect(carrier.status?.()).toMatchObject({ state: 'down', counts: { unavailable: 1 } });
    });

    it.each([
      [429, true],
      [500, true],
      [503, true],
      [302, true],
      [408, false],
    ])('is tried again after HTTP %d, when the provider says', async (status, down) => {
      const reply = { status, body: '', headers: { 'retry-after': '7' } };
      const { result } = await submitTo(stub, { reply });
      expect(result).toMatchObject({ kind: 'unavailable', errorCode: 20, down, retryAfter: 7_000 });
    });

    it('is left to other carriers after an error that nobody knows', async () => {
      const { result } = await submitTo(stub, { reply: { status: 418, body: {} } });
      expect(result).toEqual({ kind: 'unavailable', errorCode: 1000, reason: 'HTTP 418', down: false });
    });

    it('leaves no trace of itself in reasons', async () => {
      const echo = {
        code: CODE,
        error: TEXT,
        errors: [{ code: CODE, title: TEXT }],
        title: TEXT,
        text: TEXT,
      };
      for (const status of [200, 302, 400, 401, 422, 429, 500]) {
        const { result } = await submitTo(stub, { reply: { status, body: { ...echo, type: `x#${CODE}` } } });
        for (const part of [CODE, 'Acme', '14155550123']) expect(JSON.stringify(result)).not.toContain(part);
      }
    });
  });

  describe(`the doctor's check of ${stub.type}`, () => {
    const check = async (answer: ProviderStub['answer'], settings = {}) => {
      const { url, received } = await serveProvider(answer);
      const all = {
        ...stub.settings,
        base_url: url,
        ...(stub.type === 'vonage' ? { account_url: url } : {}),
      };
      return { findings: await typeNamed(stub.type).check({ ...all, ...settings }), received };
    };

    it('finds that the credentials are accepted, and sends no message', async () => {
      const { url, received } = await serveProvider((request) =>
        stub.type === 'aws-sns' && request.body.includes('Publish')
          ? stub.unauthorized
          : stub.answer(request),
      );
      const settings = { ...stub.settings, base_url: url, account_url: url };
      const findings = await typeNamed(stub.type).check(settings);
      expect(findings).toEqual([{ ok: true, text: expect.stringContaining('accepts the credentials') }]);
      expect(received).toHaveLength(1);
    });

    it('finds that the credentials are refused, and says which', async () => {
      const { findings } = await check(() => stub.unauthorized);
      expect(findings).toMatchObject([{ ok: false }]);
      const named = Object.keys(stub.settings).filter((name) => findings[0]?.text.includes(name));
      expect(named).not.toEqual([]);
      for (const value of Object.values(stub.settings)) expect(findings[0]?.text).not.toContain(value);
    });

    it.each([
      [429, /too many requests/],
      [503, /in trouble/],
      [204, /accepts/],
    ])('explains HTTP %d', async (status, words) => {
      const { findings } = await check(() => ({ status, body: '' }));
      expect(findings[0]?.text).toMatch(words);
    });

    it('finds that nobody is there', async () => {
      const settings = { base_url: 'http://127.0.0.1:1', account_url: 'http://127.0.0.1:1' };
      const { findings } = await check(() => stub.unauthorized, settings);
      expect(findings[0]).toMatchObject({ ok: false, text: expect.stringContaining('cannot be reached') });
      expect(findings[0]?.text).toContain(stub.type === 'vonage' ? 'check account_url' : 'check base_url');
    });
  });

  if (!stub.receipt) return;

  describe(`a receipt from ${stub.type}`, () => {
    it('that is signed is recorded for the hop that it is about', async () => {
      const { context, receive, carrier } = await serveReceipts(stub);
      expect((await receive()).status).toBe(200);
      const by =
        stub.type === 'telnyx'
          ? { kind: 'message', messageId: 'id-of-the-provider' }
          : { kind: 'hop', hopId: HOP };
      expect(context.reports).toMatchObject([{ by, status: 'delivered', errorCode: null }]);
      expect(carrier.status?.().counts).toEqual({});
    });

    it('that nobody knows is acknowledged, so that the provider stops, and counted', async () => {
      const { receive, carrier } = await serveReceipts(stub, ['unknown']);
      expect((await receive()).status).toBe(200);
      expect(carrier.status?.().counts).toEqual({ unknown: 1 });
    });

    it('that cannot be recorded now is to be sent again', async () => {
      const { receive } = await serveReceipts(stub, ['unavailable']);
      const answer = await receive();
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
    });

    const forged: [string, (push: Push) => Push][] = [
      [
        'without a signature',
        (push) => ({ ...push, headers: { 'content-type': push.headers['content-type'] ?? 'x/y' } }),
      ],
      [
        'with another signature',
        (push) => ({
          ...push,
          headers: Object.fromEntries(
            Object.entries(push.headers).map(([name, value]) => [
              name,
              /signature(-v3|-ed25519|-jwt)?$|authorization/.test(name)
                ? value.replace(/.{3}$/, (end) => (end === 'AAA' ? 'BBB' : 'AAA'))
                : value,
            ]),
          ),
        }),
      ],
      [
        'with another content',
        (push) =>
          push.body === undefined
            ? { ...push, url: push.url.replace('status=', 'status=x') }
            : { ...push, body: push.body.replace(/elivered/, 'eliver3d') },
      ],
    ];
    it.each(forged)('%s is not believed', async (_, change) => {
      const { context, receive, carrier } = await serveReceipts(stub);
      const answer = await receive({}, change);
      expect([401, 403]).toContain(answer.status);
      expect(answer.json).toEqual({ api_id: expect.any(String), error: expect.any(String) });
      expect(context.reports).toEqual([]);
      expect(carrier.status?.().counts).toEqual({ unbelieved: 1 });
    });

    it('that is larger than any provider sends is not taken', async () => {
      const { push, url } = await serveReceipts(stub);
      const answer = await push({ method: 'POST', url, headers: {}, body: 'x'.repeat(70_000) });
      expect(answer.status).toBe(413);
    });

    it('by another method is answered 405', async () => {
      const { push, url } = await serveReceipts(stub);
      expect((await push({ method: 'DELETE', url, headers: {} })).status).toBe(405);
    });

    it('is asked for in the submit where this server is reached', async () => {
      const { request } = await submitTo(stub);
      expect(decodeURIComponent(request.body)).toContain(RECEIPTS);
      const alone = await submitTo(stub, { publicUrl: null });
      expect(alone.result.kind).toBe('accepted');
      expect(decodeURIComponent(alone.request.body)).not.toContain('receipts');
    });
  });

  describe(`an inbound message from ${stub.type}`, () => {
    const stop = { from: '+14155550123', to: '+15005550006', text: 'STOP ünd mehr' };

    it.each(['inbound', 'receipts'])('that is signed is handed over, at /%s', async (path) => {
      const { context, push, now } = await serveReceipts(stub);
      const url = `${PUBLIC_URL}/carriers/gateway/${path}`;
      const answer = await push(stub.inbound!(url, stop, now));
      expect(answer.status).toBe(200);
      expect(context.inbox).toEqual([stop]);
      expect(context.reports).toEqual([]);
    });

    it('that is not signed is not', async () => {
      const { context, push, now } = await serveReceipts(stub);
      const url = `${PUBLIC_URL}/carriers/gateway/inbound`;
      const { body, method, headers } = stub.inbound!(url, stop, now);
      const answer = await push({ method, url, body, headers: { 'content-type': headers['content-type']! } });
      expect([401, 403]).toContain(answer.status);
      expect(context.inbox).toEqual([]);
    });
  });
}
