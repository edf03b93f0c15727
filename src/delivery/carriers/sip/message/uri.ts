import { isIP } from 'node:net';

export type Protocol = 'udp' | 'tcp' | 'tls';

/** A `sip:` or `sips:` URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly secure: boolean;
  /** User part as written, '' when there is none. */
  readonly user: string;
  /** A host name in lower case, or an IP address without brackets. */
  readonly host: string;
  readonly port: number | null;
  /** Parameters by name in lower case; '' for one without a value. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** An address of `From`, `To`, `Contact`, `Route` …: display name, URI, and the parameters outside of it. */
export interface SipAddress {
  readonly uri: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const URI =
  /^(sips?):(?:([^@\s<>"]{0,256})@)?(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?((?:;[^;?\s<>"]{1,512}){0,32})(?:\?[^\s<>"]{0,1024})?$/i;

/** Null for what is no SIP URI. */
export function parseUri(text: string): SipUri | null {
  if (text.length > 2048) return null;
  const match = URI.exec(text);
  if (!match) return null;
  const [, scheme, user, hostText, portText, rest] = match;
  const host = hostText!.replace(/^\[|\]$/g, '').toLowerCase();
  if (hostText!.startsWith('[') && isIP(host) !== 6) return null;
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  return {
    secure: scheme!.toLowerCase() === 'sips',
    user: (user ?? '').replace(/:.*$/s, ''),
    host,
    port,
    parameters: readParameters(rest ?? ''),
  };
}

/** Null for what is no address. A URI without angle brackets takes no parameters of its own (RFC 3261 §20). */
export function parseAddress(text: string): SipAddress | null {
  if (text.length > 8192) return null;
  const open = openingBracket(text);
  if (open < 0) {
    const semicolon = text.indexOf(';');
    const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
    if (!/^[A-Za-z][A-Za-z0-9+.-]{0,31}:[^\s<>"]{1,2048}$/.test(uri)) return null;
    return { uri, parameters: readParameters(semicolon < 0 ? '' : text.slice(semicolon)) };
  }
  const close = text.indexOf('>', open);
  if (close < 0) return null;
  const uri = text.slice(open + 1, close).trim();
  if (!/^[A-Za-z][A-Za-z0-9+.-]{0,31}:[^\s<>"]{1,2048}$/.test(uri)) return null;
  return { uri, parameters: readParameters(text.slice(close + 1)) };
}

/** The `tag` of a `From` or `To`; '' when it has none. */
export function tagOf(address: string | null): string {
  return (address && parseAddress(address)?.parameters.get('tag')) || '';
}

/** `host:port` as it is written in URIs and `Via`, with brackets around IPv6. */
export function hostPort(host: string, port: number | null): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}

/** Past a quoted display name. */
function openingBracket(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (character === '<' && !quoted) return at;
  }
  return -1;
}

/** `;name=value;name`, values with or without quotes; at most 32. */
export function readParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  // RFC 3261 §25.1: a parameter of a URI may have more characters in its name than one outside.
  const part =
    /;\s*([A-Za-z0-9.!%*_+`'~[\]/:&$-]{1,64})\s*(?:=\s*("(?:[^"\\]|\\.){0,512}"|[^;,\s"]{0,512}))?/y;
  for (let match = part.exec(text); match && parameters.size < 32; match = part.exec(text)) {
    const value = match[2] ?? '';
    const bare = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
    if (!parameters.has(match[1]!.toLowerCase())) parameters.set(match[1]!.toLowerCase(), bare);
    while (text[part.lastIndex] === ' ') part.lastIndex++;
  }
  return parameters;
}
