import { isIP } from 'node:net';

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Whether a text is a DNS name (RFC 1123 §2.1, underscores tolerated). A name whose end is a number is none. */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').toLowerCase().split('.');
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1)!);
}

/** An IP address without the brackets that URLs put around IPv6, or null. */
export function parseAddress(text: string): string | null {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined) return isIP(bare) === 6 ? bare : null;
  return isIP(text) ? text : null;
}

/**
 * `address/bits` (RFC 4632 §3.1); an address alone is a network of one. Null for what is neither, and for an IPv6 address
 * with a zone: what the networks are for compares addresses alone.
 */
export function parseNetwork(text: string): string | null {
  const [before, bits, ...rest] = text.split('/') as [string, string?, ...string[]];
  const address = parseAddress(before);
  if (address === null || address.includes('%') || rest.length > 0) return null;
  const width = isIP(address) === 4 ? 32 : 128;
  if (bits === undefined) return `${address}/${width}`;
  return /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= width ? `${address}/${bits}` : null;
}

/** A decimal port, 0 (any free one) to 65535, or null. */
export function parsePort(text: string): number | null {
  return /^(0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : null;
}

/** `host:port` with an address or a name, IPv6 addresses in brackets; or null. */
export function parseHostPort(text: string): { host: string; port: number } | null {
  const at = text.lastIndexOf(':');
  const port = parsePort(text.slice(at + 1));
  const host = at < 1 ? null : parseHost(text.slice(0, at));
  const ambiguous = host?.includes(':') && !text.startsWith('[');
  return host === null || port === null || ambiguous ? null : { host, port };
}

/** An address or a host name, or null. */
export function parseHost(text: string): string | null {
  return parseAddress(text) ?? (isHostName(text) ? text.toLowerCase() : null);
}

/** The parts of a list whose separator is a comma or white space. */
export function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}
