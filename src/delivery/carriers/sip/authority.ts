import { createHash, X509Certificate } from 'node:crypto';
import { SettingsError } from '../../settings-error.js';

/** Whom one trunk's certificate may be of, besides the well-known authorities. */
export interface TrunkAuthority {
  /** Tells authorities apart, and is no secret. */
  readonly id: string;
  /** One certificate or several, in PEM. */
  readonly certificates: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads the certificates of an authority.
 * @param path the setting's place, for errors
 * @throws SettingsError for what is no certificate
 */
export function readAuthority(path: string, text: string): TrunkAuthority {
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new SettingsError(path, 'expected a certificate in PEM, or several one after the other');
  }
  const joined = certificates.join('\n');
  return { id: createHash('sha256').update(joined).digest('hex'), certificates: joined };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
