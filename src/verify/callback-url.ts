export const MAX_URL_LENGTH = 2048;

export type UrlCheck =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly why: string };

/** What a URL parser would mend instead of refusing: control characters, missing slashes, backslashes for slashes. */
const WELL_FORMED = /^https?:\/\/[^/?#\\]+(?:[/?#]|$)/i;
const MENDED = /^ | $|\p{Cc}/u;

/**
 * A callback URL as it is stored, called and signed (contract §6): absolute, http or https, host in lower case,
 * default port dropped, an empty path made `/`, percent-encoded paths kept as they are.
 */
export function normaliseCallbackUrl(text: string): UrlCheck {
  if (text.length > MAX_URL_LENGTH) return refuse(`is longer than ${MAX_URL_LENGTH} characters`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse('is not an absolute http or https URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refuse('is not an http or https URL');
  if (MENDED.test(text) || !WELL_FORMED.test(text)) return refuse('is not an absolute http or https URL');
  if (text.split(/[/?#]/)[2]?.includes('@')) return refuse('contains user information');
  if (text.includes('#')) return refuse('contains a fragment');
  const names = [...url.searchParams.keys()];
  if (new Set(names).size !== names.length) return refuse('names a query parameter twice');
  if (url.href.length > MAX_URL_LENGTH) return refuse(`is longer than ${MAX_URL_LENGTH} characters`);
  return { ok: true, url: url.href };
}

/** `host:port` of a normalised URL, the default port written out: callbacks to one server share its limits. */
export function callbackHost(normalised: string): string {
  const { protocol, hostname, port } = new URL(normalised);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function refuse(why: string): UrlCheck {
  return { ok: false, why };
}
