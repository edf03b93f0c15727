import { createHash, createHmac } from 'node:crypto';

/** RFC 7519 with HS256, from the specification. */
export function jsonWebToken(
  claims: Record<string, unknown>,
  secret: string,
  header = { typ: 'JWT', alg: 'HS256' },
) {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
