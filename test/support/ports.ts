import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Ports below those that systems hand out by themselves. */
const [FIRST, LAST] = [20_000, 32_000];
/** Each process that runs tests beside others takes its ports from a part of its own. */
const PARTS = 4;
const PART = (LAST - FIRST) / PARTS;
const START = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % PARTS) * PART;

const MAX_TRIES = 1_000;

/**
 * Given out by this process before: whoever asked for them may not have bound them yet, or may bind them again. Forgotten when
 * few are left.
 */
const given = new Set<number>();

/**
 * Ports of 127.0.0.1 that nothing uses, by UDP or TCP: the first ones, which are even, of `count` blocks of `size` ports.
 * None is given a second time soon.
 */
export async function freePorts(count: number, size = 2): Promise<number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries === MAX_TRIES / 2) given.clear();
    if (tries === MAX_TRIES) throw new Error(`no ${count} times ${size} free ports from ${START} on`);
    const first = START + 2 * randomInt((PART - size) / 2);
    const block = Array.from({ length: size }, (_, index) => first + index);
    if (block.some((port) => given.has(port))) continue;
    for (const port of block) given.add(port);
    const free = await Promise.all(block.flatMap((port) => [isFree(port), isFreeForTcp(port)]));
    if (!free.includes(false)) found.push(first);
  }
  return found;
}

/** A range of so many ports, as `freePorts` finds them. */
export async function freeRange(size: number): Promise<{ readonly from: number; readonly to: number }> {
  const [from] = await freePorts(1, size);
  return { from: from!, to: from! + size - 1 };
}

/** Whether this machine has IPv6, if only for itself: many a container has none. */
export const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

/** Whether a socket for UDP can be bound there. */
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

/** Whether a server for TCP can be bound there. */
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

/**
 * Whether a process or one that it has started, and no other, listens at a port, as Linux tells it. The port is not tried: a
 * socket bound there to find out would be in the way of the program that is waited for, and a connection would be its first.
 */
export function isListening(
  { pid }: { readonly pid?: number | undefined },
  port: number,
  transport: 'udp' | 'tcp',
): boolean {
  const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // proc(5): local address, remote address, state; 0A is TCP_LISTEN, 07 is what UDP is in. The tenth is the inode.
  const state = transport === 'udp' ? '07' : '0A';
  const sockets = ['', '6'].flatMap((family) =>
    readTable(`/proc/net/${transport}${family}`).flatMap((line) => {
      const [, local = '', , found, , , , , , inode] = line.trim().split(/\s+/);
      return local.endsWith(place) && found === state ? [`socket:[${inode}]`] : [];
    }),
  );
  if (pid === undefined || sockets.length === 0) return false;
  const isOurs = (each: number) => socketsOf(each).some((socket) => sockets.includes(socket));
  return isOurs(pid) || childrenOf(pid).some(isOurs);
}

/** Processes that a process has started itself. */
function childrenOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  // The fields after the name, which may hold anything: state and parent.
  return all.filter(
    (each) => readTable(`/proc/${each}/stat`)[0]?.split(') ').at(-1)?.split(' ')[1] === `${pid}`,
  );
}

/** What a process has open, as its links name it; nothing when it has ended. */
function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => linkOf(`${folder}/${name}`));
  } catch {
    return [];
  }
}

/** Where a link leads; a list without it when it was closed meanwhile. */
function linkOf(path: string): readonly string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

/** The lines of a table; none where it is not there, as that of IPv6 or of a process that has ended. */
function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
