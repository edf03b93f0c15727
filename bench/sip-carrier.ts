import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Media } from '#delivery/carriers/sip/media/media.js';
import type { Environment } from '#environment.js';
import type { Speech } from '#speech/prompts.js';
import type { Recipient } from '#verify/model.js';

// The built carrier, as the server runs it.
const built = <Module>(path: string): Promise<Module> =>
  import(new URL(`../dist/${path}`, import.meta.url).href) as Promise<Module>;
const { createSipCarrier } = await built<typeof import('#delivery/carriers/sip/carrier.js')>(
  'delivery/carriers/sip/carrier.js',
);
const { createMedia } = await built<typeof import('#delivery/carriers/sip/media/create-media.js')>(
  'delivery/carriers/sip/media/create-media.js',
);
const { openReal } = await built<typeof import('#delivery/carriers/sip/open.js')>(
  'delivery/carriers/sip/open.js',
);
const { readSettings } = await built<typeof import('#delivery/carriers/sip/settings.js')>(
  'delivery/carriers/sip/settings.js',
);
const { systemResolver } = await built<typeof import('#delivery/carriers/sip/trunk/resolve.js')>(
  'delivery/carriers/sip/trunk/resolve.js',
);
const { createClip } = await built<typeof import('#speech/clip.js')>('speech/clip.js');
const { systemEnvironment } = await built<typeof import('#environment.js')>('environment.js');
const { createLog } = await built<typeof import('#telemetry/log.js')>('telemetry/log.js');

/** What the carrier is to do. Each is answered with how it stands then. */
export type SipOrder =
  | { readonly kind: 'open'; readonly port: number }
  /** Begins so many calls, each of so many seconds of speech: a number of them a second, or of them at a time. */
  | {
      readonly kind: 'call';
      readonly calls: number;
      readonly speech: number;
      readonly rate: number;
      readonly atOnce: number;
    }
  | { readonly kind: 'tell' }
  | { readonly kind: 'close' };

export interface SipState {
  readonly at: number;
  readonly begun: number;
  readonly spoken: number;
  readonly failed: number;
  /** Why, of the last one. */
  readonly failure: string | null;
  readonly packetsSent: number;
  readonly packetsLate: number;
  readonly packetsReceived: number;
  /** Calls that have ports of their own. */
  readonly ports: number;
  /** Open files and sockets of the process; null where the system does not tell. */
  readonly files: number | null;
  /** Timers of the carrier that are pending. */
  readonly timers: number;
  /** Bytes. */
  readonly rss: number;
  readonly heap: number;
  /** Milliseconds of processor time so far. */
  readonly cpu: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A second of speech. */
const second = createClip(Int16Array.from({ length: 8_000 }, (_, at) => 8_000 * Math.sin(at / 3)));
const word = createClip(second.samples.subarray(0, 800));
let speechSeconds = 1;
const speech = {
  prepare: async () => false,
  greeting: () => [word],
  // It is spoken three times.
  code: () => new Array(Math.ceil(speechSeconds / 3)).fill(speechSeconds < 1 ? word : second),
  goodbye: () => [word],
} as unknown as Speech;

let timers = 0;
/** Counts the timers that are pending. */
const environment: Environment = {
  ...systemEnvironment,
  after: (delay, task) => {
    timers++;
    let pending = true;
    const settle = () => {
      if (pending) timers--;
      pending = false;
    };
    const timer = systemEnvironment.after(delay, () => {
      settle();
      task();
    });
    return {
      cancel: () => {
        settle();
        timer.cancel();
      },
    };
  },
};

let media: Media | null = null;
let carrier: ReturnType<typeof createSipCarrier> | null = null;
let begun = 0;
let spoken = 0;
let failed = 0;
let failure: string | null = null;

function open(port: number): void {
  const settings = readSettings({
    trunks: [{ host: '127.0.0.1', port, transport: 'udp' }],
    bind: '127.0.0.1',
    port: 0,
    rtp_ports: { from: 30_000, to: 39_999 },
    calls: 1_000,
    calls_per_second: 100,
    keepalive_seconds: 0,
    opening_silence_ms: 200,
    machine_detection: false,
    repeats: 0,
  });
  const context = {
    name: 'bench',
    environment,
    log: createLog('silent'),
    report: async () => 'recorded' as const,
    inbound: async () => 'recorded' as const,
    share: { index: 0, count: 1 },
    publicUrl: null,
    speech,
  };
  carrier = createSipCarrier(settings, context, {
    resolver: systemResolver('127.0.0.1'),
    openTransport: openReal,
    createMedia: ({ rtpPorts, mediaTimeout }, environment) => {
      media = createMedia({ environment, ports: rtpPorts, timeout: mediaTimeout });
      return media;
    },
  });
  carrier.start?.();
}

async function callOnce(): Promise<void> {
  const number = begun++;
  const result = await carrier!.submit(
    {
      hopId: `bench.${number}`,
      attempt: 'bench',
      session: 'bench',
      channel: 'voice',
      recipient: `1415${2_000_000 + number}` as Recipient,
      text: '',
      code: '123456',
      locale: 'en',
      brandName: 'Acme',
      dtmf: null,
      confirmByKey: false,
      src: null,
      sender: null,
      parameters: {},
      expiresAt: Date.now() + 600_000,
    },
    async () => true,
  );
  if (result.kind === 'accepted') spoken++;
  else {
    failed++;
    failure = `${result.errorCode} ${result.reason}`;
  }
}

async function call({ calls, speech: seconds, rate, atOnce }: Extract<SipOrder, { kind: 'call' }>) {
  speechSeconds = seconds;
  const started = performance.now();
  const running = new Set<Promise<void>>();
  for (let index = 0; index < calls; index++) {
    const due = started + (index * 1000) / rate - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    while (running.size >= atOnce) await Promise.race(running);
    const one = callOnce().finally(() => running.delete(one));
    running.add(one);
  }
}

function state(): SipState {
  collect();
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  const totals = media?.stats();
  return {
    at: performance.now(),
    begun,
    spoken,
    failed,
    failure,
    packetsSent: totals?.packetsSent ?? 0,
    packetsLate: totals?.packetsLate ?? 0,
    packetsReceived: totals?.packetsReceived ?? 0,
    ports: totals?.activeCalls ?? 0,
    files: openFiles(),
    timers,
    rss,
    heap: heapUsed,
    cpu: (user + system) / 1000,
  };
}

function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}

process.on('message', async (order: SipOrder) => {
  if (order.kind === 'open') open(order.port);
  if (order.kind === 'call') void call(order);
  if (order.kind === 'close') await carrier?.stop();
  process.send!(state());
});
