import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { SettingsError } from '../../settings-error.js';

/** What we show to a trunk that asks who connects (mutual TLS). */
export interface ClientIdentity {
  /** Fingerprint of the certificate: tells identities apart, and is no secret. */
  readonly id: string;
  /** The certificate and those between it and its authority, in PEM. */
  readonly certificate: string;
  /** In PEM. Never logged. */
  readonly key: string;
}

/**
 * Reads a certificate and its private key.
 * @param path the trunk's place in the settings, for errors
 * @throws SettingsError for what is no certificate or key, or for a key of another certificate; tells neither
 */
export function readIdentity(path: string, certificate: string, key: string): ClientIdentity {
  const own = readCertificate(`${path}.certificate`, certificate);
  if (!own.checkPrivateKey(readKey(`${path}.key`, key))) {
    throw new SettingsError(`${path}.key`, 'expected the private key of the first certificate beside it');
  }
  return { id: own.fingerprint256, certificate, key };
}

function readCertificate(path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new SettingsError(path, 'expected a certificate in PEM, the own one first');
  }
}

function readKey(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new SettingsError(path, 'expected a private key in PEM, without a passphrase');
  }
}
