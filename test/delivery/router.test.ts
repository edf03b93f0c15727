import { describe, expect, it } from 'vitest';
import { createRouter } from '#delivery/router.js';

const carriers = [
  { name: 'a', channels: ['sms', 'voice'] as const },
  { name: 'b', channels: ['sms'] as const },
  { name: 'c', channels: ['voice'] as const },
];

describe('the router', () => {
  it('without routes tries every carrier of the channel in the order of the file', () => {
    const route = createRouter([], carriers);
    expect(route({ channel: 'sms', recipient: '14155551234' })).toEqual(['a', 'b']);
    expect(route({ channel: 'voice', recipient: '14155551234' })).toEqual(['a', 'c']);
  });

  it('prefers the longest prefix, and of two the one that names the channel', () => {
    const route = createRouter(
      [
        { channel: null, prefix: '', carriers: ['a'] },
        { channel: null, prefix: '1415', carriers: ['a', 'b'] },
        { channel: 'sms', prefix: '1415', carriers: ['b'] },
        { channel: 'sms', prefix: '1', carriers: ['b', 'a'] },
      ],
      carriers,
    );
    expect(route({ channel: 'sms', recipient: '14155551234' })).toEqual(['b']);
    expect(route({ channel: 'sms', recipient: '12125551234' })).toEqual(['b', 'a']);
    expect(route({ channel: 'sms', recipient: '4915112345678' })).toEqual(['a']);
    expect(route({ channel: 'voice', recipient: '14155551234' })).toEqual(['a']);
  });

  it('has no route for a number that no prefix of the channel matches, and none to a carrier without the channel', () => {
    const route = createRouter([{ channel: 'sms', prefix: '1', carriers: ['c', 'b'] }], carriers);
    expect(route({ channel: 'sms', recipient: '4915112345678' })).toEqual([]);
    expect(route({ channel: 'sms', recipient: '14155551234' })).toEqual(['b']);
  });
});

describe('the most particular route', () => {
  const a = [{ name: 'c', channels: ['sms', 'voice'] as const }];
  const to = (sender: string, conditions: object) => ({
    channel: null,
    prefix: '',
    carriers: ['c'],
    senders: { default: sender },
    ...conditions,
  });
  const alias = (value: string) => ({ by: 'alias', value }) as const;
  const uuid = (value: string) => ({ by: 'uuid', value }) as const;
  const wanted = {
    channel: 'sms',
    recipient: '16045551234',
    country: 'CA',
    application: 'u-1',
    alias: 'login',
    src: 'ACME',
  } as const;

  it('is the one of the longest prefix, a country counting as its calling code, then application, sender, channel', () => {
    const ranked = [
      to('any', {}),
      to('channel', { channel: 'sms' }),
      to('src', { src: 'ACME' }),
      to('alias', { application: alias('login') }),
      to('uuid', { application: uuid('u-1') }),
      to('prefix', { prefix: '1' }),
      to('prefix and application', { prefix: '1', application: uuid('u-1') }),
      to('country', { country: 'CA' }),
      to('country and channel', { country: 'CA', channel: 'sms' }),
      to('country and src', { country: 'CA', src: 'ACME' }),
      to('country and application', { country: 'CA', application: alias('login') }),
      to('longer prefix', { prefix: '1604' }),
      to('longer prefix and country', { prefix: '1604', country: 'CA' }),
    ];
    for (let count = ranked.length; count > 0; count--) {
      const some = ranked.slice(0, count);
      const { sender } = createRouter([...some].reverse(), a).choose(wanted)!;
      expect(sender).toBe(some.at(-1)!.senders.default);
      expect(createRouter(some, a).choose(wanted)!.sender).toBe(sender);
    }
  });

  it('is none of which a condition does not hold', () => {
    const routes = [
      to('DE', { country: 'DE' }),
      to('US', { country: 'US' }),
      to('other application', { application: uuid('u-2') }),
      to('other alias', { application: alias('marketing') }),
      to('alias that looks like an id', { application: alias('u-1') }),
      to('other sender', { src: 'OTHER' }),
      to('voice', { channel: 'voice' }),
    ];
    expect(createRouter(routes, a).choose(wanted)).toBeNull();
    expect(createRouter(routes, a).choose({ ...wanted, country: null, src: null })).toBeNull();
  });

  it('is found among ten thousand as among two', () => {
    const routes = Array.from({ length: 10_000 }, (_, index) =>
      to(String(index), { prefix: String(10_000 + index), application: alias(`app-${index % 10}`) }),
    );
    const { choose } = createRouter(routes, a);
    for (const index of [0, 777, 9_999]) {
      const recipient = `${10_000 + index}555123`;
      expect(choose({ channel: 'sms', recipient, alias: `app-${index % 10}` })?.sender).toBe(String(index));
      expect(choose({ channel: 'sms', recipient, alias: 'app-x' })).toBeNull();
    }
  });
});

describe('carriers of one rank', () => {
  const three = ['a', 'b', 'c'].map((name) => ({ name, channels: ['sms'] as const }));
  const ranks = [
    [
      { carrier: 'a', weight: 3 },
      { carrier: 'b', weight: 1 },
    ],
    [{ carrier: 'c', weight: 1 }],
  ];
  const route = createRouter([{ channel: 'sms', prefix: '', carriers: ['a', 'b', 'c'], ranks }], three);
  const attempts = Array.from({ length: 4_000 }, (_, index) => `019c1307-1111-7000-8000-${index}`);
  const wanted = { channel: 'sms', recipient: '14155551234' } as const;

  it('share by weight, and the next rank comes after them all', () => {
    const orders = attempts.map((attempt) => route({ ...wanted, attempt }).join(''));
    expect(new Set(orders)).toEqual(new Set(['abc', 'bac']));
    const share = orders.filter((order) => order === 'abc').length / orders.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  it('come in the same order at every try of an attempt, on every node', () => {
    const again = createRouter([{ channel: 'sms', prefix: '', carriers: ['a', 'b', 'c'], ranks }], three);
    for (const attempt of attempts.slice(0, 50)) {
      expect(route({ ...wanted, attempt })).toEqual(again({ ...wanted, attempt }));
    }
  });
});
