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
