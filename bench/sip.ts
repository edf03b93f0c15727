import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pause, startHelper, startProgram } from './processes.js';
import type { SipOrder, SipState } from './sip-carrier.js';

/** Calls a second, and their length: together, calls at a time. */
const RATE = 20;
const AT_ONCE = 200;
const SPEECH = 10;
/** Short calls, for what they leave behind. */
const BRIEF = { speech: 0.1, rate: 100, atOnce: 150 };
/** Milliseconds that a transaction outlives its call at most (RFC 3261 §17: 64·T1), and a little more. */
const SETTLED = 34_000;

/** What calls to SIPp on the same machine were like. */
export interface SipMeasure {
  /** Calls at a time, on average. */
  readonly atOnce: number;
  /** Calls a second that began. */
  readonly rate: number;
  readonly failed: number;
  /** Share of RTP packets that left within 5 ms of their time. */
  readonly punctual: number;
  readonly packetsPerSecond: number;
  /** Kilobytes of resident memory. */
  readonly memoryPerCall: number;
  /** Share of one core that the carrier and its media thread took. */
  readonly cpu: number;
  readonly leak: LeakMeasure;
}

/** What was there after so many short calls that was not there before. */
interface LeakMeasure {
  readonly calls: number;
  readonly perSecond: number;
  readonly failed: number;
  /** RTP ports, open files and sockets, and timers. */
  readonly ports: number;
  readonly files: number;
  readonly timers: number;
  /** Bytes of heap a call. */
  readonly heapPerCall: number;
}

export interface SipPlan {
  /** Seconds for which calls are watched once they are as many as they will be. */
  readonly seconds: number;
  /** Short calls, to see what they leave behind. */
  readonly calls: number;
}

/** The built carrier alone, without a database, and SIPp. Null: SIPp is not installed. */
export async function measureSip({ seconds, calls }: SipPlan): Promise<SipMeasure | null> {
  if (spawnSync('sipp', ['-v'], { stdio: 'ignore' }).error) return null;
  const port = await freePort();
  const stopSipp = startProgram('sipp', [
    ...['-sf', fileURLToPath(new URL('./sip-answer.xml', import.meta.url))],
    ...['-i', '127.0.0.1', '-p', String(port), '-mp', String(await freePort()), '-rtp_echo', '-nostdin'],
  ]);
  const helper = startHelper('./sip-carrier.ts');
  const ask = (order: SipOrder) => helper.ask<SipState>(order);
  await pause(500);
  await ask({ kind: 'open', port });
  await ask({ kind: 'call', calls: 50, ...BRIEF });
  const before = await settled(ask, 50);

  const long = RATE * (SPEECH + 5 + seconds);
  await ask({ kind: 'call', calls: long, speech: SPEECH, rate: RATE, atOnce: 1_000 });
  await pause((SPEECH + 3) * 1000);
  const from = await ask({ kind: 'tell' });
  await pause(seconds * 1000);
  const to = await ask({ kind: 'tell' });
  const took = (to.at - from.at) / 1000;
  const rested = await settled(ask, 50 + long);

  const start = performance.now();
  await ask({ kind: 'call', calls, ...BRIEF });
  while ((await ask({ kind: 'tell' })).begun < rested.begun + calls) await pause(200);
  const perSecond = (calls * 1000) / (performance.now() - start);
  const after = await settled(ask, rested.begun + calls);
  await ask({ kind: 'close' });
  helper.stop();
  stopSipp();
  if (after.failed > 0) console.log(`calls over SIP that failed: ${after.failed} (${after.failure})`);
  const sent = to.packetsSent - from.packetsSent;
  return {
    atOnce: sent / took / 50,
    rate: (to.begun - from.begun) / took,
    failed: rested.failed,
    punctual: 1 - (to.packetsLate - from.packetsLate) / sent,
    packetsPerSecond: sent / took,
    memoryPerCall: (to.rss - before.rss) / AT_ONCE / 1000,
    cpu: (to.cpu - from.cpu) / 1000 / took,
    leak: {
      calls,
      perSecond,
      failed: after.failed - rested.failed,
      ports: after.ports - before.ports,
      files: (after.files ?? 0) - (before.files ?? 0),
      timers: after.timers - before.timers,
      heapPerCall: (after.heap - rested.heap) / calls,
    },
  };
}

/** Waits until calls have ended, and what they keep for a while is let go. */
async function settled(ask: (order: SipOrder) => Promise<SipState>, calls: number): Promise<SipState> {
  while (true) {
    const { spoken, failed, ports } = await ask({ kind: 'tell' });
    if (spoken + failed >= calls && ports === 0) break;
    await pause(500);
  }
  await pause(SETTLED);
  return ask({ kind: 'tell' });
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
