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

it('every carrier type has a name of its own', () => {
  expect(carrierTypes.map(({ type }) => type)).toEqual([
    'inbox',
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
