import type { Environment } from '../environment.js';

/** A fresh UUIDv4 (RFC 9562 §5.4): the `api_id` of one request (contract §1). */
export function newApiId(environment: Environment): string {
  const random = environment.randomBytes(16);
  const bytes = Buffer.from(random.buffer, random.byteOffset, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
