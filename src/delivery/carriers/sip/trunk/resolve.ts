import { lookup, resolveNaptr, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Environment } from '../../../../environment.js';
import type { Protocol } from '../message/uri.js';
import type { Peer } from '../transport/transport.js';

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The part of DNS that RFC 3263 asks. Each rejects or returns nothing where there are no such records. */
export interface Resolver {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6 addresses, in the order in which they are to be tried. */
  addresses(name: string): Promise<readonly string[]>;
}

/**
 * The operating system's, for a socket that is bound to an address: one of IPv4 reaches nothing else, nor does one
 * address of IPv6. `::` reaches both.
 */
export function systemResolver(bind: string): Resolver {
  const family = bind === '::' ? 0 : isIP(bind);
  return {
    naptr: resolveNaptr,
    srv: resolveSrv,
    addresses: async (name) => (await lookup(name, { all: true, family })).map(({ address }) => address),
  };
}

/** Whom to look for. */
export interface Destination {
  /** A domain, or an IP address. */
  readonly host: string;
  readonly port: number | null;
  /** Null: what DNS prefers, else UDP. */
  readonly protocol: Protocol | null;
}

const SERVICES: Readonly<Record<string, Protocol>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};
const SRV_PREFIX: Readonly<Record<Protocol, string>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};
/** Most peers that one destination can have. */
const MAX_PEERS = 16;

/** The port of a protocol that none was named for. */
export function defaultPort(protocol: Protocol): number {
  return protocol === 'tls' ? 5061 : 5060;
}

/**
 * RFC 3263 §4: the peers of a destination in the order in which they are to be tried; at most 16, empty when none was
 * found. Records of one priority are ordered by chance and weight (RFC 2782). Where the protocol is left to DNS, peers over
 * UDP know whether they take TCP as well.
 */
export async function resolvePeers(
  { host, port, protocol }: Destination,
  resolver: Resolver,
  environment: Environment,
): Promise<readonly Peer[]> {
  const numeric = isIP(host) > 0;
  if (numeric || port !== null) {
    const chosen = protocol ?? 'udp';
    return peersAt(host, port ?? defaultPort(chosen), chosen, host, resolver);
  }
  const services = protocol === null ? await servicesOf(host, resolver) : [];
  const asked: readonly Service[] =
    services.length > 0
      ? services
      : (protocol === null ? (['udp', 'tcp', 'tls'] as const) : [protocol]).map((each) => ({
          name: `${SRV_PREFIX[each]}${host}`,
          protocol: each,
        }));
  const peers: Peer[] = [];
  for (const service of asked) {
    if (peers.length >= MAX_PEERS) break;
    peers.push(...(await peersOf(service, host, resolver, environment)));
    if (peers.length > 0 && services.length === 0) break;
  }
  if (peers.length > 0) {
    const known = peers.slice(0, MAX_PEERS);
    if (protocol !== null || !known.some((peer) => peer.protocol === 'udp')) return known;
    const streams =
      services.length > 0
        ? known
        : await peersOf({ name: `${SRV_PREFIX.tcp}${host}`, protocol: 'tcp' }, host, resolver, environment);
    return known.map((peer) => withTcp(peer, streams));
  }
  const chosen = protocol ?? 'udp';
  return peersAt(host, defaultPort(chosen), chosen, host, resolver);
}

interface Service {
  readonly name: string;
  readonly protocol: Protocol;
}

/** The peers that the SRV records of a service name. */
async function peersOf(
  { name, protocol }: Service,
  host: string,
  resolver: Resolver,
  environment: Environment,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  const records = await resolver.srv(name).catch(() => []);
  for (const record of shuffle(records.slice(0, 64), environment)) {
    // RFC 2782: a single "." says that there is no such service.
    if (record.name === '' || record.name === '.' || peers.length >= MAX_PEERS) continue;
    peers.push(...(await peersAt(record.name, record.port, protocol, host, resolver)));
  }
  return peers;
}

/** A peer over UDP with the same host over TCP, if that is among others. */
function withTcp(peer: Peer, others: readonly Peer[]): Peer {
  if (peer.protocol !== 'udp') return peer;
  const overTcp = others.find(({ protocol, address }) => protocol === 'tcp' && address === peer.address);
  return overTcp ? { ...peer, overTcp } : peer;
}

/** RFC 3263 §4.1: by order and preference; services that we do not speak are left out. */
async function servicesOf(host: string, resolver: Resolver): Promise<Service[]> {
  const records = await resolver.naptr(host).catch(() => []);
  return records
    .filter(
      ({ flags, service }) => flags.toLowerCase() === 's' && Object.hasOwn(SERVICES, service.toUpperCase()),
    )
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .slice(0, 8)
    .map(({ replacement, service }) => ({ name: replacement, protocol: SERVICES[service.toUpperCase()]! }));
}

async function peersAt(
  name: string,
  port: number,
  protocol: Protocol,
  serverName: string,
  resolver: Resolver,
): Promise<Peer[]> {
  const addresses = isIP(name) > 0 ? [name] : await resolver.addresses(name).catch(() => []);
  return addresses
    .slice(0, MAX_PEERS)
    .map((address) => ({ protocol, address, port, ...(protocol === 'tls' ? { serverName } : {}) }));
}

/** By priority; within one, by chance in proportion to the weights (RFC 2782). */
function shuffle(records: readonly SrvRecord[], environment: Environment): SrvRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const same = left.filter(({ priority }) => priority === left[0]!.priority);
    const total = same.reduce((sum, { weight }) => sum + weight, 0);
    const [high = 0, low = 0] = environment.randomBytes(2);
    const drawn = ((high * 256 + low) / 65_536) * total;
    let sum = 0;
    const chosen =
      same.find(({ weight }) => {
        sum += weight;
        return sum > drawn;
      }) ?? same.at(-1)!;
    left.splice(left.indexOf(chosen), 1);
    ordered.push(chosen);
  }
  return ordered;
}
