import { createSocket } from 'node:dgram';

/**
 * The callees of bench/media.ts: one socket per call, which sends every packet back as it came, so that the media thread
 * has as much to receive as to send. Told to `listen`, says its ports; told to `tell`, what it saw since.
 */

/** Milliseconds by which packets of a call came earlier or later than 20 ms after the one before. */
let swings: number[] = [];
let received = 0;

process.on('message', async (message: { kind: 'listen'; count: number } | { kind: 'tell' }) => {
  if (message.kind === 'tell') {
    process.send?.({ received, swings: swings.sort((a, b) => a - b) });
    received = 0;
    swings = [];
    return;
  }
  process.send?.(await Promise.all(Array.from({ length: message.count }, listen)));
});

function listen(): Promise<number> {
  const socket = createSocket({
    type: 'udp4',
    lookup: (target, _options, answer) => answer(null, target, 4),
  });
  let last = Number.NaN;
  socket.on('message', (packet, source) => {
    const now = performance.now();
    received++;
    if (!Number.isNaN(last)) swings.push(Math.abs(now - last - 20));
    last = now;
    socket.send(packet, source.port, source.address);
  });
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)));
}
