import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGuard } from '#callbacks/guard.js';

const nobody = createGuard([]);

const PRIVATE = {
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'link-local': ['169.254.1.1', 'fe80::1', 'febf::1'],
  metadata: ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  broadcast: ['255.255.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  reserved: [
    '240.0.0.1',
    '192.0.0.8',
    '198.18.0.1',
    '192.88.99.1',
    '100::1',
    '5f00::1',
    '4000::1',
    'fec0::1',
  ],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '0:0:0:0:0:ffff:a9fe:a9fe'],
  'IPv4-compatible': ['::127.0.0.1', '::8.8.8.8'],
  'IPv4-translated': ['::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::a00:1'],
  '6to4': ['2002:7f00:1::1', '2002:808:808::1'],
  Teredo: ['2001:0:4136:e378:8000:63bf:3fff:fdd2'],
};

test.each(Object.entries(PRIVATE))('%s addresses are refused', (_, addresses) => {
  expect(addresses.filter((address) => nobody.permits(address))).toEqual([]);
});

test('public addresses are permitted', () => {
  const addresses = [
    '1.1.1.1',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::8a',
  ];
  expect(addresses.filter((address) => !nobody.permits(address))).toEqual([]);
  expect(nobody.permits('::ffff:1.1.1.1')).toBe(true);
});

test('what is no address is refused', () => {
  for (const text of [
    '',
    'localhost',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '1.1.1.1.',
    '[::1]',
  ]) {
    expect(nobody.permits(text)).toBe(false);
  }
});

test('no spelling of an IPv4 address within IPv6 permits more than the address itself', () => {
  const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  const property = fc.property(bytes, (octets) => {
    const dotted = octets.join('.');
    const hex = Buffer.from(octets)
      .toString('hex')
      .replace(/^(.{4})/, '$1:');
    expect(nobody.permits(`::ffff:${dotted}`)).toBe(nobody.permits(dotted));
    expect(nobody.permits(`::ffff:${hex}`)).toBe(nobody.permits(dotted));
    for (const embedded of [`::${dotted}`, `64:ff9b::${dotted}`, `64:ff9b:1::${dotted}`, `2002:${hex}::1`]) {
      expect(nobody.permits(embedded)).toBe(false);
    }
  });
  fc.assert(property);
});

test('the operator’s networks and addresses are permitted, and nothing beside them', () => {
  const guard = createGuard(['10.1.0.0/16', '127.0.0.1', 'fd00::/8', '[::1]', '64:ff9b::/96']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '127.0.0.1', 'fd12::1', '::1', '64:ff9b::a00:1']) {
    expect(guard.permits(address)).toBe(true);
  }
  for (const address of ['10.2.0.1', '127.0.0.2', 'fe80::1', '::2', '64:ff9b:1::1']) {
    expect(guard.permits(address)).toBe(false);
  }
});

test('a host name in the list is trusted in any spelling, and no other name', () => {
  const guard = createGuard(['Hooks.internal', '10.0.0.0/8']);
  expect(guard.trusts('hooks.internal')).toBe(true);
  expect(guard.trusts('HOOKS.internal.')).toBe(true);
  expect(guard.trusts('evil.hooks.internal')).toBe(false);
  expect(guard.trusts('internal')).toBe(false);
});

test('a network that is none is an error', () => {
  expect(() => createGuard(['10.0.0.0/33'])).toThrow();
});
