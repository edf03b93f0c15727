const BYTES = 32;

/** 32 bytes written as 64 hexadecimal digits, base64 or base64url (RFC 4648), padding optional; or null. */
export function parseKeyText(text: string): Uint8Array | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return new Uint8Array(Buffer.from(text, 'hex'));
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  // Node's decoder takes either alphabet.
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === BYTES ? new Uint8Array(bytes) : null;
}
