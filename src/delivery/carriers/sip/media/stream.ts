import type { RemoteInfo, Socket } from 'node:dgram';
import type { Environment } from '../../../../environment.js';
import { Latch } from './latch.js';
import type { Codec, MediaStats } from './media.js';
import { LATE_MS } from './pacer.js';
import type { Part } from './playback.js';
import { placeOf, type SessionNews } from './protocol.js';
import { Receiver } from './receiver.js';
import { type Echo, readReport, reportInterval, roundTrip, writeReport } from './rtcp.js';
import { MAX_PACKET } from './rtp.js';
import type { Agreement } from './sdp.js';
import { Sender } from './sender.js';
import { SrtpReceiver, SrtpSender } from './srtp.js';

export interface StreamOptions {
  readonly environment: Environment;
  readonly sockets: { readonly rtp: Socket; readonly rtcp: Socket };
  readonly latching: 'same-address' | 'first-source';
  /** Milliseconds without a packet after which that is news. */
  readonly timeout: number;
  readonly voiceEndsAfter: number;
  readonly totals: Float64Array;
  readonly news: (news: SessionNews) => void;
}

const SENT = placeOf('sent');
const LATE = placeOf('late');
const RECEIVED = placeOf('received');
const REFUSED = placeOf('refused');

/** One call's sockets, and what goes over them. */
export class Stream {
  readonly #options: StreamOptions;
  readonly #latch: Latch;
  readonly #reports = new Latch(false);
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #cname: string;
  #agreement: Agreement | null = null;
  #srtp: { readonly out: SrtpSender; readonly in: SrtpReceiver } | null = null;
  #started = false;
  #late = 0;
  #heardAt = 0;
  #timedOut = false;
  #nextReportAt = Number.POSITIVE_INFINITY;
  #peerReport: { readonly middle: number; readonly at: number } | null = null;
  #remote: MediaStats['remote'] = null;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { environment, news, sockets } = options;
    this.#latch = new Latch(options.latching === 'first-source');
    this.#sender = new Sender(environment.randomBytes(8));
    // RFC 7022 §4.2: a random name for each session says nothing of the host.
    this.#cname = Buffer.from(environment.randomBytes(12)).toString('base64');
    this.#receiver = new Receiver(options.voiceEndsAfter, {
      press: ({ digit, durationMs }) => news({ kind: 'dtmf', digit, durationMs }),
      voiceStarts: () => news({ kind: 'voice-start' }),
      voiceEnds: (lengthMs) => news({ kind: 'voice-end', lengthMs }),
    });
    sockets.rtp.on('message', (packet, source) => this.#take(packet, source));
    sockets.rtcp.on('message', (packet, source) => this.#takeReport(packet, source));
  }

  agree(agreement: Agreement): void {
    const before = this.#agreement;
    this.#agreement = agreement;
    this.#latch.tell({ address: agreement.address, port: agreement.port });
    this.#aimReports(agreement);
    this.#hear(this.#options.environment.monotonic());
    this.#sender.agree(agreement);
    if (agreement.events === null) this.#sender.failPresses('the peer takes no telephone events any more');
    const { srtp } = agreement;
    // The same keys again keep their place in the stream: with a key anew from its beginning, it would be used twice.
    const out = this.#srtp && sameKey(before?.srtp?.sendKey, srtp?.sendKey) ? this.#srtp.out : null;
    const sameSuite = before?.srtp?.suite === srtp?.suite;
    const receives = sameSuite && sameKey(before?.srtp?.receiveKey, srtp?.receiveKey);
    const receiver = this.#srtp && receives ? this.#srtp.in : null;
    this.#srtp = srtp && {
      out: out ?? new SrtpSender(srtp.suite, srtp.sendKey),
      in: receiver ?? new SrtpReceiver(srtp.suite, srtp.receiveKey),
    };
  }

  /** Begins to send and to listen. */
  start(): void {
    const { environment } = this.#options;
    this.#started = true;
    this.#heardAt = environment.monotonic();
    this.#nextReportAt = this.#heardAt + reportInterval(this.#random(), true);
  }

  get started(): boolean {
    return this.#started;
  }

  play(parts: readonly Part[], codec: Codec, ended: (how: 'played' | 'stopped') => void): void {
    if (this.#agreement?.codec === codec) this.#sender.play(parts, codec, ended);
    else ended('stopped');
  }

  stopPlaying(): void {
    this.#sender.stop();
  }

  press(digits: string, ended: (failure: string | null) => void): void {
    if (this.#agreement && this.#agreement.events !== null) this.#sender.press(digits, ended);
    else ended('the peer takes no telephone events');
  }

  /** A stall has made the call miss frames. */
  skip(frames: number): void {
    this.#sender.skip(frames);
  }

  /**
   * The turn of this call, once per frame.
   * @param at when it was due
   * @param now what the clock says
   */
  frame(at: number, now: number): void {
    const agreement = this.#agreement;
    if (!agreement) return;
    const packet = this.#sender.frame(agreement, this.#srtp?.out ?? null);
    const target = this.#latch.target;
    if (packet && target) {
      this.#options.sockets.rtp.send(packet, target.port, target.address);
      this.#options.totals[SENT]!++;
      if (now - at > LATE_MS) {
        this.#late++;
        this.#options.totals[LATE]!++;
      }
    }
    this.#receiver.pass(now);
    if (now >= this.#nextReportAt) this.#report(now);
    if (now - this.#heardAt > this.#options.timeout) this.#miss(agreement, now);
  }

  /** Says goodbye and closes the sockets. */
  async close(): Promise<MediaStats> {
    const { rtp, rtcp } = this.#options.sockets;
    this.#sender.end('the call has ended');
    const stats = this.#stats();
    if (this.#started) await this.#sendReport(this.#options.environment.monotonic(), true);
    await Promise.all([closeSocket(rtp), closeSocket(rtcp)]);
    return stats;
  }

  #take(packet: Buffer, source: RemoteInfo): void {
    const { environment, totals } = this.#options;
    const agreement = this.#agreement;
    const now = environment.monotonic();
    totals[RECEIVED]!++;
    const taken =
      agreement !== null &&
      this.#latch.admits(source, now) &&
      this.#receiver.hasRoom(now) &&
      this.#receiver.take(packet, agreement, this.#srtp?.in ?? null, now, this.#started);
    if (!taken) {
      totals[REFUSED]!++;
      return;
    }
    const known = this.#latch.learnt;
    this.#latch.learn(source, now);
    if (known !== this.#latch.learnt) this.#aimReports(agreement);
    this.#hear(now);
  }

  /** Reports go where SDP says, unless the peer's packets have shown that its address is another. */
  #aimReports(agreement: Agreement): void {
    const { learnt } = this.#latch;
    const moved = learnt !== null && learnt.address !== agreement.address;
    if (moved) this.#reports.tell({ address: learnt.address, port: Math.min(65_535, learnt.port + 1) });
    else this.#reports.tell({ address: agreement.rtcpAddress, port: agreement.rtcpPort });
  }

  #takeReport(packet: Buffer, source: RemoteInfo): void {
    const { environment } = this.#options;
    const now = environment.monotonic();
    if (packet.length > MAX_PACKET || !this.#reports.admits(source, now) || !this.#receiver.hasRoom(now))
      return;
    const plain = this.#srtp ? this.#srtp.in.openReport(packet) : packet;
    const report = plain && readReport(plain, this.#sender.ssrc);
    if (!report) return;
    this.#reports.learn(source, now);
    this.#hear(now);
    if (report.sent !== null) this.#peerReport = { middle: report.sent, at: now };
    if (!report.ours) return;
    const { lost, jitter } = report.ours;
    const roundTripMs = roundTrip(report.ours, environment.now()) ?? this.#remote?.roundTripMs ?? null;
    this.#remote = { packetsLost: lost, jitterMs: jitter / 8, roundTripMs };
  }

  #hear(now: number): void {
    this.#heardAt = now;
    this.#timedOut = false;
  }

  #miss(agreement: Agreement, now: number): void {
    if (!agreement.receiving) this.#heardAt = now;
    else if (!this.#timedOut) {
      this.#timedOut = true;
      this.#options.news({ kind: 'timeout' });
    }
  }

  #report(now: number): void {
    this.#nextReportAt = now + reportInterval(this.#random(), false);
    void this.#sendReport(now, false);
  }

  /** Resolves once the packet has left, or cannot. */
  #sendReport(now: number, goodbye: boolean): Promise<void> {
    const target = this.#reports.target;
    // RFC 3264 §8.4: nothing goes to a peer at the unspecified address, which Linux takes for this host.
    if (!target || /^[0.:]+$/.test(target.address)) return Promise.resolve();
    const { environment, sockets } = this.#options;
    const { reception } = this.#receiver;
    const echo: Echo | null = this.#peerReport && {
      lastReport: this.#peerReport.middle,
      ageMs: now - this.#peerReport.at,
    };
    const report = writeReport(
      {
        ssrc: this.#sender.ssrc,
        cname: this.#cname,
        now: environment.now(),
        timestamp: this.#sender.timestamp,
        packets: this.#sender.packets,
        octets: this.#sender.octets,
        block: reception && { ...reception.report(), echo },
      },
      goodbye,
    );
    const packet = this.#srtp ? this.#srtp.out.protectReport(report) : report;
    return new Promise((resolve) => sockets.rtcp.send(packet, target.port, target.address, () => resolve()));
  }

  #random(): number {
    return this.#options.environment.randomBytes(1)[0]! / 256;
  }

  #stats(): MediaStats {
    return {
      packetsSent: this.#sender.packets,
      packetsLate: this.#late,
      packetsReceived: this.#receiver.packets,
      packetsLost: this.#receiver.lost,
      jitterMs: this.#receiver.jitterMs,
      remote: this.#remote,
      codec: this.#agreement?.codec ?? null,
      srtp: this.#srtp !== null,
    };
  }
}

function sameKey(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
