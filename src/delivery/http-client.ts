import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, errors, Pool } from 'undici';
import type { Environment } from '../environment.js';
import { createTurns } from './turns.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Null when it was longer than is read. */
  readonly body: string | null;
}

export type Exchange =
  | Answer
  /**
   * No whole answer came; `why` says in a few words, without anything that was sent. `sent`: the request was being
   * written, so that the other side may have it.
   */
  | { readonly kind: 'none'; readonly why: string; readonly sent: boolean };

export interface HttpClientOptions {
  readonly origin: string;
  /** Most connections at a time. */
  readonly connections: number;
  /** Milliseconds for a whole exchange, from its connection on. */
  readonly timeout: number;
  readonly environment: Environment;
  /** Most bytes of an answer's body that are read; 64 KiB when left out. */
  readonly maxAnswer?: number;
}

/** Exchanges with one origin, over a bounded pool of connections that are kept open. */
export interface HttpClient {
  /**
   * Sends one request and waits for its whole answer, in turn when all connections are busy; the caller bounds how
   * many wait. Follows no redirect, repeats nothing. Rejects only on a defect of ours.
   */
  send(request: HttpRequest): Promise<Exchange>;
  /** Takes nothing more; resolves after what is in flight, which its timeout bounds. */
  stop(): Promise<void>;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin, connections, timeout } = options;
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    // The whole exchange has one deadline, by the environment's clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout },
  });
  const inTurn = createTurns(connections);
  return {
    // A request's time runs from when it has a connection, or a long queue would look like a dead host.
    send: (request) => inTurn(() => exchange(pool, request, options)),
    stop: () => (pool.closed ? Promise.resolve() : pool.close()),
  };
}

function exchange(pool: Pool, request: HttpRequest, options: HttpClientOptions): Promise<Exchange> {
  const { environment, timeout, maxAnswer = 64 * 1024 } = options;
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let controller: Dispatcher.DispatchController | null = null;
    let ended = false;
    const end = (result: Exchange) => {
      ended = true;
      timer.cancel();
      resolve(result);
    };
    const answered = (body: string | null) => end({ kind: 'answer', status, headers, body });
    const timer = environment.after(timeout, () => {
      end({ kind: 'none', why: `no answer within ${timeout} ms`, sent: controller !== null });
      controller?.abort(new Error('timeout'));
    });
    pool.dispatch(request, {
      onRequestStart(started) {
        if (ended) started.abort(new Error('timeout'));
        else controller = started;
      },
      onResponseStart(_controller, code, received) {
        status = code;
        headers = received;
      },
      onResponseData(receiving, chunk) {
        size += chunk.length;
        if (size <= maxAnswer) chunks.push(chunk);
        else if (!ended) {
          answered(null);
          receiving.abort(new Error('too long'));
        }
      },
      onResponseEnd() {
        if (!ended) answered(Buffer.concat(chunks).toString('utf8'));
      },
      onResponseError(_controller, error) {
        if (ended) return;
        const why = describeNetworkError(error);
        if (why !== null) return end({ kind: 'none', why, sent: controller !== null });
        ended = true;
        timer.cancel();
        reject(error);
      },
    });
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed before the answer',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name could not be resolved',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EPROTO: 'no TLS spoken there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS spoken there',
  CERT_HAS_EXPIRED: 'TLS certificate expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS certificate is from an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS certificate is from an unknown authority',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'a TLS certificate of ours is asked for',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'our TLS certificate is refused: unknown authority',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'our TLS certificate is refused',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'our TLS certificate is refused: expired',
  UND_ERR_CLOSED: 'the client is stopped',
  UND_ERR_DESTROYED: 'the client is stopped',
};

/**
 * Why a connection failed, in a few words; null for an error that is not the network's. Error messages are not
 * used, since they may repeat what was sent.
 */
export function describeNetworkError(error: unknown): string | null {
  // Its code is sometimes absent.
  if (error instanceof errors.HTTPParserError) return 'the answer is not HTTP';
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || code === 'UND_ERR_INVALID_ARG' || code.startsWith('ERR_INVALID_'))
    return null;
  return WORDS[code] ?? `connection failed (${code.slice(0, 64)})`;
}
