import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Environment } from '../../../environment.js';
import { describeNetworkError } from '../../http-client.js';
import type { ConnectionSettings } from './settings.js';

/** Why there is no connection, in a few words that hold nothing secret. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/**
 * Connects over TCP, or TLS with the certificate checked as configured.
 * @throws ConnectError also when `signal` aborts
 */
export function openSocket(
  settings: ConnectionSettings,
  environment: Environment,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port, tls, connectTimeout } = settings;
  return new Promise((resolve, reject) => {
    // RFC 6066 §3: an address is no server name.
    const servername = tls?.servername ?? (isIP(host) ? '' : host);
    let socket: Socket;
    try {
      socket = tls ? connectTls({ ...tls, host, port, servername }) : connectPlain({ host, port });
    } catch {
      reject(new ConnectError('tls: ca, cert or key cannot be read; expected PEM'));
      return;
    }
    const settle = (why: string | null) => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners();
      // Errors of a socket that nobody listens to would end the process.
      socket.on('error', () => {});
      if (why === null) {
        resolve(socket);
      } else {
        socket.destroy();
        reject(new ConnectError(why));
      }
    };
    const abort = () => settle('stopped');
    const timer = environment.after(connectTimeout, () =>
      settle(`no connection within ${connectTimeout} ms`),
    );
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    socket.once(tls ? 'secureConnect' : 'connect', () => settle(null));
    socket.once('error', (error) => settle(describeNetworkError(error) ?? error.name));
    socket.once('close', () => settle('connection closed'));
  });
}
