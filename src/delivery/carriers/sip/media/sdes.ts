/** The suites that we speak (RFC 4568 §6.2), the stronger first. They differ in the length of SRTP's tag only. */
export const SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
export type Suite = (typeof SUITES)[number];

/** Bytes of a master key and its salt together (RFC 3711 §8.2). */
export const KEY_SIZE = 30;

export interface CryptoLine {
  readonly tag: number;
  readonly suite: Suite;
  /** Master key (16 bytes) and salt (14). */
  readonly key: Uint8Array;
}

/** The value of an `a=crypto` line as sdp-transform splits it. */
interface Attribute {
  readonly id: unknown;
  readonly suite: unknown;
  readonly config: unknown;
  readonly sessionConfig?: unknown;
}

/**
 * One `a=crypto` attribute of a peer. Null for suites, several keys, master key identifiers and session parameters
 * that we do not speak: such a line is skipped (RFC 4568 §7.1.1). The lifetime is not minded: no call sends 2^31 packets.
 */
export function readCrypto({ id, suite, config, sessionConfig }: Attribute): CryptoLine | null {
  const known = SUITES.find((each) => each === suite);
  if (!known || typeof id !== 'number' || id < 1 || id > 999_999_999 || sessionConfig) return null;
  const match = /^inline:([A-Za-z0-9+/]{40})(?:\|(?:2\^\d{1,2}|\d{1,15}))?$/.exec(String(config));
  if (!match) return null;
  return { tag: id, suite: known, key: Uint8Array.from(Buffer.from(match[1]!, 'base64')) };
}

/** An attribute to be written into SDP. It holds the key. */
export function writeCrypto({ tag, suite, key }: CryptoLine): { id: number; suite: string; config: string } {
  return { id: tag, suite, config: `inline:${Buffer.from(key).toString('base64')}` };
}
