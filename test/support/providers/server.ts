import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request as a provider gets it. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string as it is, anything else as JSON. */
  readonly body: unknown;
}

/** What a provider sends to a URL of ours. */
export interface Push {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What became of a message, in the provider's own words. */
export interface Fate {
  readonly messageId: string;
  readonly hopId: string;
  /** The provider's status and error code. */
  readonly status: string;
  readonly error?: string;
}

/** A stand-in for a provider's API, made after its public documentation and sharing no code with the carrier. */
export interface ProviderStub {
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where receipts go. */
  readonly receipts: 'each hop has its own address' | 'one address';
  /** Checks a request as the provider does, and answers it as the provider does. */
  answer(request: Received): Reply;
  /** How the provider says that the recipient is no valid number. */
  readonly invalidRecipient: Reply;
  /** How the provider says that the credentials are wrong. */
  readonly unauthorized: Reply;
  /** A signed receipt; the time in UTC milliseconds. Absent: the provider has none. */
  receipt?(url: string, fate: Fate, now: number): Push;
  readonly delivered?: string;
  /** A signed inbound message. */
  inbound?(url: string, message: { from: string; to: string; text: string }, now: number): Push;
}

/** Serves a provider at a port of its own until the test ends; keeps what it received. */
export async function serveProvider(
  answer: (request: Received) => Reply,
): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: await text(request) };
    received.push(one);
    const reply = answer(one);
    const isText = typeof reply.body === 'string';
    response
      .writeHead(reply.status, {
        'content-type': isText ? 'text/plain' : 'application/json',
        ...reply.headers,
      })
      .end(isText ? reply.body : JSON.stringify(reply.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The body's parameters; null when it is no form. */
export function formBody({ headers, body }: Received): Map<string, string> | null {
  if (headers['content-type'] !== 'application/x-www-form-urlencoded') return null;
  return new Map(new URLSearchParams(body));
}

/** The body's fields; null when it is no JSON object. */
export function jsonBody({ headers, body }: Received): Record<string, unknown> | null {
  if (headers['content-type'] !== 'application/json') return null;
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
