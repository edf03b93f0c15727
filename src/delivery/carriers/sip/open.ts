import type { Environment } from '../../../environment.js';
import type { Binding } from '../../carrier.js';
import type { Protocol } from './message/uri.js';
import type { ReadSettings, SipSettings } from './settings.js';
import { openSockets } from './transport/sockets.js';
import type { Transport } from './transport/transport.js';

/** Milliseconds between two keep-alives on a connection (RFC 5626 §4.4.1). */
const CONNECTION_KEEP_ALIVE = 30_000;

/** Real sockets, as the settings want them. */
export function openReal(settings: ReadSettings, environment: Environment): Promise<Transport> {
  const { bind, port, responseTimeout, trunks } = settings;
  return openSockets({
    environment,
    bind,
    port,
    protocols: protocolsOf(settings),
    connectTimeout: responseTimeout,
    keepAlive: CONNECTION_KEEP_ALIVE,
    authorities: trunks.flatMap(({ authority }) => authority ?? []),
    identities: trunks.flatMap(({ identity }) => identity ?? []),
  });
}

/** What such a carrier listens on; null where all its trunks are called over TLS, or the port is any free one. */
export function bindingOf({ bind = '0.0.0.0', port = 5060, trunks }: SipSettings): Binding | null {
  const used = new Set(trunks.flatMap(({ transport }) => transport ?? (['udp', 'tcp'] as const)));
  const protocols = (['udp', 'tcp'] as const).filter((protocol) => used.has(protocol));
  return port === 0 || protocols.length === 0 ? null : { address: bind, port, protocols };
}

const BINDING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program or carrier has it: set port to a free one',
  EADDRNOTAVAIL: 'bind is no address of this machine',
  EACCES: 'this user may not have it: set port to one from 1024 on',
};

/** Why the sockets could not be opened, and what to do. */
export function describeBindFailure({ bind, port }: ReadSettings, error: unknown): string {
  const { code } = error as { code?: unknown };
  const known = typeof code === 'string' ? (BINDING[code] ?? code) : 'defect';
  return `port ${port} of ${bind} cannot be used: ${known}`;
}

/** The protocols that the trunks may need: what DNS chooses can be any. */
function protocolsOf({ trunks }: ReadSettings): ReadonlySet<Protocol> {
  return new Set(
    trunks.flatMap(({ protocol }) => (protocol === null ? (['udp', 'tcp', 'tls'] as const) : [protocol])),
  );
}
