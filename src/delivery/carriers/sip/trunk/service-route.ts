import { listOf, type SipResponse } from '../message/message.js';
import { parseAddress, parseUri } from '../message/uri.js';

/** Most proxies that a registrar may have calls led through. */
const MAX_ROUTES = 8;
/** Most characters that they may add to each INVITE. */
const MAX_LENGTH = 2_048;

/**
 * The way that a registrar wants calls to take, in its order, for `Route` (RFC 3608 §6.1); empty when it wants none. One
 * that is too long, or that is no list of loose routers, is as none: a part of it would lead elsewhere.
 */
export function serviceRouteOf(response: SipResponse): readonly string[] {
  const values = listOf(response, 'service-route');
  const length = values.reduce((sum, value) => sum + value.length, 0);
  return values.length <= MAX_ROUTES && length <= MAX_LENGTH && values.every(isLoose) ? values : [];
}

function isLoose(value: string): boolean {
  const uri = value.includes('<') ? parseAddress(value)?.uri : undefined;
  return uri !== undefined && parseUri(uri)?.parameters.has('lr') === true;
}
