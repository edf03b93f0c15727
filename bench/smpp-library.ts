import { createRequire } from 'node:module';

/** What the bench uses of the npm package `smpp`, both sides of it, as it comes. */
export interface Pdu {
  readonly command_status: number;
  readonly source_addr: unknown;
  readonly destination_addr: unknown;
  response(fields?: Readonly<Record<string, unknown>>): Pdu;
}

export interface Session {
  on(event: string, listener: (pdu: Pdu) => void): void;
  send(pdu: Pdu): boolean;
  close(): void;
  bind_transceiver(fields: Readonly<Record<string, unknown>>, answered: (pdu: Pdu) => void): void;
  submit_sm(fields: Readonly<Record<string, unknown>>, answered: (pdu: Pdu) => void): void;
  deliver_sm(fields: Readonly<Record<string, unknown>>, answered: (pdu: Pdu) => void): void;
}

interface Server {
  listen(port: number, host: string, listening: () => void): void;
  address(): { readonly port: number } | null;
}

interface Library {
  createServer(accept: (session: Session) => void): Server;
  connect(options: { readonly url: string }, connected: () => void): Session;
}

export const { createServer, connect } = createRequire(import.meta.url)('smpp') as Library;
