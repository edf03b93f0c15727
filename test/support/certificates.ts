import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its private key, both in PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** Issues certificates that hold for an hour. */
export interface Authority {
  /** Its own certificate, in PEM: what those who trust it are given. */
  readonly cert: string;
  /** A certificate for names and IP addresses, for servers and clients alike; the first is its common name. */
  issue(...names: readonly string[]): Certified;
}

/** A certificate authority of a test's own (X.509 v3, RFC 5280 §4.1). */
export function createAuthority(commonName = 'Test authority'): Authority {
  const own = keyPair();
  const issuer = nameOf(commonName);
  const certify = (subject: Buffer, publicKey: KeyObject, extensions: readonly Buffer[]) =>
    pem(certificate({ issuer, subject, publicKey, signedBy: own.privateKey, extensions }));
  // RFC 5280 §4.2.1.9: cA is true.
  const isAuthority = extension(0x13, true, sequence(element(0x01, Buffer.from([0xff]))));
  return {
    cert: certify(issuer, own.publicKey, [isAuthority]),
    issue: (...names) => {
      const { publicKey, privateKey } = keyPair();
      return {
        cert: certify(nameOf(names[0] ?? ''), publicKey, [extension(0x11, false, alternativeNames(names))]),
        key: pemOf(privateKey),
      };
    },
  };
}

/** A key and a certificate for `localhost` that no authority has signed. */
export function selfSigned(): Certified {
  const { publicKey, privateKey } = keyPair();
  const name = nameOf('localhost');
  const cert = certificate({ issuer: name, subject: name, publicKey, signedBy: privateKey, extensions: [] });
  return { key: pemOf(privateKey), cert: pem(cert) };
}

function certificate(of: {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signedBy: KeyObject;
  readonly extensions: readonly Buffer[];
}): Buffer {
  const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const hasExtensions = of.extensions.length > 0;
  const toSign = sequence(
    // Version 3 is needed for extensions, and those for it.
    ...(hasExtensions ? [element(0xa0, element(0x02, Buffer.from([2])))] : []),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    of.issuer,
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 3_600_000)),
    of.subject,
    of.publicKey.export({ type: 'spki', format: 'der' }),
    ...(hasExtensions ? [element(0xa3, sequence(...of.extensions))] : []),
  );
  const signature = element(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toSign, of.signedBy)]));
  return sequence(toSign, ecdsaWithSha256, signature);
}

function keyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function nameOf(commonName: string): Buffer {
  const attribute = sequence(objectId(0x55, 0x04, 0x03), element(0x0c, Buffer.from(commonName)));
  return sequence(element(0x31, attribute));
}

/** RFC 5280 §4.2.1.6: names as dNSName, IPv4 addresses as iPAddress. */
function alternativeNames(names: readonly string[]): Buffer {
  return sequence(
    ...names.map((name) =>
      isIP(name) === 4
        ? element(0x87, Buffer.from(name.split('.').map(Number)))
        : element(0x82, Buffer.from(name)),
    ),
  );
}

/** An extension of the arc id-ce (2.5.29). */
function extension(id: number, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [element(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(0x55, 0x1d, id), ...critical, element(0x04, value));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A DER element (ITU-T X.690 §8.1). */
function element(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function objectId(...bytes: number[]): Buffer {
  return element(0x06, Buffer.from(bytes));
}

function time(millis: number): Buffer {
  const digits = new Date(millis).toISOString().replace(/[-:T]|\.\d+/g, '');
  return element(0x17, Buffer.from(digits.slice(2)));
}
