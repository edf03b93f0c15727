import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

export interface MetricsServer {
  /** Where it listens, such as `http://127.0.0.1:9464`. */
  readonly url: string;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

/** The address for metrics cannot be had. The message names the variable and says what to do. */
export class MetricsAddressError extends Error {}

/**
 * Serves `GET /metrics` in Prometheus' text format on an address of its own, away from the API's; everything else
 * is 404. Port 0 takes any free one.
 * @throws MetricsAddressError
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'registry'>,
  address: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('only GET /metrics is here\n');
      return;
    }
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500, { 'Content-Type': 'text/plain' }).end('metrics cannot be read now\n'),
    );
  });
  await new Promise<void>((resolve, reject) => {
    // Once it listens, a connection that cannot be accepted (no file descriptor left) concerns nobody else.
    server.on('error', (error) => reject(describe(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  const { address: host, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describe(
  error: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
): MetricsAddressError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'is in use by another program; set another address'
      : `cannot be listened on (${error.code}); set an address of this machine and a port that is allowed`;
  return new MetricsAddressError(`COUNTERSIGN_METRICS_ADDRESS: ${host}:${port} ${why}`, { cause: error });
}
