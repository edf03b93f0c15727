import { parseArgs } from 'node:util';
import { createMedia } from '#delivery/carriers/sip/media/create-media.js';
import type { MediaSession } from '#delivery/carriers/sip/media/media.js';
import { systemEnvironment } from '#environment.js';
import { cleanUp, startHelper } from './processes.js';
import { percentile } from './statistics.js';

/**
 * Measures the media thread: calls that all play at once to a peer in a process of its own, which sends every packet
 * back. Build first, then `npx tsx bench/media.ts`, with `--calls 200 --seconds 10 --srtp`. To be beaten (issue of the
 * SIP carrier): 99 % of the packets within 5 ms of their time, 300 kB per call.
 */
const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
    srtp: { type: 'boolean', default: false },
  },
});
const calls = Number(options.calls);
const seconds = Number(options.seconds);

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Resident memory once it has settled, in bytes. */
async function memory(): Promise<number> {
  await pause(500);
  return process.memoryUsage().rss;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const peer = startHelper('./media-peer.ts');
const ports = await peer.ask<number[]>({ kind: 'listen', count: calls });
const media = createMedia({
  environment: systemEnvironment,
  ports: { from: 30_000, to: 39_999 },
  worker: new URL('../dist/delivery/carriers/sip/media/worker.js', import.meta.url),
});
const warm = await open(ports[0]!, 'warm');
await warm.close();
const before = await memory();

const clip = Int16Array.from({ length: 8000 }, (_, at) => 8000 * Math.sin(at / 3));
const sessions: MediaSession[] = [];
for (const [index, port] of ports.entries()) sessions.push(await open(port, `call ${index}`));
for (const session of sessions) session.start();
for (const session of sessions) void session.play(new Array(seconds + 5).fill({ samples: clip }));
const after = await memory();
await pause(500);
await peer.ask({ kind: 'tell' });
const [begin, cpu] = [media.stats(), process.cpuUsage()];
const from = performance.now();
await pause(seconds * 1000);
const took = performance.now() - from;
const [end, used] = [media.stats(), process.cpuUsage(cpu)];
const { received, swings } = await peer.ask<{ received: number; swings: number[] }>({ kind: 'tell' });
const sent = end.packetsSent - begin.packetsSent;
const late = end.packetsLate - begin.packetsLate;
const grown = await memory();

console.log(`${calls} calls${options.srtp ? ' with SRTP' : ''}, ${(took / 1000).toFixed(1)} s`);
console.log(`sent:                 ${sent} packets (${((sent / took) * 1000).toFixed(0)} a second)`);
console.log(`within 5 ms:          ${(100 - (late / sent) * 100).toFixed(2)} %`);
console.log(
  `received by the peer: ${received}, received back: ${end.packetsReceived - begin.packetsReceived}`,
);
console.log(
  `from 20 ms, at the peer: median ${percentile(swings, 0.5).toFixed(2)} ms, 99 % ${percentile(swings, 0.99).toFixed(2)} ms`,
);
console.log(
  `processor:            ${(((used.user + used.system) / 1000 / took) * 100).toFixed(0)} % of one core`,
);
console.log(`memory per call:      ${((after - before) / calls / 1000).toFixed(0)} kB at first`);
console.log(`                      ${((grown - before) / calls / 1000).toFixed(0)} kB at the end`);
await Promise.all(sessions.map((session) => session.close()));
await media.close();
peer.stop();
process.exit(0);

async function open(port: number, call: string): Promise<MediaSession> {
  const srtp = options.srtp ? 'optional' : 'off';
  const session = await media.open({
    call,
    address: '127.0.0.1',
    publicAddress: null,
    codecs: ['PCMU'],
    srtp,
  });
  // The peer's key is our own: what it sends back is what it got.
  const crypto = /a=crypto:1 .*/.exec(session.offer())?.[0];
  const answered = session.answer(
    ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${port} RTP/AVP 0`]
      .concat(crypto ?? [])
      .join('\r\n'),
  );
  if (answered !== 'ok') throw new Error(answered.refused);
  return session;
}
