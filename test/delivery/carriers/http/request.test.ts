import { describe, expect, it } from 'vitest';
import { serveProvider } from '../../../support/providers/server.js';
import { carrierOf, PUBLIC_URL, publicContext, typeNamed } from '../mount.js';
import { CODE, message, SECRET, TEXT } from '../support.js';

/** What a gateway gets of one message. */
async function requestOf(settings: Record<string, unknown>, changes: Parameters<typeof message>[0] = {}) {
  const { url, received } = await serveProvider(() => ({ status: 200, body: {} }));
  const { url: path = '/send', ...others } = settings;
  const carrier = carrierOf('http', { ...others, url: `${url}${path}` });
  expect(await carrier.submit(message(changes))).toMatchObject({ kind: 'accepted' });
  return received[0]!;
}

/** Why settings are refused. */
function refusal(settings: Record<string, unknown>): string {
  try {
    typeNamed('http').create({ url: 'https://gateway.example/', ...settings }, publicContext());
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('a request that is described in the configuration', () => {
  it('may be JSON of any shape', async () => {
    const request = await requestOf({
      values: { token: SECRET },
      headers: { Authorization: 'Bearer {values.token}', 'X-Id': '{hop_id}' },
      json: {
        messages: [{ to: '{recipient_plus}', from: '{sender}', text: 'A: {text}', ttl: '{expires_in}' }],
        flash: false,
        priority: 3,
        report: '{receipt_url}',
        dlt: '{parameters.entity_id}',
        until: ['{expires_at}', '{expires_unix}'],
      },
    });
    expect(request).toMatchObject({
      method: 'POST',
      url: '/send',
      headers: {
        authorization: `Bearer ${SECRET}`,
        'x-id': message().hopId,
        'content-type': 'application/json',
      },
    });
    expect(JSON.parse(request.body)).toEqual({
      messages: [{ to: '+14155550123', text: `A: ${TEXT}`, ttl: 600 }],
      flash: false,
      priority: 3,
      report: `${PUBLIC_URL}/carriers/gateway/receipts/${message().hopId}`,
      until: ['2026-01-31T09:02:39.363Z', 1_769_850_159],
    });
  });

  it('may be a form, which leaves out what there is not', async () => {
    const request = await requestOf(
      {
        from: 'Acme',
        form: { to: '{recipient}', from: '{sender}', text: '{text}', v: 2, dlt: '{parameters.x}' },
      },
      { text: 'a&b=c +ü' },
    );
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request.body).toBe('to=14155550123&from=Acme&text=a%26b%3Dc+%2B%C3%BC&v=2');
  });

  it('may be a GET with everything in its URL', async () => {
    const request = await requestOf(
      {
        method: 'GET',
        url: '/v1/{recipient}/send?user={values.user}',
        values: { user: 'me&you' },
        query: { text: '{text}', code: '{code}', lang: '{locale}' },
        basic_auth: { username: 'user', password: 'word' },
      },
      { text: 'ü & #?' },
    );
    expect(request.method).toBe('GET');
    expect(request.url).toBe(
      `/v1/14155550123/send?user=me%26you&text=%C3%BC+%26+%23%3F&code=${CODE}&lang=en`,
    );
    expect(request.headers.authorization).toBe(`Basic ${Buffer.from('user:word').toString('base64')}`);
    expect(request.body).toBe('');
  });

  it('may be XML', async () => {
    const request = await requestOf(
      {
        xml: '<?xml version="1.0"?><sms to="{recipient}"><text>{text}</text></sms>',
        content_type: 'text/xml',
      },
      { text: `<b a="1">&'\u0001` },
    );
    expect(request.headers['content-type']).toBe('text/xml');
    expect(request.body).toBe(
      '<?xml version="1.0"?><sms to="14155550123"><text>&lt;b a=&quot;1&quot;&gt;&amp;&apos;\ufffd</text></sms>',
    );
  });

  it('may be the text alone', async () => {
    const request = await requestOf({ url: '/to/{recipient}', text: '{text}', method: 'PUT' });
    expect(request).toMatchObject({ method: 'PUT', url: '/to/14155550123', body: TEXT });
    expect(request.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('does not look for placeholders in what a placeholder brings', async () => {
    const values = { secret: '{text}' };
    const request = await requestOf(
      { values, json: { a: '{values.secret}', b: '{text}' } },
      { text: '{code}' },
    );
    expect(JSON.parse(request.body)).toEqual({ a: '{text}', b: '{code}' });
  });
});

describe('a configuration that cannot be meant', () => {
  it.each([
    [{ json: { a: ['{tex}'] } }, 'json.a.0: {tex} is no placeholder; expected one of recipient'],
    [{ json: { a: '{values.token}' } }, 'json.a: {values.token} is no placeholder'],
    [{ json: '{constructor}' }, '{constructor} is no placeholder'],
    [{ json: {}, form: {} }, 'expected one body only'],
    [{ method: 'GET', json: {} }, 'json: a GET has no body; use query'],
    [{ url: 'https://gateway.example/{sender}' }, 'url: {sender} may be in the query or the body'],
    [{ url: 'https://gateway.example/ü' }, 'url: expected printable ASCII'],
    [{ url: 'https://[::/' }, 'url: expected an absolute http or https URL'],
    [{ headers: { Host: 'x' } }, 'headers.Host: cannot be set'],
    [{ headers: { 'content-TYPE': 'x' } }, 'content_type'],
    [{ headers: { A: 'a\r\nb: c' } }, 'headers.A: expected printable ASCII'],
    [{ headers: { A: '{values.x}' }, values: { x: 'a\nb' } }, 'headers.A: expected printable ASCII'],
    [{ xml: '<{text}/>' }, 'xml: {text} may be in an element'],
    [{ xml: '<a b={text}/>' }, 'xml: {text} may be in an element'],
    [{ xml: '<a><![CDATA[{text}]]></a>' }, 'xml: expected no CDATA'],
    [{ xml: '<a>&{text};</a>' }, 'xml: expected a semicolon'],
    [{ text: '{recipient}:{text}' }, 'text: expected one placeholder and nothing else'],
    [{ json: {}, content_type: 'text/plain' }, 'content_type: expected one for a body of json'],
    [{ receipts: { status: '/s', statuses: {} } }, 'authentication: expected with receipts and inbound'],
    [{ answer: { rules: [{ is: 'refused', error_code: 11 }] } }, 'answer.rules: expected an error_code'],
    [
      {
        receipts: { method: 'GET', status: '/s', statuses: {} },
        authentication: { hmac: { header: 'x', secret: 'sentinel-secret' } },
      },
      'authentication.hmac: signs the body, but a GET has none',
    ],
    [
      {
        receipts: { status: '/s', statuses: {}, errors: { a: 11 } },
        authentication: { bearer: 'sentinel-secret' },
      },
      'receipts.errors: expected channel error codes',
    ],
  ])('%j is refused by name', (settings, why) => {
    expect(refusal(settings)).toContain(why);
    expect(refusal(settings)).not.toContain('sentinel');
  });

  it('is found by the doctor too', async () => {
    await expect(typeNamed('http').check({ url: 'http://127.0.0.1:1/', json: '{tex}' })).rejects.toThrow(
      '{tex}',
    );
  });
});

it('the doctor finds a gateway that listens, and sends it nothing', async () => {
  const { url, received } = await serveProvider(() => ({ status: 200, body: {} }));
  const findings = await typeNamed('http').check({ url: `${url}/send/{recipient}`, json: {} });
  expect(findings).toMatchObject([{ ok: true, text: expect.stringContaining('accepts connections') }]);
  expect(received).toEqual([]);
});
