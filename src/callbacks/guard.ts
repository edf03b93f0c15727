import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Decides which addresses callbacks may connect to. */
export interface Guard {
  /** Whether the operator permits whatever this host name resolves to. */
  trusts(hostName: string): boolean;
  /** Whether this address, in any textual form, may be connected to. What is no address may not. */
  permits(address: string): boolean;
}

/** The connection was not made because its address is not one that callbacks may reach. */
export class RefusedAddressError extends Error {
  readonly code = 'COUNTERSIGN_REFUSED_ADDRESS';
  constructor() {
    super('the host has no public address');
    this.name = 'RefusedAddressError';
  }
}

/** The only part of IPv6 that is global unicast (RFC 4291 §2.4, IANA's registry). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by its number, yet the metadata and host agent of every virtual machine of one large cloud. */
const HOST_AGENTS = [ipaddr.IPv4.parseCIDR('168.63.129.16/32')];

/**
 * A guard that permits public addresses, and what the operator's list names. Private, loopback, link-local,
 * carrier-grade NAT, multicast, broadcast, unspecified, documentation and reserved addresses are refused (IANA
 * special-purpose registries, RFC 6890), and so are IPv6 ranges that stand for an IPv4 address: NAT64, 6to4,
 * Teredo, IPv4-compatible. An IPv4-mapped address counts as the IPv4 address that it is.
 * @param allow networks (`10.1.0.0/16`), addresses, and host names, which permit whatever they resolve to
 * @throws Error for a network that is none
 */
export function createGuard(allow: readonly string[]): Guard {
  const networks: Network[] = [];
  const names = new Set<string>();
  for (const entry of allow) {
    const bare = entry.replace(/[[\]]/g, '');
    if (entry.includes('/')) networks.push(ipaddr.parseCIDR(bare));
    else if (isIP(bare)) networks.push(whole(parse(bare)));
    else names.add(plainName(entry));
  }
  return {
    trusts: (hostName) => names.has(plainName(hostName)),
    permits: (text) => {
      if (!isIP(text)) return false;
      const address = parse(text);
      return isPublic(address) || networks.some((network) => isWithin(address, network));
    },
  };
}

/**
 * Reads IPv6 as the sockets do, by way of the URL parser's hexadecimal form: ipaddr.js takes `::192.0.2.1` for the
 * IPv4-mapped address, which it is not. A zone does not make an address another.
 */
function parse(text: string): Address {
  if (isIP(text) === 4) return ipaddr.parse(text);
  const { hostname } = new URL(`http://[${text.replace(/%.*$/, '')}]`);
  return ipaddr.process(hostname.slice(1, -1));
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (isIPv4(address)) return !HOST_AGENTS.some((network) => address.match(network));
  return address.match(GLOBAL_UNICAST);
}

function isWithin(address: Address, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network as never);
}

function isIPv4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}

function whole(address: Address): Network {
  return [address, isIPv4(address) ? 32 : 128];
}

/** A host name in one spelling: a final dot only says that it is complete. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
