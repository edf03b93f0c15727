import type { Environment } from '../../../environment.js';
import type { Protocol } from './message/uri.js';
import type { ReadSettings } from './settings.js';
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

/** The protocols that the trunks may need: what DNS chooses can be any. */
function protocolsOf({ trunks }: ReadSettings): ReadonlySet<Protocol> {
  return new Set(
    trunks.flatMap(({ protocol }) => (protocol === null ? (['udp', 'tcp', 'tls'] as const) : [protocol])),
  );
}
