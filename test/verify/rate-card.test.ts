import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recipient } from '#verify/model.js';
import { createRates, type RateCard } from '#verify/rate-card.js';

function card(sms: Record<string, string>, voice: Record<string, string> = {}): RateCard {
  const ratesOf = (prices: Record<string, string>) =>
    Object.entries(prices).map(([prefix, price]) => ({ prefix, price }));
  return {
    currency: 'USD',
    decimals: 5,
    validation: '0.05',
    increment: 60,
    rates: { sms: ratesOf(sms), voice: ratesOf(voice) },
  };
}

const to = (digits: string) => digits as Recipient;

describe('a rate card', () => {
  it('has for a number the price with the longest matching prefix', () => {
    const rates = createRates(card({ '': '4', '1': '1', '1415': '2', '49': '3', '4915': '0' }));
    const price = (digits: string) => rates.price('sms', to(digits))?.price;
    expect(price('14155551234')).toBe(2_0000_0000);
    expect(price('14165551234')).toBe(1_0000_0000);
    expect(price('4930123456')).toBe(3_0000_0000);
    expect(price('4915112345678')).toBe(0);
    expect(price('33612345678')).toBe(4_0000_0000);
    expect(price('141')).toBe(1_0000_0000);
  });

  it('tells of calls how many seconds are one increment, and of SMS that they have none', () => {
    const rates = createRates(card({ '': '0.021' }, { '': '0.0085' }));
    expect(rates.price('sms', to('1415'))).toEqual({ price: 2_100_000, increment: null });
    expect(rates.price('voice', to('1415'))).toEqual({ price: 850_000, increment: 60 });
    expect(rates).toMatchObject({ validation: 5_000_000, decimals: 5 });
  });

  it('has no price for a channel that it leaves out, and none at all when it is none', () => {
    expect(createRates(card({ '': '1' })).price('voice', to('14155551234'))).toBeNull();
    const none = createRates(null);
    expect(none).toMatchObject({ validation: 0, decimals: 0 });
    expect(none.price('sms', to('14155551234'))).toBeNull();
  });

  it('finds what looking at every prefix finds', () => {
    const digits = (max: number) => fc.stringMatching(new RegExp(`^[12]{1,${max}}$`));
    fc.assert(
      fc.property(fc.uniqueArray(digits(5), { maxLength: 20 }), digits(9), (prefixes, number) => {
        const prices = Object.fromEntries(prefixes.map((prefix, index) => [prefix, String(index)]));
        const longest = prefixes
          .filter((prefix) => number.startsWith(prefix))
          .sort((a, b) => b.length - a.length)[0];
        const expected = longest === undefined ? undefined : prefixes.indexOf(longest) * 1e8;
        expect(createRates(card(prices)).price('sms', to(number))?.price).toBe(expected);
      }),
    );
  });
});
