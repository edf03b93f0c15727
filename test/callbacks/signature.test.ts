import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callbackRequest } from '#callbacks/request.js';
import { type Signable, signatureHeaders } from '#callbacks/signature.js';
import { normaliseCallbackUrl } from '#verify/callback-url.js';
import { plivo } from './plivo-sdk.js';

const TOKEN = 'token-of-the-subaccount-that-owns-it-sub';
const MAIN_TOKEN = 'token-of-the-main-account-above-it--main';
const NONCE = '05429567804466091622';
const SIGNERS = { own: [TOKEN], main: [MAIN_TOKEN] };

const PARAMETERS = {
  SessionUUID: '0194bb5e-6fd3-7000-8000-000000000001',
  SessionStatus: 'in-progress',
  AttemptSequence: '1',
  ChannelErrorCode: '',
  RequestTime: '2026-01-31T08:52:39.363000Z',
  BrandName: 'Zoë & Söhne 株式会社 😀',
  AppHash: '',
};

const URLS = [
  'https://customer.example/',
  'https://customer.example/verify/status',
  'http://customer.example:8080/verify/status/',
  'https://customer.example/status?tenant=7&flow=log%20in&empty=',
  'http://customer.example:8080/a%2Fb%20c/status?z=1&a=%E6%A0%AA&b=x+y',
];

function callback(url: string, changes: Partial<Signable> = {}): Signable {
  return { method: 'POST', url, body: new URLSearchParams(PARAMETERS).toString(), ...changes };
}

function withoutPort(url: string): string {
  return url.replace(/:\d+\//, '/');
}

test.each(URLS)('the SDK accepts V2 and V3 of a POST to %s', (url) => {
  const headers = signatureHeaders(callback(url), NONCE, SIGNERS);
  expect(headers['X-Plivo-Signature-V2-Nonce']).toBe(NONCE);
  expect(headers['X-Plivo-Signature-V3-Nonce']).toBe(NONCE);
  const v2 = headers['X-Plivo-Signature-V2'];
  const v3 = headers['X-Plivo-Signature-V3'];
  expect(plivo.validateSignature(url, NONCE, v2, TOKEN)).toBe(true);
  expect(plivo.validateV3Signature('POST', url, NONCE, TOKEN, v3, PARAMETERS)).toBe(true);
  expect(plivo.validateV3Signature('POST', url, NONCE, MAIN_TOKEN, v3, PARAMETERS)).toBe(false);
  expect(
    plivo.validateV3Signature('POST', url, NONCE, TOKEN, v3, { ...PARAMETERS, SessionStatus: 'verified' }),
  ).toBe(false);
});

test.each(URLS)('the SDK accepts V2 and V3 of a GET to %s, from the URL as it arrives', (url) => {
  const { BrandName: _, ...parameters } = PARAMETERS;
  const body = new URLSearchParams({ ...parameters, BrandName: 'Acme Corp' }).toString();
  const request = callbackRequest(callback(url, { method: 'GET', body }), NONCE, SIGNERS);
  const v2 = request.headers['X-Plivo-Signature-V2']!;
  const v3 = request.headers['X-Plivo-Signature-V3']!;
  expect(plivo.validateSignature(request.url, NONCE, v2, TOKEN)).toBe(true);
  expect(plivo.validateV3Signature('GET', request.url, NONCE, TOKEN, v3)).toBe(true);
  expect(plivo.validateV3Signature('GET', `${request.url}&more=1`, NONCE, TOKEN, v3)).toBe(false);
});

test.each(['POST', 'GET'] as const)(
  'the -Ma- headers of a %s are signed with the main account’s token',
  (method) => {
    const url = URLS[3]!;
    const { headers, url: called } = callbackRequest(callback(url, { method }), NONCE, SIGNERS);
    const parameters = method === 'POST' ? PARAMETERS : {};
    expect(plivo.validateSignature(called, NONCE, headers['X-Plivo-Signature-Ma-V2']!, MAIN_TOKEN)).toBe(
      true,
    );
    const v3 = headers['X-Plivo-Signature-Ma-V3']!;
    expect(plivo.validateV3Signature(method, called, NONCE, MAIN_TOKEN, v3, parameters)).toBe(true);
    expect(plivo.validateV3Signature(method, called, NONCE, TOKEN, v3, parameters)).toBe(false);
  },
);

test('a URL with a port is signed with it and without it, for receivers that drop it', () => {
  const url = 'http://customer.example:8080/verify/status?a=1';
  const v3 = signatureHeaders(callback(url), NONCE, SIGNERS)['X-Plivo-Signature-V3'];
  expect(v3.split(',')).toHaveLength(2);
  for (const seen of [url, withoutPort(url)]) {
    expect(plivo.validateV3Signature('POST', seen, NONCE, TOKEN, v3, PARAMETERS)).toBe(true);
  }
  const portless = signatureHeaders(callback(withoutPort(url)), NONCE, SIGNERS)['X-Plivo-Signature-V3'];
  expect(portless.split(',')).toHaveLength(1);
});

test('while two tokens are valid, V3 is good under either and V2 under the current one', () => {
  const url = 'http://customer.example:8080/status';
  const signers = { own: ['current', 'previous'], main: [MAIN_TOKEN] };
  const headers = signatureHeaders(callback(url), NONCE, signers);
  const v3 = headers['X-Plivo-Signature-V3'];
  for (const token of signers.own) {
    expect(plivo.validateV3Signature('POST', url, NONCE, token, v3, PARAMETERS)).toBe(true);
  }
  expect(plivo.validateSignature(url, NONCE, headers['X-Plivo-Signature-V2'], 'current')).toBe(true);
  expect(plivo.validateSignature(url, NONCE, headers['X-Plivo-Signature-V2'], 'previous')).toBe(false);
});

test('a parameter that the URL and the callback both have is signed with both values, in order', () => {
  const url = 'https://customer.example/status?Channel=voice';
  const request = callbackRequest({ method: 'GET', url, body: 'Channel=sms' }, NONCE, SIGNERS);
  const v3 = request.headers['X-Plivo-Signature-V3']!;
  expect(request.url).toBe('https://customer.example/status?Channel=voice&Channel=sms');
  expect(plivo.validateV3Signature('GET', request.url, NONCE, TOKEN, v3)).toBe(true);
});

/** Names as people give them; an SDK that keeps them in a plain object trips over those that objects have. */
const names = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,12}$/)
  .filter((name) => !(name in {}) && !(name in PARAMETERS));
// Characters beyond the basic plane sort differently in JavaScript's strings than in bytes.
const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
const urls = fc
  .record({
    scheme: fc.constantFrom('http', 'https'),
    host: fc.domain(),
    port: fc.option(fc.integer({ min: 1, max: 65_535 })),
    path: fc.array(fc.stringMatching(/^([A-Za-z0-9_~-]|%[2-7][0-9A-F]){1,8}$/), { maxLength: 4 }),
    query: fc.dictionary(names, texts, { maxKeys: 4 }),
  })
  .map(({ scheme, host, port, path, query }) => {
    const search = new URLSearchParams(query).toString();
    const text = `${scheme}://${host}${port === null ? '' : `:${port}`}/${path.join('/')}${search && `?${search}`}`;
    const checked = normaliseCallbackUrl(text);
    if (!checked.ok) throw new Error(`${text} ${checked.why}`);
    return checked.url;
  });

test('the SDK accepts V2 and V3 of any POST', () => {
  const property = fc.property(urls, texts, texts, (url, brand, hash) => {
    const parameters = { ...PARAMETERS, BrandName: brand, AppHash: hash };
    const body = new URLSearchParams(parameters).toString();
    const headers = signatureHeaders(callback(url, { body }), NONCE, SIGNERS);
    expect(plivo.validateSignature(url, NONCE, headers['X-Plivo-Signature-V2'], TOKEN)).toBe(true);
    const v3 = headers['X-Plivo-Signature-V3'];
    for (const seen of [url, withoutPort(url)]) {
      expect(plivo.validateV3Signature('POST', seen, NONCE, TOKEN, v3, parameters)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test('the SDK accepts V2 and V3 of any GET', () => {
  const brands = fc.stringMatching(/^[A-Za-z0-9 ._-]{0,20}$/);
  const property = fc.property(urls, brands, (url, brand) => {
    const body = new URLSearchParams({ ...PARAMETERS, BrandName: brand }).toString();
    const request = callbackRequest(callback(url, { method: 'GET', body }), NONCE, SIGNERS);
    const v2 = request.headers['X-Plivo-Signature-V2']!;
    expect(plivo.validateSignature(request.url, NONCE, v2, TOKEN)).toBe(true);
    const v3 = request.headers['X-Plivo-Signature-V3']!;
    for (const seen of [request.url, withoutPort(request.url)]) {
      expect(plivo.validateV3Signature('GET', seen, NONCE, TOKEN, v3)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 500 });
});
