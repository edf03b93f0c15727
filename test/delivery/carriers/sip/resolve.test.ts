import { describe, expect, it } from 'vitest';
import { type Resolver, resolvePeers, type SrvRecord } from '#delivery/carriers/sip/trunk/resolve.js';
import { VirtualEnvironment } from '../../../support/virtual-time.js';
import { NO_DNS } from './support.js';

const environment = new VirtualEnvironment();
const srv = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({
  name,
  port,
  priority,
  weight,
});

function dns(changes: Partial<Resolver>, addresses: Readonly<Record<string, string[]>> = {}): Resolver {
  return { ...NO_DNS, addresses: async (name) => addresses[name] ?? [], ...changes };
}

const shown = async (
  host: string,
  port: number | null,
  protocol: 'udp' | 'tcp' | 'tls' | null,
  resolver: Resolver,
) =>
  (await resolvePeers({ host, port, protocol }, resolver, environment)).map(
    (peer) => `${peer.protocol} ${peer.address}:${peer.port}`,
  );

describe('the peers of a trunk', () => {
  it('are an address as it is', async () => {
    expect(await shown('192.0.2.1', null, null, dns({}))).toEqual(['udp 192.0.2.1:5060']);
    expect(await shown('192.0.2.1', null, 'tls', dns({}))).toEqual(['tls 192.0.2.1:5061']);
    expect(await shown('2001:db8::1', 5070, 'tcp', dns({}))).toEqual(['tcp 2001:db8::1:5070']);
  });

  it('are the addresses of a name with a port, without SRV', async () => {
    const resolver = dns({ srv: async () => [srv('other', 1)] }, { 'a.example': ['192.0.2.1', '192.0.2.2'] });
    expect(await shown('a.example', 5080, null, resolver)).toEqual([
      'udp 192.0.2.1:5080',
      'udp 192.0.2.2:5080',
    ]);
  });

  it('are those of SRV by priority, and of the service that NAPTR prefers', async () => {
    const asked: string[] = [];
    const resolver = dns(
      {
        naptr: async () => [
          { order: 20, preference: 0, flags: 's', service: 'SIP+D2U', replacement: '_sip._udp.a.example' },
          { order: 10, preference: 0, flags: 'S', service: 'sip+d2t', replacement: '_sip._tcp.a.example' },
          { order: 5, preference: 0, flags: 's', service: 'SIP+D2S', replacement: 'sctp' },
        ],
        srv: async (name) => {
          asked.push(name);
          return name.includes('_tcp') ? [srv('two', 5062, 20), srv('one', 5061, 10)] : [srv('one', 5060)];
        },
      },
      { one: ['192.0.2.1'], two: ['192.0.2.2'] },
    );
    expect(await shown('a.example', null, null, resolver)).toEqual([
      'tcp 192.0.2.1:5061',
      'tcp 192.0.2.2:5062',
      'udp 192.0.2.1:5060',
    ]);
    expect(asked).toEqual(['_sip._tcp.a.example', '_sip._udp.a.example']);
  });

  it('share the load by weight', async () => {
    const resolver = dns(
      { srv: async () => [srv('heavy', 5060, 0, 90), srv('light', 5060, 0, 10)] },
      { heavy: ['192.0.2.1'], light: ['192.0.2.2'] },
    );
    let heavy = 0;
    for (let turn = 0; turn < 1_000; turn++) {
      if ((await shown('a.example', null, 'udp', resolver))[0] === 'udp 192.0.2.1:5060') heavy++;
    }
    expect(heavy).toBeGreaterThan(850);
    expect(heavy).toBeLessThan(950);
  });

  it('are the name’s own addresses where there are no records, or DNS fails', async () => {
    const failing = async () => Promise.reject(new Error('SERVFAIL'));
    const resolver = dns({ naptr: failing, srv: failing }, { 'a.example': ['192.0.2.1'] });
    expect(await shown('a.example', null, null, resolver)).toEqual(['udp 192.0.2.1:5060']);
    expect(await shown('b.example', null, null, resolver)).toEqual([]);
  });

  it('over UDP know their way over TCP where DNS names one and the protocol is left to it', async () => {
    const resolver = dns(
      {
        srv: async (name) =>
          name.startsWith('_sip._udp') ? [srv('one', 5060, 1), srv('two', 5060, 2)] : [srv('one', 5070)],
      },
      { one: ['192.0.2.1'], two: ['192.0.2.2'] },
    );
    const ask = (protocol: 'udp' | null) =>
      resolvePeers({ host: 'a.example', port: null, protocol }, resolver, environment);
    const [one, two] = [
      { protocol: 'udp', address: '192.0.2.1', port: 5060 },
      { protocol: 'udp', address: '192.0.2.2', port: 5060 },
    ];
    const overTcp = { protocol: 'tcp', address: '192.0.2.1', port: 5070 };
    expect(await ask(null)).toEqual([{ ...one, overTcp }, two]);
    expect(await ask('udp')).toEqual([one, two]);
  });

  it('over UDP have no way over TCP that NAPTR does not name', async () => {
    const naptr = [
      { order: 1, preference: 0, flags: 's', service: 'SIP+D2U', replacement: '_sip._udp.a.example' },
      { order: 2, preference: 0, flags: 's', service: 'SIP+D2T', replacement: '_sip._tcp.a.example' },
    ];
    const ask = (records: typeof naptr) =>
      resolvePeers(
        { host: 'a.example', port: null, protocol: null },
        dns({ naptr: async () => records, srv: async () => [srv('one', 5060)] }, { one: ['192.0.2.1'] }),
        environment,
      );
    expect((await ask(naptr)).map(({ overTcp }) => overTcp?.protocol)).toEqual(['tcp', undefined]);
    expect((await ask(naptr.slice(0, 1))).map(({ overTcp }) => overTcp)).toEqual([undefined]);
  });

  it('over TLS carry the name that the certificate must be for', async () => {
    const resolver = dns(
      { srv: async () => [srv('host.other.example', 5061)] },
      { 'host.other.example': ['192.0.2.1'] },
    );
    const [peer] = await resolvePeers(
      { host: 'a.example', port: null, protocol: 'tls' },
      resolver,
      environment,
    );
    expect(peer).toEqual({ protocol: 'tls', address: '192.0.2.1', port: 5061, serverName: 'a.example' });
  });
});
