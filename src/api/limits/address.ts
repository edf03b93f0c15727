import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The address of a caller as it is shown and stored. An IPv4 address that came over an IPv6 socket is shown as what
 * it is. Empty when it is not known: a proxy may have named anything.
 * @param address what Fastify calls `request.ip`
 */
export function callerAddress(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  return isIP(bare) === 0 ? '' : bare;
}

/** What is counted as one caller: an IPv4 address, or the 64 bits of an IPv6 network (RFC 6177), which one host can use up. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return ipaddr.IPv6.parse(address).parts.slice(0, 4).join(':');
}
