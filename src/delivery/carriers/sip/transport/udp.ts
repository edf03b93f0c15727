import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { type Peer, plainAddress, type Receiver } from './transport.js';

/** RFC 5626 §4.4.1 and what NAT boxes are fed: datagrams of line ends only, which are no messages. */
const KEEP_ALIVE = /^[\r\n\0 ]*$/;

/** One UDP socket for all peers. */
export interface UdpSocket {
  readonly port: number;
  send(bytes: Uint8Array, to: Peer): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error of the operating system when the address cannot be bound */
export async function openUdp(bind: string, port: number, receiver: Receiver): Promise<UdpSocket> {
  const socket = createSocket({ type: isIP(bind) === 6 ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  socket.bind({ address: bind, port, exclusive: true });
  await once(socket, 'listening');
  // Errors of single datagrams come to the callbacks of `send`; a socket that fails as such answers nobody.
  socket.on('error', () => {});
  socket.on('message', (bytes, { address, port }) => {
    if (bytes.length < 64 && KEEP_ALIVE.test(bytes.toString('latin1'))) return;
    receiver(bytes, { protocol: 'udp', address: plainAddress(address), port });
  });
  const addressOf = (peer: Peer) =>
    isIP(bind) === 6 && isIP(peer.address) === 4 ? `::ffff:${peer.address}` : peer.address;
  return {
    port: socket.address().port,
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, to.port, addressOf(to), (error) => (error ? reject(error) : resolve()));
      }),
    close: () => closeSocket(socket),
  };
}

/** The address from which this machine reaches another, as the routing table has it. Sends nothing. */
export async function sourceAddressFor(address: string, port: number): Promise<string> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(port, address);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    await closeSocket(socket);
  }
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
