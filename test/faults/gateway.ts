import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A server of the test's own, by its address. */
export interface Listening {
  readonly port: number;
  readonly url: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** A server on a free port of 127.0.0.1 that is gone when the test is over. */
export async function listen(handler: Handler): Promise<Listening> {
  const server = createServer((request, response) => {
    // A client that is killed amid its request is no fault of this server.
    Promise.resolve(handler(request, response)).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}` };
}

/** What a gateway was asked to send. */
export interface Message {
  readonly hop_id: string;
  readonly attempt_uuid: string;
  readonly session_uuid: string;
  readonly recipient: string;
  readonly code: string;
}

export interface Gateway extends Listening {
  /** Every request that came whole, repeats included. */
  readonly messages: readonly Message[];
  /** Attempts by id, each with the code that it carried. */
  readonly attempts: ReadonlyMap<string, Message>;
  /** How often a message came, by hop. */
  timesSent(hop: string): number;
  /** Attempts whose code was another than the one before of its session, or whose key was not its hop's id. */
  readonly faults: readonly string[];
}

export const SECRET = 'the-bearer-secret-of-the-gateway';

/**
 * An in-house gateway that a `webhook` carrier delivers to.
 * @param answer what it does with a message that it took; by default it answers 200
 */
export async function startGateway(
  answer: (message: Message, response: ServerResponse) => Promise<void> | void = take,
): Promise<Gateway> {
  const messages: Message[] = [];
  const attempts = new Map<string, Message>();
  const codes = new Map<string, string>();
  const times = new Map<string, number>();
  const faults: string[] = [];
  const listening = await listen(async (request, response) => {
    const message = (await json(request)) as Message;
    const { hop_id, attempt_uuid, session_uuid, code } = message;
    messages.push(message);
    attempts.set(attempt_uuid, message);
    times.set(hop_id, (times.get(hop_id) ?? 0) + 1);
    if (request.headers['idempotency-key'] !== hop_id) faults.push(`the key of ${hop_id}`);
    if ((codes.get(session_uuid) ?? code) !== code) faults.push(`the code of ${session_uuid}`);
    codes.set(session_uuid, code);
    await answer(message, response);
  });
  return { ...listening, messages, attempts, timesSent: (hop) => times.get(hop) ?? 0, faults };
}

/** Answers as a gateway that took the message. */
export function take(message: Message, response: ServerResponse): void {
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ message_id: `m-${message.hop_id}` }));
}

/** Tells a server what became of a message. Resolves to whether it was recorded. */
export async function sendReceipt(
  url: string,
  carrier: string,
  hop: string,
  status: string,
): Promise<boolean> {
  const answer = await fetch(`${url}/carriers/${carrier}/receipts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ hop_id: hop, status }),
  });
  await answer.arrayBuffer();
  return answer.status === 200;
}

/** The `carriers:` entry of a gateway. */
export function carrierOf(name: string, url: string, settings = ''): string {
  return `  ${name}: {type: webhook, url: "${url}/send", secret: "${SECRET}"${settings}}\n`;
}

/** A callback as the customer's server got it. */
export interface Called {
  readonly attempt: string;
  readonly status: string;
  readonly body: string;
}

/** A customer's server that takes every callback and keeps them in the order of their arrival. */
export async function startCustomer(): Promise<Listening & { readonly calls: readonly Called[] }> {
  const calls: Called[] = [];
  const listening = await listen(async (request, response) => {
    const body = await text(request);
    const fields = new URLSearchParams(body);
    calls.push({ attempt: fields.get('AttemptUUID')!, status: fields.get('ChannelStatus')!, body });
    response.writeHead(204).end();
  });
  return { ...listening, calls };
}

/** Statuses of callbacks by attempt, in the order of their first arrival, and what is wrong with the others. */
export function orderOf(calls: readonly Called[]): {
  readonly byAttempt: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly string[];
} {
  const byAttempt = new Map<string, string[]>();
  const bodies = new Map<string, string>();
  const faults: string[] = [];
  for (const { attempt, status, body } of calls) {
    const key = `${attempt} ${status}`;
    const seen = byAttempt.get(attempt) ?? [];
    byAttempt.set(attempt, seen);
    if (!bodies.has(key)) seen.push(status);
    else if (seen.at(-1) !== status) faults.push(`a repeat out of order: ${key}`);
    else if (bodies.get(key) !== body) faults.push(`a repeat with another content: ${key}`);
    bodies.set(key, body);
  }
  return { byAttempt, faults };
}
