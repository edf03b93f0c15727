import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports below those that systems hand out by themselves. */
const [FIRST, LAST] = [20_000, 32_000];

/**
 * So many ports of 127.0.0.1 that nothing uses, by UDP or TCP, and neither the three after each: SIPp takes all four for
 * sound and pictures.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(FIRST / 4, LAST / 4) * 4;
    const four = [port, port + 1, port + 2, port + 3];
    const free = await Promise.all(four.flatMap((each) => [isFree(each), isFreeForTcp(each)]));
    if (!free.includes(false)) found.add(port);
  }
  return [...found];
}

/** Whether nothing listens there by UDP. */
export async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
  } catch {
    return false;
  }
  await new Promise<void>((resolve) => socket.close(resolve));
  return true;
}

/** Whether nothing listens there by TCP. */
export async function isFreeForTcp(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
