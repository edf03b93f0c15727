/**
 * A UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits.
 * @param now milliseconds since 1970
 * @param random 10 random bytes
 */
export function uuidv7(now: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

/** The lowest UUIDv7 of a millisecond: a bound for key ranges. */
export function uuidFloor(now: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(0, now), 0, 6);
  return format(bytes);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
