import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAmount } from '#verify/amounts.js';
import type { Recipient } from '#verify/model.js';
import { createRates } from '#verify/rate-card.js';
import { loadYaml, refusal } from './configuration.js';

const PRICE = 'expected a price in quotes, such as "0.02": at most 6 digits before the point and at most';

describe('the rate card', () => {
  test('is read with its prices as they are written', () => {
    const { rates } = loadYaml(`
rates:
  currency: EUR
  decimals: 8
  validation: "0.050"
  voice_increment_seconds: 6
  sms:
    default: "0.10"
    1: "0.0079"
    "+49": "0"
  voice:
    default: "0.00014167"
`);
    expect(rates).toEqual({
      currency: 'EUR',
      decimals: 8,
      validation: '0.050',
      increment: 6,
      rates: {
        sms: expect.arrayContaining([
          { prefix: '', price: '0.10' },
          { prefix: '1', price: '0.0079' },
          { prefix: '49', price: '0' },
        ]),
        voice: [{ prefix: '', price: '0.00014167' }],
      },
    });
  });

  test('has five decimals, minutes, and nothing that costs, unless it says otherwise', () => {
    expect(loadYaml('rates: {currency: USD}').rates).toEqual({
      currency: 'USD',
      decimals: 5,
      validation: '0',
      increment: 60,
      rates: { sms: [], voice: [] },
    });
  });

  test('is none when the section is absent or empty', () => {
    expect(loadYaml('{}').rates).toBeNull();
    expect(loadYaml('rates:\n').rates).toBeNull();
  });

  test('may take a price from a variable', () => {
    const { rates } = loadYaml('rates: {currency: USD, validation: "$' + '{PRICE}"}', { PRICE: '0.07' });
    expect(rates?.validation).toBe('0.07');
  });

  test.each([
    ['rates: []', 'rates: expected a map with currency'],
    ['rates: {}', 'rates.currency: expected the ISO 4217 code of a currency, such as USD'],
    ['rates: {currency: usd}', 'rates.currency: expected the ISO 4217 code'],
    ['rates: {curency: USD}', 'rates.curency: unknown key; the nearest known is currency'],
    ['rates: {currency: USD, decimals: 9}', 'rates.decimals: expected a whole number from 0 to 8'],
    [
      'rates: {currency: USD, voice_increment_seconds: 0}',
      'rates.voice_increment_seconds: expected a whole number from 1 to 3600',
    ],
    ['rates: {currency: USD, validation: 0.05}', `rates.validation: ${PRICE} 5 after it (rates.decimals)`],
    ['rates: {currency: USD, validation: 1}', `rates.validation: ${PRICE}`],
    ['rates: {currency: USD, validation: "0.123456"}', `rates.validation: ${PRICE} 5 after it`],
    [
      'rates: {currency: JPY, decimals: 0, validation: "0.5"}',
      'at most 6 digits before the point and none after it (rates.decimals)',
    ],
    ...['-1', '+1', '1e3', '.5', '1.', '1,5', '01', '0x10', '1000000', '$1', ' 1', 'free', '', 'NaN'].map(
      (price) => [`rates: {currency: USD, validation: "${price}"}`, `rates.validation: ${PRICE}`],
    ),
    ['rates: {currency: USD, sms: "0.02"}', 'rates.sms: expected a map of prefixes and prices'],
    ['rates: {currency: USD, sms: {1: "0.02"}}', 'rates.sms.default: is missing; expected the price for'],
    ['rates: {currency: USD, voice: {}}', 'rates.voice.default: is missing'],
    ['rates: {currency: USD, sms: {default: "1", 1: 0.02}}', `rates.sms.1: ${PRICE}`],
    ['rates: {currency: USD, sms: {default: "1", 1: }}', `rates.sms.1: ${PRICE}`],
    ...['"044"', '1-800', 'US', '""', '1234567890123456'].map((prefix) => [
      `rates: {currency: USD, sms: {default: "1", ${prefix}: "1"}}`,
      `rates.sms.${prefix.replaceAll('"', '')}: expected default, or the leading digits of E.164 numbers`,
    ]),
    [
      'rates: {currency: USD, sms: {default: "1", "49": "1", "+49": "2"}}',
      'rates.sms.+49: is the same prefix as rates.sms.49',
    ],
    ['rates: {currency: USD, sms: {default: "1", __proto__: "1"}}', 'rates.sms.__proto__: expected default'],
  ])('%j is refused in one line', (yaml, expected) => {
    const message = refusal(() => loadYaml(yaml));
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  test('comes out of the configuration as it went in, whatever the price', () => {
    const price = fc.tuple(fc.nat({ max: 999_999 }), fc.stringMatching(/^[0-9]{1,8}$/));
    fc.assert(
      fc.property(price, ([whole, fraction]) => {
        const written = `${whole}.${fraction}`;
        const { rates } = loadYaml(
          `rates: {currency: USD, decimals: ${fraction.length}, sms: {default: "${written}"}}`,
        );
        const inUse = createRates(rates);
        const found = inUse.price('sms', '14155551234' as Recipient)!;
        expect(formatAmount(BigInt(found.price), inUse.decimals)).toBe(written);
      }),
    );
  });
});
