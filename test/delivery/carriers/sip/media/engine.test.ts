import { isIP } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RtcpPacketConverter, RtcpSrPacket, type RtpPacket } from 'werift-rtp';
import { Engine } from '#delivery/carriers/sip/media/engine.js';
import { encode } from '#delivery/carriers/sip/media/g711.js';
import type { MediaStats } from '#delivery/carriers/sip/media/media.js';
import type { PortRange } from '#delivery/carriers/sip/media/ports.js';
import { type News, TOTALS_SIZE } from '#delivery/carriers/sip/media/protocol.js';
import { writeReport } from '#delivery/carriers/sip/media/rtcp.js';
import { SUITES } from '#delivery/carriers/sip/media/sdes.js';
import { type LocalMedia, readAnswer } from '#delivery/carriers/sip/media/sdp.js';
import { SrtpReceiver, SrtpSender } from '#delivery/carriers/sip/media/srtp.js';
import { freeRange } from '../../../../support/ports.js';
import { eventually, VirtualEnvironment } from '../../../../support/virtual-time.js';
import { alaw, mulaw, openPeer, packetOf, peerSdp, tone } from './support.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The media thread's engine in this thread and in virtual time, over real sockets. */
async function startEngine({ timeout = 30_000, ports }: { timeout?: number; ports?: PortRange } = {}) {
  const environment = new VirtualEnvironment();
  const news: News[] = [];
  const data = {
    ports: ports ?? (await freeRange(40)),
    timeout,
    voiceEndsAfter: 400,
    totals: new SharedArrayBuffer(TOTALS_SIZE),
  };
  const engine = new Engine(environment, data, (each) => news.push(each));
  const closed = () => news.some((each) => 'kind' in each);
  cleanups.push(async () => {
    if (!closed()) engine.obey({ kind: 'close-all' });
    await eventually('everything closes', closed);
  });
  const of = (id: number, kind: string) =>
    news.flatMap((each) => ('id' in each && each.id === id && each.news.kind === kind ? [each.news] : []));
  const open = async (
    id: number,
    address = '127.0.0.1',
    latching: 'same-address' | 'first-source' = 'same-address',
  ) => {
    engine.obey({ kind: 'open', id, address, latching });
    await eventually('it is open', () => of(id, 'opened').length + of(id, 'not-opened').length > 0);
    const [opened] = of(id, 'opened');
    return opened?.kind === 'opened' ? opened.port : 0;
  };
  return { environment, engine, news, of, open, totals: new Float64Array(data.totals) };
}

interface CallOptions {
  readonly sdp?: (port: number) => string;
  readonly local?: Partial<LocalMedia>;
  readonly timeout?: number;
  readonly latching?: 'same-address' | 'first-source';
  /** Whether the call is left unanswered for the test to start. */
  readonly ringing?: boolean;
}

/** One started call with a peer that receives RTP, and another socket for RTCP. */
async function startCall({ sdp, local, timeout, latching, ringing }: CallOptions = {}) {
  const world = await startEngine({ timeout });
  const [peer, reports] = [await openPeer(), await openPeer()];
  cleanups.push(peer.close, reports.close);
  const port = await world.open(1, '127.0.0.1', latching);
  const described: LocalMedia = {
    address: '127.0.0.1',
    port,
    sessionId: '1',
    version: 1,
    codecs: ['PCMU', 'PCMA'],
    srtp: 'off',
    keys: new Map(SUITES.map((suite, index) => [suite, new Uint8Array(30).fill(index + 1)])),
    comfortNoise: false,
    eventType: 101,
    ...local,
  };
  const agree = (text: string) => {
    const agreement = readAnswer(text, described);
    if ('refused' in agreement) throw new Error(agreement.refused);
    world.engine.obey({ kind: 'agree', id: 1, agreement });
  };
  const toReports = `a=rtcp:${reports.port}`;
  agree(sdp?.(peer.port) ?? peerSdp(peer.port, [toReports]));
  const start = () => world.engine.obey({ kind: 'start', id: 1 });
  if (!ringing) start();
  let clips = 0;
  let plays = 0;
  const play = (codec: 'PCMU' | 'PCMA', ...sounds: (Int16Array | number)[]) => {
    const items = sounds.map((sound) => {
      if (typeof sound === 'number') return { silence: sound };
      world.engine.obey({ kind: 'clip', clip: ++clips, bytes: encode(codec, sound) });
      return { clip: clips };
    });
    world.engine.obey({ kind: 'play', id: 1, play: ++plays, codec, items });
    return plays;
  };
  /** Lets frames pass, and waits until their packets have come. */
  const pass = async (frames: number, packets = frames) => {
    const before = peer.packets.length;
    await world.environment.advance(frames * 20);
    await eventually(`${packets} packets come`, () => peer.packets.length >= before + packets);
  };
  /** Sends packets and waits until they were received. */
  const say = async (...packets: Buffer[]) => {
    const before = world.totals[3]!;
    for (const packet of packets) await peer.send(packet, port);
    await eventually('they are received', () => world.totals[3]! >= before + packets.length);
  };
  const close = async (): Promise<MediaStats> => {
    world.engine.obey({ kind: 'close', id: 1 });
    await eventually('it closes', () => world.of(1, 'closed').length === 1);
    const [closed] = world.of(1, 'closed');
    if (closed?.kind !== 'closed') throw new Error('never closed');
    return closed.stats;
  };
  return { ...world, peer, reports, port, start, agree, play, pass, say, close, toReports };
}

const payload = (packets: readonly RtpPacket[]) => Buffer.concat(packets.map((packet) => packet.payload));

describe('what is sent', () => {
  it.each([
    ['PCMU', '0 101', mulaw, 0xff],
    ['PCMA', '8 101', alaw, 0xd5],
  ] as const)(
    'is the samples in %s, bit by bit, clips and silence without a gap, then silence',
    async (codec, types, library, quiet) => {
      const { peer, play, pass, of } = await startCall({ sdp: (port) => peerSdp(port, [], types) });
      const [one, two] = [tone(1000), tone(411, 0.9)];
      play(codec, one, 90, two);
      await pass(13);
      const expected = Buffer.alloc(13 * 160, quiet);
      expected.set(library.encode(one), 0);
      expected.set(library.encode(two), 1090);
      expect(payload(peer.rtp())).toEqual(expected);
      expect(of(1, 'play-ended')).toEqual([{ kind: 'play-ended', play: 1, how: 'played' }]);
      expect(
        [...library.decode(payload(peer.rtp()).subarray(0, 1000))].every(
          (sample, at) => Math.abs(sample - one[at]!) < 300,
        ),
      ).toBe(true);
    },
  );

  it('has one source, numbers and timestamps without a gap, and a marker on the first packet only', async () => {
    const { peer, pass } = await startCall();
    await pass(60);
    const headers = peer.rtp().map(({ header }) => header);
    const [first] = headers;
    headers.forEach((header, at) => {
      expect(header).toMatchObject({ version: 2, payloadType: 0, ssrc: first!.ssrc, marker: at === 0 });
      expect(header.sequenceNumber).toBe((first!.sequenceNumber + at) & 0xffff);
      expect(header.timestamp).toBe((first!.timestamp + at * 160) >>> 0);
    });
  });

  it('is 40 ms a packet where the peer asks for it', async () => {
    const { peer, play, pass } = await startCall({ sdp: (port) => peerSdp(port, ['a=ptime:40']) });
    const sound = tone(640);
    play('PCMU', sound);
    await pass(8, 4);
    expect(peer.rtp().map((packet) => packet.payload.length)).toEqual([320, 320, 320, 320]);
    expect(payload(peer.rtp()).subarray(0, 640)).toEqual(Buffer.from(mulaw.encode(sound)));
    const [one, two] = peer.rtp();
    expect(two!.header.timestamp - one!.header.timestamp).toBe(320);
  });

  it('is comfort noise in the pauses where both use it, and sound begins again with a marker', async () => {
    const { peer, play, pass } = await startCall({
      local: { comfortNoise: true },
      sdp: (port) => peerSdp(port, [], '0 13 101'),
    });
    await pass(30, 3);
    play('PCMU', tone(320));
    await pass(2);
    await pass(1);
    expect(
      peer.rtp().map(({ header, payload: { length } }) => [header.payloadType, length, header.marker]),
    ).toEqual([
      [13, 1, false],
      [13, 1, false],
      [13, 1, false],
      [0, 160, true],
      [0, 160, false],
      [13, 1, false],
    ]);
    const times = peer.rtp().map(({ header }) => header.timestamp);
    expect(times[3]! - times[0]!).toBe(30 * 160);
  });

  it('stops at once when told, and a new play takes the place of the old one', async () => {
    const { peer, play, pass, engine, of } = await startCall();
    play('PCMU', tone(8000));
    await pass(2);
    play('PCMU', tone(8000, 1.1));
    await pass(2);
    engine.obey({ kind: 'stop', id: 1 });
    await pass(2);
    expect(of(1, 'play-ended')).toEqual([
      { kind: 'play-ended', play: 1, how: 'stopped' },
      { kind: 'play-ended', play: 2, how: 'stopped' },
    ]);
    expect(payload(peer.rtp().slice(2, 4))).toEqual(
      Buffer.from(mulaw.encode(tone(8000, 1.1)).subarray(0, 320)),
    );
    expect(payload(peer.rtp().slice(4)).every((byte) => byte === 0xff)).toBe(true);
  });

  it('stands still while the peer holds the call, and goes on where it was', async () => {
    const { peer, play, pass, agree } = await startCall();
    const sound = tone(960);
    play('PCMU', sound);
    await pass(3);
    agree(peerSdp(peer.port, ['a=sendonly']));
    await pass(50, 0);
    expect(peer.packets).toHaveLength(3);
    agree(peerSdp(peer.port));
    await pass(3);
    expect(payload(peer.rtp())).toEqual(Buffer.from(mulaw.encode(sound)));
    const times = peer.rtp().map(({ header }) => header.timestamp);
    expect(times[3]! - times[2]!).toBe(51 * 160);
    expect(peer.rtp()[3]!.header.marker).toBe(true);
  });

  it('are key presses as telephone events, what is played standing still', async () => {
    const { peer, play, pass, engine, of } = await startCall();
    const sound = tone(480);
    play('PCMU', sound);
    await pass(1);
    engine.obey({ kind: 'dtmf', id: 1, send: 9, digits: '4#' });
    await pass(30);
    const events = peer.rtp().filter(({ header }) => header.payloadType === 101);
    expect(events).toHaveLength(20);
    expect([...new Set(events.map((event) => event.payload[0]))]).toEqual([4, 11]);
    expect(events[10]!.header.timestamp - events[0]!.header.timestamp).toBe(12 * 160);
    expect(of(1, 'dtmf-ended')).toEqual([{ kind: 'dtmf-ended', send: 9, failure: null }]);
    const heard = peer.rtp().filter(({ header }) => header.payloadType === 0);
    const frames = heard
      .map((packet) => packet.payload)
      .filter((bytes) => bytes.some((byte) => byte !== 0xff));
    expect(Buffer.concat(frames)).toEqual(Buffer.from(mulaw.encode(sound)));
  });

  it('stops rather than play what was encoded in a codec that is agreed on no longer', async () => {
    const { peer, play, pass, agree, of } = await startCall();
    play('PCMU', tone(8000));
    await pass(2);
    agree(peerSdp(peer.port, [], '8'));
    await pass(2);
    expect(of(1, 'play-ended')).toEqual([{ kind: 'play-ended', play: 1, how: 'stopped' }]);
    expect(payload(peer.rtp().slice(2)).every((byte) => byte === 0xd5)).toBe(true);
    expect(peer.rtp()[2]!.header.payloadType).toBe(8);
  });

  it('leaves out the frames of a long stall, and nothing of what is played', async () => {
    const { peer, play, environment, pass } = await startCall();
    const sound = tone(800);
    play('PCMU', sound);
    await pass(2);
    const monotonic = environment.monotonic.bind(environment);
    environment.monotonic = () => monotonic() + 1000;
    await pass(3);
    expect(payload(peer.rtp())).toEqual(Buffer.from(mulaw.encode(sound)));
    const headers = peer.rtp().map(({ header }) => header);
    expect(headers[2]!.timestamp - headers[1]!.timestamp).toBeGreaterThan(45 * 160);
    expect(headers[2]!.marker).toBe(true);
    expect(headers[2]!.sequenceNumber).toBe(headers[1]!.sequenceNumber + 1);
  });

  it('is refused to be played when a clip is not there, in a codec not agreed on, or to a call that has ended', async () => {
    const { engine, of, play } = await startCall();
    engine.obey({ kind: 'play', id: 1, play: 71, codec: 'PCMU', items: [{ clip: 999 }] });
    play('PCMA', tone(160));
    engine.obey({ kind: 'play', id: 2, play: 72, codec: 'PCMU', items: [] });
    expect([...of(1, 'play-ended'), ...of(2, 'play-ended')].map((each) => 'how' in each && each.how)).toEqual(
      ['stopped', 'stopped', 'stopped'],
    );
  });
});

describe('reports (RTCP)', () => {
  it('come every few seconds with CNAME, tell what was sent and received, and end with BYE', async () => {
    const { reports, say, pass, close, environment } = await startCall();
    await say(...[1, 2, 3, 5].map((sequence) => packetOf(sequence, new Uint8Array(160).fill(0xff))));
    await pass(500, 400);
    await eventually('reports come', () => reports.packets.length >= 2);
    const [sender] = RtcpPacketConverter.deSerialize(reports.packets[0]!.bytes) as [RtcpSrPacket];
    expect(sender).toBeInstanceOf(RtcpSrPacket);
    expect(sender.senderInfo.octetCount).toBe(sender.senderInfo.packetCount * 160);
    expect(sender.reports[0]).toMatchObject({ ssrc: 4711, packetsLost: 1, highestSequence: 5 });
    const wall = Number(sender.senderInfo.ntpTimestamp >> 32n) - 2_208_988_800;
    expect(Math.abs(wall - environment.now() / 1000)).toBeLessThan(11);
    const count = reports.packets.length;
    await close();
    await eventually('BYE comes', () => reports.packets.length > count);
    expect(reports.packets.at(-1)!.bytes.at(-7)).toBe(203);
  });

  it('of the peer are read, whatever else comes to that port', async () => {
    const { environment, reports, peer, port, pass, close } = await startCall();
    await pass(1);
    const block = {
      ssrc: peer.rtp()[0]!.header.ssrc,
      fractionLost: 0,
      lost: 6,
      highestSequence: 0,
      jitter: 40,
      echo: null,
    };
    const base = { ssrc: 4711, cname: 'peer', now: environment.now(), timestamp: 0, packets: 1, octets: 1 };
    for (const bytes of [Buffer.from('nonsense'), Buffer.alloc(0), writeReport({ ...base, block })]) {
      await reports.send(bytes, port + 1);
    }
    await pass(150);
    await eventually('reports come', () => reports.packets.length > 0);
    expect((await close()).remote).toEqual({ packetsLost: 6, jitterMs: 5, roundTripMs: null });
    const [sender] = RtcpPacketConverter.deSerialize(reports.packets[0]!.bytes) as [RtcpSrPacket];
    expect(sender.senderInfo.packetCount).toBeGreaterThan(0);
  });
});

describe('what is heard', () => {
  it('is a key press, once, with its length', async () => {
    const { say, of } = await startCall();
    const event = (sequence: number, duration: number, end = 0) =>
      packetOf(sequence, Uint8Array.of(5, end | 10, duration >> 8, duration & 0xff), {
        type: 101,
        timestamp: 8000,
        marker: sequence === 1,
      });
    await say(event(1, 160), event(2, 320), event(3, 800, 0x80), event(4, 800, 0x80), event(5, 800, 0x80));
    expect(of(1, 'dtmf')).toEqual([{ kind: 'dtmf', digit: '5', durationMs: 100 }]);
  });

  it('is nothing, and nothing is sent, before the call is answered', async () => {
    const { say, of, environment, start, peer, totals } = await startCall({ ringing: true });
    const press = (sequence: number, key: number) =>
      packetOf(sequence, Uint8Array.of(key, 0x8a, 3, 32), { type: 101, timestamp: sequence * 1000 });
    for (let sequence = 0; sequence < 10; sequence++) await say(packetOf(sequence, mulaw.encode(tone(160))));
    await say(press(10, 1));
    await environment.advance(1000);
    expect([peer.packets.length, totals[4]]).toEqual([0, 0]);
    start();
    await say(press(11, 2));
    expect(of(1, 'dtmf')).toEqual([{ kind: 'dtmf', digit: '2', durationMs: 100 }]);
    expect(of(1, 'voice-start')).toEqual([]);
  });

  it('is voice: where it starts, and how long it was', async () => {
    const { say, of, environment } = await startCall();
    const loud = mulaw.encode(tone(160));
    for (let sequence = 0; sequence < 60; sequence++) {
      await say(packetOf(sequence, sequence >= 10 && sequence < 30 ? loud : new Uint8Array(160).fill(0xff)));
      await environment.advance(20);
    }
    expect(of(1, 'voice-start')).toHaveLength(1);
    expect(of(1, 'voice-end')).toEqual([{ kind: 'voice-end', lengthMs: 400 }]);
  });

  it('is the end of a voice that stops with its packets', async () => {
    const { say, of, environment } = await startCall();
    for (let sequence = 0; sequence < 10; sequence++) {
      await say(packetOf(sequence, mulaw.encode(tone(160))));
      await environment.advance(20);
    }
    await environment.advance(500);
    expect(of(1, 'voice-end')).toHaveLength(1);
  });

  it('is nothing for the time-out, once, and again only after something came', async () => {
    const { say, of, environment, agree, peer } = await startCall({ timeout: 5000 });
    await environment.advance(4900);
    expect(of(1, 'timeout')).toHaveLength(0);
    await environment.advance(20_000);
    expect(of(1, 'timeout')).toHaveLength(1);
    await say(packetOf(1, new Uint8Array(160)));
    await environment.advance(6000);
    expect(of(1, 'timeout')).toHaveLength(2);
    agree(peerSdp(peer.port, ['a=inactive']));
    await environment.advance(20_000);
    expect(of(1, 'timeout')).toHaveLength(2);
    agree(peerSdp(peer.port));
    await environment.advance(6000);
    expect(of(1, 'timeout')).toHaveLength(3);
  });
});

describe('symmetric RTP', () => {
  it('sends to the port that the peer sends from, and no other port or address takes it away', async () => {
    const { environment, peer, port, say, pass, totals } = await startCall({ sdp: () => peerSdp(9) });
    await say(packetOf(1, new Uint8Array(160)));
    await pass(2);
    const [thief, stranger] = [await openPeer(), await openPeer('127.0.0.2')];
    cleanups.push(thief.close, stranger.close);
    for (const each of [thief, stranger])
      each.socket.send(packetOf(2, new Uint8Array(160)), port, '127.0.0.1');
    await eventually('they are refused', () => totals[4]! === 2);
    await pass(2);
    expect(thief.packets.length + stranger.packets.length).toBe(0);
    await environment.advance(1100);
    for (const each of [stranger, thief])
      each.socket.send(packetOf(3, new Uint8Array(160)), port, '127.0.0.1');
    await eventually('they are received', () => totals[3]! === 5);
    await environment.advance(60);
    await eventually('the new port of the address is used', () => thief.packets.length > 0);
    expect(stranger.packets).toHaveLength(0);
    expect(peer.packets.length).toBeGreaterThan(0);
  });

  it('takes the first source whatever its address where the trunk is set so, and nothing before an answer', async () => {
    const { environment, port, totals, peer } = await startCall({
      latching: 'first-source',
      sdp: () => peerSdp(9, [], '0', '192.0.2.99'),
    });
    const far = await openPeer('127.0.0.3');
    cleanups.push(far.close);
    far.socket.send(Buffer.from('no RTP at all'), port, '127.0.0.1');
    far.socket.send(packetOf(1, new Uint8Array(160)), port, '127.0.0.1');
    await eventually('it is received', () => totals[3]! === 2);
    peer.socket.send(packetOf(1, new Uint8Array(160)), port, '127.0.0.1');
    await eventually('the second source is refused', () => totals[4]! === 2);
    await environment.advance(40);
    await eventually('the first is sent to', () => far.packets.length > 0);
    expect(peer.packets).toHaveLength(0);
  });
});

describe('SRTP', () => {
  const theirs = new Uint8Array(30).fill(77);
  const crypto = `a=crypto:1 ${SUITES[0]} inline:${Buffer.from(theirs).toString('base64')}`;

  it('protects what is sent and reported, and takes only what is protected', async () => {
    const ours = new Uint8Array(30).fill(1);
    const { peer, reports, play, pass, say, totals, of, agree, toReports } = await startCall({
      local: { srtp: 'optional' },
      sdp: (port) => peerSdp(port, [crypto]),
    });
    agree(peerSdp(peer.port, [crypto, toReports]));
    const sound = tone(320);
    play('PCMU', sound);
    await pass(300, 290);
    await eventually('a report comes', () => reports.packets.length > 0);
    const early = reports.packets.length;
    // The same keys in a re-INVITE keep their place: a fresh start would use the key stream twice.
    agree(peerSdp(peer.port, [crypto, toReports, 'a=sendrecv']));
    await pass(400, 390);
    await eventually('another report comes', () => reports.packets.length > early);
    const receiver = new SrtpReceiver(SUITES[0], ours);
    const opened = peer.packets.map(({ bytes }) => bytes.subarray(12, receiver.open(bytes, 12)));
    expect(Buffer.concat(opened.slice(0, 2))).toEqual(Buffer.from(mulaw.encode(sound)));
    expect(opened.every(({ length }) => length === 160)).toBe(true);
    for (const { bytes } of reports.packets) expect(receiver.openReport(bytes)?.[1]).toBe(200);
    const event = packetOf(1, Uint8Array.of(5, 0x8a, 3, 32), { type: 101 });
    await say(event);
    expect(totals[4]).toBe(1);
    const room = Buffer.concat([packetOf(1, Uint8Array.of(6, 0x8a, 3, 32), { type: 101 }), Buffer.alloc(14)]);
    await say(room.subarray(0, new SrtpSender(SUITES[0], theirs).protect(room, 12, 16)));
    expect(of(1, 'dtmf')).toEqual([{ kind: 'dtmf', digit: '6', durationMs: 100 }]);
    // The same key for the other suite, whose tag is shorter.
    agree(peerSdp(peer.port, [crypto.replace(SUITES[0], SUITES[1]), toReports]));
    const other = Buffer.concat([
      packetOf(2, Uint8Array.of(7, 0x8a, 3, 32), { type: 101 }),
      Buffer.alloc(14),
    ]);
    await say(other.subarray(0, new SrtpSender(SUITES[1], theirs).protect(other, 12, 16)));
    expect(totals[4]).toBe(1);
  });
});

describe('calls that begin one after the other', () => {
  it('each send their first packet in time, whatever the others wait for', async () => {
    const { environment, engine, open, totals } = await startEngine();
    const peer = await openPeer();
    cleanups.push(peer.close);
    for (let id = 1; id <= 10; id++) {
      const port = await open(id);
      const local: LocalMedia = {
        address: '127.0.0.1',
        port,
        sessionId: '1',
        version: 1,
        codecs: ['PCMU'],
        srtp: 'off',
        keys: new Map(),
        comfortNoise: false,
        eventType: 101,
      };
      const agreement = readAnswer(peerSdp(peer.port), local);
      if ('refused' in agreement) throw new Error(agreement.refused);
      engine.obey({ kind: 'agree', id, agreement });
      engine.obey({ kind: 'start', id });
      await environment.advance(45);
    }
    expect(totals[1]).toBeGreaterThan(100);
    expect(totals[2]).toBe(0);
  });
});

describe('ports', () => {
  it('are all free again after 500 calls, and those of other programs are passed over', async () => {
    const ports = await freeRange(10);
    const squatter = await openPeer('127.0.0.1', ports.from + 4);
    cleanups.push(squatter.close);
    const { open, engine, of, totals } = await startEngine({ ports });
    let id = 0;
    for (let round = 0; round < 125; round++) {
      const opened: number[] = [];
      const ids = [++id, ++id, ++id, ++id];
      for (const each of ids) opened.push(await open(each));
      expect(opened.map((port) => port - ports.from).sort()).toEqual([0, 2, 6, 8]);
      for (const each of ids) engine.obey({ kind: 'close', id: each });
      await eventually('they close', () => ids.every((each) => of(each, 'closed').length === 1));
    }
    expect(totals[0]).toBe(0);
  });

  it('run out with a reason, and are there again after a close', async () => {
    const ports = await freeRange(2);
    const { open, engine, of } = await startEngine({ ports });
    expect(await open(1)).toBe(ports.from);
    expect(await open(2)).toBe(0);
    const reason = `all RTP ports from ${ports.from} to ${ports.to} are in use`;
    expect(of(2, 'not-opened')).toMatchObject([{ reason }]);
    engine.obey({ kind: 'close', id: 1 });
    await eventually('it closes', () => of(1, 'closed').length === 1);
    expect(await open(3)).toBe(ports.from);
  });

  it('cannot be had of an address that is not ours', async () => {
    const { open, of } = await startEngine();
    expect(isIP('192.0.2.1')).toBe(4);
    expect(await open(1, '192.0.2.1')).toBe(0);
    expect(of(1, 'not-opened')).toMatchObject([{ reason: expect.stringContaining('EADDRNOTAVAIL') }]);
  });
});

it('takes whatever comes to its ports without an error', async () => {
  const { environment, say, reports, port, close, totals, peer } = await startCall();
  const packets = fc
    .sample(fc.uint8Array({ maxLength: 1600 }), { numRuns: 300, seed: 5 })
    .map((bytes, at) => {
      if (bytes.length > 1 && at % 2) bytes.set([0x80 | (bytes[0]! & 0x3f), [0, 8, 13, 101][at % 4]!]);
      return Buffer.from(bytes);
    });
  for (const packet of packets) {
    await say(packet);
    await reports.send(packet, port + 1);
    await environment.advance(20);
  }
  expect(totals[3]).toBe(300);
  expect((await close()).packetsReceived).toBeLessThan(300);
  expect(peer.packets.length).toBeGreaterThan(0);
});

it('looks at no more than a hundred packets in 100 ms', async () => {
  const { say, totals } = await startCall();
  await say(...Array.from({ length: 150 }, (_, sequence) => packetOf(sequence, new Uint8Array(160))));
  expect(totals[4]).toBe(50);
});
