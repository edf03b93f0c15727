import type { OutboundMessage } from '../../carrier.js';

/** The sender of a message: the caller's, else the route's, else the carrier's own. Null: none at all. */
export function senderOf({ src, sender }: OutboundMessage, from: string | undefined): string | null {
  return src ?? sender ?? from ?? null;
}

/** A sender for APIs that want `+` before E.164 numbers. Short codes and names stay as they are. */
export function withPlus(sender: string): string {
  return /^[0-9]{7,15}$/.test(sender) ? `+${sender}` : sender;
}

/** A sender for APIs that want E.164 numbers without `+`. */
export function withoutPlus(sender: string): string {
  return /^\+[0-9]{3,15}$/.test(sender) ? sender.slice(1) : sender;
}

/** Whether a sender is a number, a short code included, rather than a name. */
export function isNumber(sender: string): boolean {
  return /^\+?[0-9]{3,15}$/.test(sender);
}

/** Seconds until the code is worth nothing, within what the provider takes. */
export function secondsLeft(
  { expiresAt }: OutboundMessage,
  now: number,
  least: number,
  most: number,
): number {
  return Math.min(Math.max(Math.ceil((expiresAt - now) / 1000), least), most);
}

/** `application/x-www-form-urlencoded`; what is null or undefined is left out. */
export function form(fields: Readonly<Record<string, string | null | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) parameters.append(name, value);
  }
  return parameters.toString();
}

export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
