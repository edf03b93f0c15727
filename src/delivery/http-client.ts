import type { IncomingHttpHeaders } from 'node:http';
import { errors, type Pool } from 'undici';
import type { Environment } from '../environment.js';

export interface Post {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds for the whole exchange, from the first byte sent to the last received. */
  readonly timeout: number;
  /** Most bytes of an answer's body that are read. */
  readonly maxAnswer: number;
}

export type Exchange =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      /** Null when it was longer than `maxAnswer`. */
      readonly body: string | null;
    }
  /** No whole answer came; `why` says in a few words, without anything that was sent. */
  | { readonly kind: 'none'; readonly why: string };

/** Sends one POST and waits for its whole answer. Follows no redirect. Rejects only on a defect of ours. */
export async function post(pool: Pool, request: Post, environment: Environment): Promise<Exchange> {
  const { path, headers, body, timeout, maxAnswer } = request;
  const controller = new AbortController();
  const timer = environment.after(timeout, () => controller.abort());
  try {
    const answer = await pool.request({ path, method: 'POST', headers, body, signal: controller.signal });
    return {
      kind: 'answer',
      status: answer.statusCode,
      headers: answer.headers,
      body: await readBounded(answer.body, maxAnswer),
    };
  } catch (error) {
    if (controller.signal.aborted) return { kind: 'none', why: `no answer within ${timeout} ms` };
    const why = describeNetworkError(error);
    if (why === null) throw error;
    return { kind: 'none', why };
  } finally {
    timer.cancel();
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>, max: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > max) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
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
