import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { stopAfter } from '../support/stops.js';
import { eventually } from '../support/virtual-time.js';

/** A request as a customer's server sees it. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly parameters: Record<string, string>;
}

type Answer = (response: ServerResponse, request: Received) => void;

/** A server on a free port of 127.0.0.1 that counts who connects; closed after the test. */
export class Listening {
  readonly #server: NetServer;
  readonly #sockets = new Set<Socket>();
  #isKept = false;
  connections = 0;

  constructor(server: NetServer) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
    stopAfter('test', () => (this.#isKept ? undefined : this.close()));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Leaves it open until the tests of the file are over. */
  keep(): void {
    this.#isKept = true;
    stopAfter('file', () => this.close());
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function listen(server: NetServer, host = '127.0.0.1'): Promise<Listening> {
  const listening = new Listening(server);
  server.listen(0, host);
  await once(server, 'listening');
  return listening;
}

/** A customer's HTTP server; answers 204 unless told otherwise. */
export class Receiver {
  readonly requests: Received[] = [];
  answer: Answer = (response) => response.writeHead(204).end();
  #listening: Listening | null = null;

  async start(host?: string, make: (listener: RequestListener) => Server = createServer): Promise<this> {
    const server = make(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const query = new URL(request.url!, 'http://any').searchParams;
      const parameters = request.method === 'GET' ? query : new URLSearchParams(body);
      const received = {
        method: request.method!,
        path: request.url!,
        headers: request.headers,
        body,
        parameters: Object.fromEntries(parameters),
      };
      this.requests.push(received);
      this.answer(response, received);
    });
    this.#listening = await listen(server, host);
    return this;
  }

  /** Leaves it open until the tests of the file are over. */
  keep(): this {
    this.#listening!.keep();
    return this;
  }

  get port(): number {
    return this.#listening!.port;
  }

  get connections(): number {
    return this.#listening!.connections;
  }

  url(path = '/status'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async receives(count: number): Promise<void> {
    await eventually(`${count} requests, ${this.requests.length} came`, () => this.requests.length >= count);
  }
}
