import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Environment, Timer } from '../../../../environment.js';
import { Pacer, PHASES } from './pacer.js';
import type { Part } from './playback.js';
import { PortPairs } from './ports.js';
import { type Item, type News, type Order, placeOf, type SessionNews, type WorkerData } from './protocol.js';
import { Stream } from './stream.js';

/** Pairs of ports that are tried when others hold them, before an open fails. */
const MAX_TRIES = 50;

interface Call {
  readonly stream: Stream;
  readonly port: number;
  /** The phase at which it sends; null before it starts. */
  phase: number | null;
}

/** All calls of the media thread: does what it is ordered and tells what happens. */
export class Engine {
  readonly #environment: Environment;
  readonly #data: WorkerData;
  readonly #post: (news: News) => void;
  readonly #ports: PortPairs;
  readonly #pacer: Pacer;
  readonly #totals: Float64Array;
  readonly #calls = new Map<number, Call>();
  readonly #phases = Array.from({ length: PHASES }, () => new Set<Stream>());
  readonly #clips = new Map<number, Uint8Array>();
  /** What is being opened or closed. */
  readonly #busy = new Set<Promise<void>>();
  #timer: Timer | null = null;
  #ending = false;

  constructor(environment: Environment, data: WorkerData, post: (news: News) => void) {
    this.#environment = environment;
    this.#data = data;
    this.#post = post;
    this.#totals = new Float64Array(data.totals);
    this.#ports = new PortPairs(data.ports, Buffer.from(environment.randomBytes(4)).readUInt32BE() / 2 ** 32);
    this.#pacer = new Pacer(environment.monotonic());
  }

  /** Orders about a session that is not there (any more) are dropped, save that every play and send is answered. */
  obey(order: Order): void {
    if (order.kind === 'clip') this.#clips.set(order.clip, order.bytes);
    else if (order.kind === 'forget') this.#clips.delete(order.clip);
    else if (order.kind === 'open') this.#track(this.#open(order));
    else if (order.kind === 'close') this.#track(this.#close(order.id));
    else if (order.kind === 'close-all') void this.#closeAll();
    else if (order.kind === 'play') this.#play(order);
    else if (order.kind === 'dtmf') this.#press(order);
    else if (order.kind === 'agree') this.#calls.get(order.id)?.stream.agree(order.agreement);
    else if (order.kind === 'start') this.#start(order.id);
    else this.#calls.get(order.id)?.stream.stopPlaying();
  }

  #tell(id: number, news: SessionNews): void {
    this.#post({ id, news });
  }

  #track(task: Promise<void>): void {
    this.#busy.add(task);
    void task.finally(() => this.#busy.delete(task));
  }

  async #open({ id, address, latching }: Order & { kind: 'open' }): Promise<void> {
    const bound = await this.#bind(address);
    if ('reason' in bound) return this.#tell(id, { kind: 'not-opened', reason: bound.reason });
    const { port, sockets } = bound;
    const { timeout, voiceEndsAfter } = this.#data;
    const stream = new Stream({
      environment: this.#environment,
      sockets,
      latching,
      timeout,
      voiceEndsAfter,
      totals: this.#totals,
      news: (news) => this.#tell(id, news),
    });
    this.#calls.set(id, { stream, port, phase: null });
    this.#count();
    if (this.#ending) await this.#close(id);
    else this.#tell(id, { kind: 'opened', port });
  }

  async #bind(address: string): Promise<Bound | { reason: string }> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const port = this.#ports.take();
      const { from, to } = this.#data.ports;
      if (port === null) return { reason: `all RTP ports from ${from} to ${to} are in use` };
      const sockets = await bindPair(address, port);
      if (!('code' in sockets)) return { port, sockets };
      this.#ports.give(port);
      if (sockets.code !== 'EADDRINUSE')
        return { reason: `cannot bind ${address} port ${port}: ${sockets.code}` };
    }
    return { reason: `${MAX_TRIES} pairs of RTP ports are held by other programs` };
  }

  #start(id: number): void {
    const call = this.#calls.get(id);
    if (!call || call.phase !== null) return;
    call.stream.start();
    call.phase = this.#pacer.add(this.#environment.monotonic());
    this.#phases[call.phase]!.add(call.stream);
    // Its first turn may come before that of the calls that the timer waits for.
    this.#timer?.cancel();
    this.#timer = null;
    this.#schedule();
  }

  #play({ id, play, codec, items }: Order & { kind: 'play' }): void {
    const ended = (how: 'played' | 'stopped') => this.#tell(id, { kind: 'play-ended', play, how });
    const call = this.#calls.get(id);
    const parts = this.#partsOf(items);
    if (call && parts) call.stream.play(parts, codec, ended);
    else ended('stopped');
  }

  #partsOf(items: readonly Item[]): Part[] | null {
    const parts: Part[] = [];
    for (const item of items) {
      const part = 'silence' in item ? item : { bytes: this.#clips.get(item.clip) };
      if ('bytes' in part && !part.bytes) return null;
      parts.push(part as Part);
    }
    return parts;
  }

  #press({ id, send, digits }: Order & { kind: 'dtmf' }): void {
    const ended = (failure: string | null) => this.#tell(id, { kind: 'dtmf-ended', send, failure });
    const call = this.#calls.get(id);
    if (call) call.stream.press(digits, ended);
    else ended('the call has ended');
  }

  async #close(id: number): Promise<void> {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    this.#count();
    if (call.phase !== null) {
      this.#phases[call.phase]!.delete(call.stream);
      this.#pacer.remove(call.phase);
    }
    const stats = await call.stream.close();
    this.#ports.give(call.port);
    this.#tell(id, { kind: 'closed', stats });
  }

  async #closeAll(): Promise<void> {
    this.#ending = true;
    for (const id of this.#calls.keys()) this.#track(this.#close(id));
    while (this.#busy.size > 0) await Promise.all(this.#busy);
    this.#timer?.cancel();
    this.#post({ kind: 'all-closed' });
  }

  #count(): void {
    this.#totals[placeOf('active')] = this.#calls.size;
  }

  #schedule(): void {
    if (this.#timer) return;
    const at = this.#pacer.nextAt();
    if (at === null) return;
    this.#timer = this.#environment.after(at - this.#environment.monotonic(), () => {
      this.#timer = null;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const { skipped, slots } = this.#pacer.due(this.#environment.monotonic());
    if (skipped > 0) {
      for (const streams of this.#phases) for (const stream of streams) stream.skip(skipped);
    }
    for (const { phase, at } of slots) {
      const now = this.#environment.monotonic();
      for (const stream of this.#phases[phase]!) stream.frame(at, now);
    }
  }
}

interface Bound {
  readonly port: number;
  readonly sockets: { readonly rtp: Socket; readonly rtcp: Socket };
}

/** Two sockets at `port` and the next; the code of what went wrong, and neither, when one cannot be had. */
async function bindPair(address: string, port: number): Promise<Bound['sockets'] | { code: string }> {
  const rtp = await bindSocket(address, port);
  if ('code' in rtp) return rtp;
  const rtcp = await bindSocket(address, port + 1);
  if (!('code' in rtcp)) return { rtp, rtcp };
  await new Promise<void>((resolve) => rtp.close(() => resolve()));
  return rtcp;
}

function bindSocket(address: string, port: number): Promise<Socket | { code: string }> {
  const family = isIP(address) as 4 | 6;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    // Targets are literals: Node's own look-up would put every packet off to another turn of the event loop.
    lookup: (target, _options, answer) => answer(null, target, family),
  });
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve({ code: error.code ?? error.message });
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // What a packet meets on its way (ICMP, a full buffer) is no concern of the call: media timing out says enough.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
