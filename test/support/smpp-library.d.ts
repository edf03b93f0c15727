/** What tests use of the npm package `smpp` besides what the carrier does: its server side and its codec. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:net';
  import type { Duplex } from 'node:stream';

  export interface LibraryPdu {
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    // biome-ignore lint/suspicious/noExplicitAny: fields depend on the command and have no static type
    readonly [field: string]: any;
    response(options?: object): LibraryPdu;
    toBuffer(): Buffer;
  }

  export interface Session extends EventEmitter {
    readonly socket: Duplex & { readonly remotePort: number; destroy(): void; resetAndDestroy(): void };
    send(pdu: LibraryPdu): boolean;
    close(): void;
    destroy(): void;
    // biome-ignore lint/suspicious/noExplicitAny: options depend on the command
    readonly [command: string]: any;
  }

  export interface Library {
    readonly PDU: new (command: string | Buffer, options?: object) => LibraryPdu;
    readonly encodings: Readonly<Record<string, { encode(text: string): Buffer }>>;
    createServer(options: object, listener: (session: Session) => void): Server;
    connect(options: object, listener?: () => void): Session;
  }
}
