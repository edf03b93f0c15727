import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { parseRecipient, RESTRICTED_NUMBER_TYPES, recipientRefusal } from '#verify/recipients.js';

const typeOf = (text: string) => parseRecipient(text)?.type;

describe('the type of a number', () => {
  it.each([
    ['14155551234', 'ordinary'],
    ['4915112345678', 'ordinary'],
    ['18005551234', 'ordinary'],
    ['816012345678', 'ordinary'],
    ['442079460000', 'fixed-line'],
    ['443001234567', 'company-number'],
    ['3581012345678', 'company-number'],
    ['19005551234', 'premium-rate'],
    ['33891123456', 'premium-rate'],
    ['979123456789', 'premium-rate'],
    ['4918012345678', 'shared-cost'],
    ['447012345678', 'personal-number'],
    ['353700123456', 'personal-number'],
    ['16222345678', 'personal-number'],
    ['447640123456', 'pager'],
    ['46742123456', 'pager'],
    ['41860211234567', 'voicemail'],
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

  it.each(['fixed-line', 'company-number'] as const)('of a %s is of SMS only', (type) => {
    const fixed = { type };
    expect(recipientRefusal(fixed, 'sms')).toContain('voice');
    expect(recipientRefusal(fixed, 'voice')).toBeNull();
    expect(recipientRefusal(fixed, 'sms', [type])).toBeNull();
  });

  it.each(RESTRICTED_NUMBER_TYPES)('of a %s names what allows it', (type) => {
    expect(recipientRefusal({ type }, 'sms')).toMatch(new RegExp(`^is an? .* ${type} in number_types$`));
    const others = RESTRICTED_NUMBER_TYPES.filter((each) => each !== type);
    expect(recipientRefusal({ type }, 'sms', others)).toBe(recipientRefusal({ type }, 'sms'));
  });
});
