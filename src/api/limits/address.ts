import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The address of a caller as it is shown and stored. An IPv4 address that came over an IPv6 socket is shown as what
 * it is, and an IPv6 address without its zone, which means something on one host only (RFC 4007 §11). Empty when it
 * is not known: a proxy may have named anything.
 * @param address what Fastify calls `request.ip`
 */
export function callerAddress(address: string | undefined): string {
  const version = isIP(address ?? '');
  if (address === undefined || version === 0) return '';
  if (version === 4) return address;
  const [bare = ''] = address.split('%', 1);
  const parsed = ipaddr.IPv6.parse(bare);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : bare;
}

/**
 * What is counted as one caller: an IPv4 address, or the 64 bits of an IPv6 network (RFC 6177), which one host can use up.
 * @param address as `callerAddress` tells it
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':');
}
