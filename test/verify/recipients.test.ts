import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { parseRecipient, recipientRefusal } from '#verify/recipients.js';

const typeOf = (text: string) => parseRecipient(text)?.type;

describe('the type of a number', () => {
  it.each([
    ['14155551234', 'ordinary'],
    ['4915112345678', 'ordinary'],
    ['18005551234', 'ordinary'],
    ['442079460000', 'fixed-line'],
    ['19005551234', 'premium-rate'],
    ['33891123456', 'premium-rate'],
    ['979123456789', 'premium-rate'],
    ['4918012345678', 'shared-cost'],
    ['870773111632', 'satellite'],
    ['881612345678', 'satellite'],
    ['882161234567', 'international-network'],
    ['883510012345', 'international-network'],
    ['878101234567890', 'international-network'],
  ])('of %s is %s', (number, type) => {
    expect(typeOf(number)).toBe(type);
  });

  it('of an example of every country’s mobile numbers is ordinary', () => {
    for (const country of getCountries()) {
      const { number } = getExampleNumber(country, examples)!;
      expect([country, typeOf(number)]).toEqual([country, 'ordinary']);
    }
  });

  it('is known of exactly what libphonenumber calls valid', () => {
    for (const country of getCountries()) {
      const { number } = getExampleNumber(country, examples)!;
      for (const text of [
        number,
        number.slice(0, -1),
        `${number}0`,
        `${number.slice(0, 5)}0000${number.slice(9)}`,
      ]) {
        const valid = parsePhoneNumberFromString(text)?.isValid() ?? false;
        expect([text, parseRecipient(text) !== null]).toEqual([text, valid]);
      }
    }
  });
});

describe('a refusal', () => {
  it('is lifted by allowing the type, and only by that', () => {
    const premium = { type: 'premium-rate' } as const;
    expect(recipientRefusal(premium, 'voice')).toContain('premium-rate');
    expect(recipientRefusal(premium, 'voice', ['fixed-line', 'satellite'])).toContain('premium-rate');
    expect(recipientRefusal(premium, 'voice', ['premium-rate'])).toBeNull();
  });

  it('of a fixed line is of SMS only', () => {
    const fixed = { type: 'fixed-line' } as const;
    expect(recipientRefusal(fixed, 'sms')).toContain('voice');
    expect(recipientRefusal(fixed, 'voice')).toBeNull();
    expect(recipientRefusal(fixed, 'sms', ['fixed-line'])).toBeNull();
  });
});
