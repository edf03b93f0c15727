import { createRequire } from 'node:module';

/** The functions that receivers check callbacks with, of the real SDK (which has no types of its own). */
interface PlivoSdk {
  /** @param signature as in the header; commas separate alternatives */
  validateV3Signature(
    method: 'POST' | 'GET',
    uri: string,
    nonce: string,
    authToken: string,
    signature: string,
    params?: Record<string, string>,
  ): boolean;
  validateSignature(uri: string, nonce: string, signature: string, authToken: string): boolean;
}

export const plivo = createRequire(import.meta.url)('plivo') as PlivoSdk;
