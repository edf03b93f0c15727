import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decimalsOf, formatAmount, parsePrice } from '#verify/amounts.js';

describe('an amount', () => {
  test.each([
    ['0', 0, '0'],
    ['0', 5, '0.00000'],
    ['0.021', 5, '0.02100'],
    ['0.021', 3, '0.021'],
    ['0.021', 0, '0.021'],
    ['0.00000001', 2, '0.00000001'],
    ['1.10', 2, '1.10'],
    ['3', 0, '3'],
    ['10', 0, '10'],
    ['999999.99999999', 8, '999999.99999999'],
  ])('of %s with %d digits after the point is shown as %s', (price, decimals, shown) => {
    expect(formatAmount(BigInt(parsePrice(price)), decimals)).toBe(shown);
  });

  it('is shown exactly past what floating point can tell', () => {
    const amount = 3n * BigInt(parsePrice('0.1')) + 10n ** 30n;
    expect(formatAmount(amount, 5)).toBe('10000000000000000000000.30000');
  });

  it('is exact, whatever the price', () => {
    const digits = fc.tuple(fc.nat({ max: 999_999 }), fc.stringMatching(/^[0-9]{1,8}$/));
    fc.assert(
      fc.property(digits, ([whole, fraction]) => {
        const amount = BigInt(parsePrice(`${whole}.${fraction}`));
        expect(formatAmount(amount, fraction.length)).toBe(`${whole}.${fraction}`);
        expect(decimalsOf(amount)).toBe(fraction.replace(/0+$/, '').length);
      }),
    );
  });

  test.each(['', '.5', '1.', '-1', '+1', '1e3', '1,5', '0x1', ' 1', '1000000', '0.123456789', 'Infinity'])(
    'is not %j',
    (text) => {
      expect(() => parsePrice(text)).toThrow(RangeError);
    },
  );
});
