import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { carrierTypes } from '#delivery/carriers/index.js';
import { recordingContext } from './support.js';

const VALID = { url: 'https://gateway.example/send?tenant=7', secret: 'x'.repeat(16) };

function typeNamed(name: string) {
  const found = carrierTypes.find(({ type }) => type === name);
  if (!found) throw new Error(`no carrier type ${name}`);
  return found;
}

function accepts(name: string, settings: unknown): boolean {
  return Value.Check(typeNamed(name).settings, settings);
}

describe('the settings of a webhook', () => {
  it('need a url and a secret only', () => {
    expect(accepts('webhook', VALID)).toBe(true);
    const carrier = typeNamed('webhook').create(VALID, recordingContext());
    expect(carrier).toMatchObject({
      name: 'gateway',
      type: 'webhook',
      channels: ['sms', 'voice'],
      window: 256,
    });
  });

  it.each([
    { timeout_ms: 100, connections: 1, window: 1 },
    { timeout_ms: 60_000, connections: 1_024, window: 10_000, channels: ['voice'] },
    { url: 'http://10.0.0.7:8080' },
    { url: 'http://[::1]:8080/x' },
  ])('may be %j', (settings) => {
    expect(accepts('webhook', { ...VALID, ...settings })).toBe(true);
  });

  it.each([
    { url: undefined },
    { url: 'gateway.example' },
    { url: 'ftp://gateway.example' },
    { url: 'https://user:word@gateway.example/' },
    { url: 'https://gateway.example/#part' },
    { url: 'https://gateway.example/a b' },
    { secret: undefined },
    { secret: 'x'.repeat(15) },
    { secret: `${'x'.repeat(16)}\r\nX-Header: 1` },
    { secret: 'gehëim-gehëim-gehëim' },
    { timeout_ms: 99 },
    { timeout_ms: 60_001 },
    { timeout_ms: '5000' },
    { connections: 0 },
    { window: 0 },
    { channels: [] },
    { channels: ['sms', 'sms'] },
    { channels: ['fax'] },
    { windows: 5 },
  ])('may not be %j', (settings) => {
    const given = Object.entries({ ...VALID, ...settings }).filter(([, value]) => value !== undefined);
    expect(accepts('webhook', Object.fromEntries(given))).toBe(false);
  });

  it('with a URL that only looks like one are refused by name, without the secret', () => {
    const settings = { ...VALID, url: 'http://[::/' };
    const create = () => typeNamed('webhook').create(settings, recordingContext());
    expect(create).toThrow(/^url: expected an absolute http or https URL$/);
  });
});

describe('the settings of an inbox', () => {
  it('may be empty or name channels, and nothing else', () => {
    expect(accepts('inbox', {})).toBe(true);
    expect(accepts('inbox', { channels: ['sms'] })).toBe(true);
    expect(accepts('inbox', { channels: ['fax'] })).toBe(false);
    expect(accepts('inbox', { url: VALID.url })).toBe(false);
  });
});

describe('the settings of an smpp carrier', () => {
  const valid = { host: 'smpp.example.net', system_id: 'countersign', password: 'secret' };

  it('need host, system_id and password only', () => {
    expect(accepts('smpp', valid)).toBe(true);
    expect(typeNamed('smpp').create(valid, recordingContext())).toMatchObject({
      type: 'smpp',
      channels: ['sms'],
      window: 50,
      unanswered: 'resend',
    });
  });

  it.each([
    { port: 3550, tls: {} },
    { tls: { ca: 'pem', cert: 'pem', key: 'pem', servername: 'smsc', reject_unauthorized: false } },
    { interface_version: 5, bind: 'separate', binds: 4, window: 100, rate: 0.5, burst: 10 },
    { addresses: { short_code: { ton: 6, npi: 0 }, destination: { plus: true } } },
    { parameters: { entity_id: { tag: 0x1400, value: '110' } }, errors: { '001': 50, '0A': 80 } },
    { message_id: { submit: 'hex', receipt: 'decimal', receipt_tlv: 'as-is' }, data_coding: { gsm_7: 1 } },
  ])('may be %j', (settings) => {
    expect(accepts('smpp', { ...valid, ...settings })).toBe(true);
  });

  it.each([
    { host: 'smpp://smsc' },
    { host: undefined },
    { system_id: 'longer-than-fifteen' },
    { password: undefined },
    { bind: 'both' },
    { binds: 0 },
    { window: 0 },
    { rate: 0 },
    { interface_version: 3.3 },
    { encoding: 'utf-8' },
    { tls: true },
    { tls: { certificate: 'x' } },
    { addresses: { sender: {} } },
    { errors: { '0-1': 50 } },
    { message_id: { submit: 'octal' } },
    { parameters: { entity_id: { tag: 70_000 } } },
    { nonsense: 1 },
  ])('may not be %j', (settings) => {
    const given = Object.entries({ ...valid, ...settings }).filter(([, value]) => value !== undefined);
    expect(accepts('smpp', Object.fromEntries(given))).toBe(false);
  });

  it.each([
    [{ binds: 4, window: 3 }, /^window: expected at least one for each of binds$/],
    [{ tls: { cert: 'pem' } }, /^tls: expected cert and key together/],
    [{ errors: { '1': 51 } }, /^errors\.1: expected an SMS channel error code$/],
  ])('that do not go together are refused by name: %j', (settings, why) => {
    expect(() => typeNamed('smpp').create({ ...valid, ...settings }, recordingContext())).toThrow(why);
  });
});

describe.each([
  ['twilio', { account_sid: `AC${'0'.repeat(32)}`, auth_token: 'secret' }],
  ['plivo', { auth_id: 'MAXXXXXXXXXXXXXXXXXX', auth_token: 'secret' }],
])('the settings of calls over %s', (type, given) => {
  const accepted = (voice: unknown, channels: unknown = ['voice']) =>
    accepts(type, { ...given, channels, voice });

  it.each([
    {},
    { from: '+15005550006', calls: 1_000, ring_seconds: 5, max_seconds: 600, machine_detection: true },
    { key_seconds: 60, key_asks: 5, repeats: 0, repeat_seconds: 30 },
    {
      voices: { es: { name: 'Polly.Lupe', language: 'es-US' }, 'zh-Hant-TW': { name: 'x', language: 'zh' } },
    },
  ])('may be %j', (voice) => {
    expect(accepted(voice)).toBe(true);
  });

  it.each([
    { from: 'Acme' },
    { calls: 0 },
    { calls: 1_001 },
    { ring_seconds: 121 },
    { max_seconds: 10 },
    { machine_detection: 'yes' },
    { key_seconds: 4 },
    { key_asks: 0 },
    { repeats: 6 },
    { repeat_seconds: 4 },
    { voices: { es: 'Polly.Lupe' } },
    { voices: { Spanish: { name: 'x', language: 'es' } } },
    { voices: { es: { name: 'a"b', language: 'es' } } },
    { nonsense: 1 },
  ])('may not be %j', (voice) => {
    expect(accepted(voice)).toBe(false);
  });

  it.each([[[]], [['sms', 'sms']], [['fax']], ['voice']])('may not have the channels %j', (channels) => {
    expect(accepted({}, channels)).toBe(false);
  });
});

it('every carrier type has a name of its own', () => {
  expect(carrierTypes.map(({ type }) => type)).toEqual([
    'inbox',
    'smpp',
    'sip',
    'webhook',
    'http',
    'twilio',
    'plivo',
    'vonage',
    'messagebird',
    'sinch',
    'telnyx',
    'aws-sns',
  ]);
});
