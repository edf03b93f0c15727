import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemEnvironment } from '../../../environment.js';
import type { Finding } from '../../carrier.js';
import { describeNetworkError } from '../../http-client.js';
import { readSettings, type WebhookSettings } from './settings.js';

/** Resolves the URL's host, connects and (https) checks its certificate. Sends no message. */
export async function checkWebhook(settings: WebhookSettings): Promise<Finding[]> {
  const { url, timeout } = readSettings(settings);
  return checkConnection(url, timeout);
}

/** @param timeout milliseconds */
export async function checkConnection(url: URL, timeout: number): Promise<Finding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 80));
  const place = `the gateway at ${url.hostname}:${port}`;
  const refusal = await tryConnection({ host, port, secure, timeout });
  if (refusal !== null) {
    const mend = refusal.startsWith('TLS certificate')
      ? 'renew it, or trust its authority with NODE_EXTRA_CA_CERTS'
      : 'check url, and that the gateway runs';
    return [{ ok: false, text: `${place} cannot be reached: ${refusal}; ${mend}` }];
  }
  const privacy = secure ? 'with a valid TLS certificate' : 'over plain HTTP: codes travel unencrypted';
  return [{ ok: true, text: `${place} accepts connections, ${privacy}` }];
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly timeout: number;
}

/** Why no connection came about; null when one did. */
function tryConnection({ host, port, secure, timeout }: Target): Promise<string | null> {
  return new Promise((resolve) => {
    // RFC 6066 §3: an address is no server name.
    const servername = isIP(host) ? '' : host;
    const socket: Socket = secure ? connectTls({ host, port, servername }) : connectPlain({ host, port });
    const end = (result: string | null) => {
      timer.cancel();
      socket.destroy();
      resolve(result);
    };
    const timer = systemEnvironment.after(timeout, () => end(`no connection within ${timeout} ms`));
    socket.once(secure ? 'secureConnect' : 'connect', () => end(null));
    socket.on('error', (error) => end(describeNetworkError(error) ?? error.name));
    socket.once('close', () => end('connection closed'));
  });
}
