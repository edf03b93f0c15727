import { readParameters } from './uri.js';

/** One hop of a message's way (RFC 3261 §20.42). */
export interface Via {
  /** In lower case: `udp`, `tcp`, `tls` … */
  readonly protocol: string;
  /** Host without brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly parameters: ReadonlyMap<string, string>;
}

const VIA =
  /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]{1,16})\s+(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?:\s*:\s*([0-9]{1,5}))?\s*(;.*)?$/is;

/** The first hop of a `Via` value; null for what is none. */
export function parseVia(text: string): Via | null {
  const [first = ''] = text.split(',', 1);
  const match = first.length > 2048 ? null : VIA.exec(first.trim());
  if (!match) return null;
  const port = match[3] === undefined ? null : Number(match[3]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  return {
    protocol: match[1]!.toLowerCase(),
    host: match[2]!.replace(/^\[|\]$/g, '').toLowerCase(),
    port,
    parameters: readParameters(match[4] ?? ''),
  };
}
