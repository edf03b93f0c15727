import { isIP } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Environment } from '../../../../environment.js';
import { Clips } from './clips.js';
import type { Codec, Media, MediaOptions, MediaSession, MediaTotals, Sound } from './media.js';
import {
  type Item,
  type News,
  type Order,
  placeOf,
  TOTALS,
  TOTALS_SIZE,
  type TotalName,
  type WorkerData,
} from './protocol.js';
import { KEY_SIZE, SUITES } from './sdes.js';
import { Session } from './session.js';

const WORKER = new URL('./worker.js', import.meta.url);

/** A thread that has lived this long, in milliseconds, is replaced at once when it dies; another after `RESTART_PAUSE`. */
const HEALTHY_AFTER = 10_000;
const RESTART_PAUSE = 1_000;
/** Milliseconds that the media thread has for its goodbyes. */
const CLOSE_WITHIN = 2_000;

export interface CreateMediaOptions {
  readonly environment: Environment;
  /** UDP ports to be used, ends included, at least a pair. A call takes an even one and the next. */
  readonly ports: { readonly from: number; readonly to: number };
  /** What is sent while nothing is played, where the peer takes both: continuous silence (the default), or comfort noise (RFC 3389). */
  readonly silence?: 'continuous' | 'comfort-noise';
  /** Milliseconds without any packet of the peer after which `media-timeout` is said. Default 30,000. */
  readonly timeout?: number;
  /** Milliseconds of quiet after which a sound counts as ended. Default 400. */
  readonly voiceEndsAfter?: number;
  /** Called with the reason when the media thread has died, for the log. It is started again by itself. */
  readonly onDeath?: (error: Error) => void;
  /** The media thread's script, where it is not beside this one: for tests that make it die, and benchmarks. */
  readonly worker?: URL;
}

/** Starts the media thread. It keeps the process alive until `close`. */
export function createMedia(options: CreateMediaOptions): Media {
  const { from, to } = options.ports;
  if (
    !(Number.isInteger(from) && Number.isInteger(to) && from >= 1 && to <= 65_535 && from + (from % 2) < to)
  ) {
    throw new RangeError(`RTP ports ${from} to ${to} hold no pair of an even port and the next one`);
  }
  return new ThreadedMedia(options);
}

interface Opening {
  readonly resolve: (port: number) => void;
  readonly reject: (error: Error) => void;
}

class ThreadedMedia implements Media {
  readonly #options: CreateMediaOptions;
  readonly #clips = new Clips();
  readonly #opening = new Map<number, Opening>();
  readonly #sessions = new Map<number, Session>();
  /** Totals of threads that died. */
  readonly #before = new Float64Array(TOTALS.length);
  #totals: Float64Array = new Float64Array(TOTALS.length);
  #worker: Worker | null = null;
  #startedAt = 0;
  #restarts = 0;
  #lastId = 0;
  #closing: Promise<void> | null = null;
  #allClosed: () => void = () => {};

  constructor(options: CreateMediaOptions) {
    this.#options = options;
    this.#start();
  }

  async open(options: MediaOptions): Promise<MediaSession> {
    const { call, address, publicAddress, codecs } = options;
    const shown = publicAddress ?? address;
    if (isIP(address) === 0 || isIP(shown) !== isIP(address) || codecs.length === 0) {
      throw new Error(`call ${call}: media needs a codec, and addresses that are IP addresses of one family`);
    }
    if (/^[0.:]+$/.test(shown))
      throw new Error(`call ${call}: ${shown} in SDP reaches nobody: set the public address`);
    if (this.#closing) throw new Error(`call ${call}: media is closed`);
    if (!this.#worker)
      throw new Error(`call ${call}: the media thread is being started again; try again in a second`);
    const id = ++this.#lastId;
    const port = await new Promise<number>((resolve, reject) => {
      this.#opening.set(id, { resolve, reject });
      this.#post({ kind: 'open', id, address, latching: options.latching ?? 'same-address' });
    }).catch((error: Error) => {
      throw new Error(`call ${call}: ${error.message}`);
    });
    const { environment } = this.#options;
    const session = new Session(
      id,
      {
        address: shown,
        port,
        sessionId: Buffer.from(environment.randomBytes(6)).readUIntBE(0, 6).toString(),
        codecs: [...new Set(codecs)],
        srtp: options.srtp,
        keys: new Map(SUITES.map((suite) => [suite, environment.randomBytes(KEY_SIZE)])),
        comfortNoise: this.#options.silence === 'comfort-noise',
      },
      { post: (order) => this.#post(order), play: (...of) => this.#play(...of) },
    );
    this.#sessions.set(id, session);
    return session;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  stats(): MediaTotals {
    const total = (name: TotalName) => this.#before[placeOf(name)]! + this.#totals[placeOf(name)]!;
    return {
      activeCalls: this.#totals[placeOf('active')]!,
      packetsSent: total('sent'),
      packetsLate: total('late'),
      packetsReceived: total('received'),
      packetsRefused: total('refused'),
      restarts: this.#restarts,
    };
  }

  #post(order: Order): void {
    this.#worker?.postMessage(order);
  }

  #play(id: number, play: number, codec: Codec, sounds: readonly Sound[]): void {
    const items = sounds.map((sound): Item => {
      if ('silence' in sound) return { silence: Math.round(sound.silence * 8) };
      return { clip: this.#clips.numberOf(sound.samples, codec, (order) => this.#give(order)) };
    });
    this.#post({ kind: 'play', id, play, codec, items });
    for (const clip of this.#clips.overflow()) this.#post({ kind: 'forget', clip });
  }

  #give(order: Order & { kind: 'clip' }): void {
    this.#worker?.postMessage(order, [order.bytes.buffer]);
  }

  #start(): void {
    const { environment, ports, timeout = 30_000, voiceEndsAfter = 400, worker = WORKER } = this.#options;
    const totals = new SharedArrayBuffer(TOTALS_SIZE);
    const data: WorkerData = { ports, timeout, voiceEndsAfter, totals };
    const started = new Worker(worker, { workerData: data, name: 'media' });
    this.#totals = new Float64Array(totals);
    this.#worker = started;
    this.#startedAt = environment.monotonic();
    started.on('message', (news: News) => this.#hear(news));
    const died = (error: Error) => {
      if (this.#worker === started) this.#replace(error);
    };
    started.on('error', died);
    started.on('exit', (code) => died(new Error(`it exited with ${code}`)));
  }

  /** The thread has died: so have its sockets, and its calls' media with them. */
  #replace(error: Error): void {
    const { environment, onDeath } = this.#options;
    for (const [place, total] of this.#totals.entries()) this.#before[place]! += total;
    this.#totals = new Float64Array(TOTALS.length);
    this.#worker = null;
    this.#clips.clear();
    this.#restarts++;
    for (const [id, { reject }] of this.#opening) {
      this.#opening.delete(id);
      reject(new Error(`the media thread died: ${error.message}`));
    }
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    if (this.#closing) this.#allClosed();
    else if (environment.monotonic() - this.#startedAt >= HEALTHY_AFTER) this.#start();
    else environment.after(RESTART_PAUSE, () => this.#closing ?? this.#start());
    for (const session of sessions) session.fail();
    onDeath?.(error);
  }

  #hear(message: News): void {
    if ('kind' in message) {
      this.#allClosed();
      return;
    }
    const { id, news } = message;
    const opening = this.#opening.get(id);
    if (opening) {
      this.#opening.delete(id);
      if (news.kind === 'opened') opening.resolve(news.port);
      else opening.reject(new Error(news.kind === 'not-opened' ? news.reason : 'media is closed'));
      return;
    }
    this.#sessions.get(id)?.hear(news);
    if (news.kind === 'closed') this.#sessions.delete(id);
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.environment.after(CLOSE_WITHIN, resolve);
      this.#allClosed = () => {
        timer.cancel();
        resolve();
      };
      worker.postMessage({ kind: 'close-all' } satisfies Order);
    });
    this.#worker = null;
    await worker.terminate();
    for (const session of this.#sessions.values()) session.fail();
    this.#sessions.clear();
  }
}
