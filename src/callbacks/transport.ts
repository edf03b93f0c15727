import { isIP, type Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { CallbackSettings } from '../config.js';
import type { Environment, Timer } from '../environment.js';
import { createGuard, type Guard, RefusedAddressError } from './guard.js';
import { guardedLookup, type Resolve, systemResolver } from './lookup.js';
import type { CallbackRequest } from './request.js';

/** How a try of a callback ended. Reasons are a few words without personal data. */
export type CallbackAnswer =
  /** A whole answer came; its body is not looked at. */
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'none'; readonly reason: string }
  /** Nothing was sent: the address is not one that callbacks may reach, and will not become one by waiting. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface CallbackTransport {
  /** Sends one request. Never rejects for what the other side did. */
  send(request: CallbackRequest): Promise<CallbackAnswer>;
  /** Ends every connection; what is still in flight gets no answer. */
  close(): Promise<void>;
}

export interface HttpTransportOptions {
  readonly environment: Environment;
  readonly settings: CallbackSettings;
  /** Networks, addresses and host names that may be reached although they are private. */
  readonly allow: readonly string[];
  /** How host names become addresses; by default as the operating system does it. */
  readonly resolve?: Resolve;
}

/** The whole exchange, from the look-up of the host to the last byte of the answer, in milliseconds (contract §6). */
export const EXCHANGE_TIMEOUT = 5_000;
/** Bytes of an answer's body that are read to keep its connection; a longer one costs the connection. */
const MAX_ANSWER_BODY = 64 * 1024;
/** Idle connections are let go soon: many servers close theirs after a few seconds, just as the next call goes out. */
const KEEP_ALIVE = 1_000;

/**
 * Sends callbacks over pooled HTTP/1.1 connections. Follows no redirect, uses no proxy, verifies certificates,
 * and connects only where the guard permits.
 */
export function createHttpTransport(options: HttpTransportOptions): CallbackTransport {
  const { environment, settings, allow, resolve = systemResolver() } = options;
  const connecting = new Set<Socket>();
  const agent = new Agent({
    connections: settings.perHost,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    // The deadline below covers both, and is the environment's.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: guardedConnector(createGuard(allow), resolve, connecting),
  });
  return {
    send: (request) => exchange(agent, request, environment),
    close: () => {
      const destroyed = agent.destroy();
      // The agent would wait for these until their time is over.
      for (const socket of connecting) socket.destroy(new Error('stopped'));
      return destroyed;
    },
  };
}

/**
 * Makes connections that the guard permits. The look-up is not asked about a host that is an address already, so
 * that is checked here.
 * @param connecting holds the sockets that are not connected yet
 */
function guardedConnector(guard: Guard, resolve: Resolve, connecting: Set<Socket>): buildConnector.connector {
  // Its type hides that it returns the socket, on which undici itself relies.
  const connect = buildConnector({
    timeout: EXCHANGE_TIMEOUT,
    rejectUnauthorized: true,
    lookup: guardedLookup(guard, resolve),
  }) as (...of: Parameters<buildConnector.connector>) => Socket;
  return (target, callback) => {
    if (isIP(target.hostname) && !guard.permits(target.hostname)) {
      return callback(new RefusedAddressError(), null);
    }
    const socket = connect(target, (...result: Parameters<buildConnector.Callback>) => {
      connecting.delete(socket);
      callback(...result);
    });
    connecting.add(socket);
  };
}

/** One exchange, ended by its deadline: an abort alone takes no effect before there is a connection. */
async function exchange(
  agent: Agent,
  request: CallbackRequest,
  environment: Environment,
): Promise<CallbackAnswer> {
  const controller = new AbortController();
  let deadline: Timer | undefined;
  const late = new Promise<CallbackAnswer>((resolve) => {
    deadline = environment.after(EXCHANGE_TIMEOUT, () => {
      controller.abort();
      resolve({ kind: 'none', reason: `no whole answer within ${EXCHANGE_TIMEOUT / 1000} s` });
    });
  });
  try {
    return await Promise.race([ask(agent, request, controller.signal), late]);
  } finally {
    deadline?.cancel();
  }
}

async function ask(agent: Agent, request: CallbackRequest, signal: AbortSignal): Promise<CallbackAnswer> {
  const { origin, pathname, search } = new URL(request.url);
  const { method, headers } = request;
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers,
      body: request.body,
      signal,
    });
    await discard(body);
    return { kind: 'status', status: statusCode };
  } catch (error) {
    if (error instanceof RefusedAddressError) return { kind: 'refused', reason: error.message };
    return { kind: 'none', reason: reasonOf(error) };
  }
}

/** Reads a body to its end, so that its connection can be used again; leaving the loop early closes it. */
async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BODY) return;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed without an answer',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name could not be looked up',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EPROTO: 'no TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS there',
  CERT_HAS_EXPIRED: 'certificate expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown authority',
  UND_ERR_HEADERS_OVERFLOW: 'answer with too many headers',
  UND_ERR_DESTROYED: 'stopped while waiting for the answer',
};

/** By the error's code only: a message may repeat what was sent. */
function reasonOf(error: unknown): string {
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === 'HTTPParserError') return 'the answer is not HTTP';
  return REASONS[String(code)] ?? `no answer (${String(code ?? name).slice(0, 64)})`;
}
