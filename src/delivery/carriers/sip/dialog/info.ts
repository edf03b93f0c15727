const KEY = /^[0-9A-D*#]$/i;

/**
 * The key press of a SIP INFO body: `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`). Null: malformed.
 * Neither is a standard; both are what gateways send.
 */
export function digitOf(contentType: string, body: string): string | null | 'unknown-type' {
  const type = contentType.toLowerCase().split(';')[0]!.trim();
  if (body.length > 1024) return null;
  let signal: string | undefined;
  if (type === 'application/dtmf-relay') signal = /^\s*signal\s*=\s*(\S{1,2})\s*$/im.exec(body)?.[1];
  else if (type === 'application/dtmf') signal = body.trim();
  else return 'unknown-type';
  if (signal === undefined) return null;
  // Some send the number of the event (RFC 4733 table 3) instead of the key.
  const key = signal === '10' ? '*' : signal === '11' ? '#' : signal;
  return KEY.test(key) ? key.toUpperCase() : null;
}
