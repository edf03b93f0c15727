import { parse } from 'sdp-transform';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Clips } from '#delivery/carriers/sip/media/clips.js';
import { type CreateMediaOptions, createMedia } from '#delivery/carriers/sip/media/create-media.js';
import type { Media, MediaOptions } from '#delivery/carriers/sip/media/media.js';
import type { PortRange } from '#delivery/carriers/sip/media/ports.js';
import { freeRange, hasIpv6 } from '../../../../support/ports.js';
import { eventually, VirtualEnvironment } from '../../../../support/virtual-time.js';
import { alaw, mulaw, openPeer, packetOf, peerSdp, tone } from './support.js';

const MORTAL = new URL('./mortal-worker.js', import.meta.url);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let ports: PortRange;
beforeAll(async () => {
  ports = await freeRange(100);
});

function startMedia(options: Partial<CreateMediaOptions> = {}): {
  media: Media;
  environment: VirtualEnvironment;
} {
  const environment = new VirtualEnvironment();
  const media = createMedia({ environment, ports, ...options });
  cleanups.push(() => media.close());
  return { media, environment };
}

const CALL: MediaOptions = {
  call: 'a call',
  address: '127.0.0.1',
  publicAddress: null,
  codecs: ['PCMU', 'PCMA'],
  srtp: 'off',
};

async function startCall(media: Media, types = '0 101') {
  const peer = await openPeer();
  cleanups.push(peer.close);
  const session = await media.open(CALL);
  session.offer();
  expect(session.answer(peerSdp(peer.port, [], types))).toBe('ok');
  session.start();
  return { peer, session };
}

describe('a call', () => {
  it.each([
    ['0', mulaw, 0xff],
    ['8', alaw, 0xd5],
  ] as const)('plays clips bit by bit, in real time, under payload type %s', async (type, library, quiet) => {
    const { peer, session } = await startCall(startMedia().media, `${type} 101`);
    const sound = tone(960);
    await expect(session.play([{ samples: sound }, { silence: 20 }, { samples: sound }])).resolves.toBe(
      'played',
    );
    await eventually(
      'all comes',
      () => peer.rtp().filter(({ payload }) => payload.some((byte) => byte !== quiet)).length >= 12,
    );
    const heard = Buffer.concat(peer.rtp().map(({ payload }) => payload));
    const expected = Buffer.concat([library.encode(sound), Buffer.alloc(160, quiet), library.encode(sound)]);
    expect(heard.includes(expected)).toBe(true);
    const stats = await session.close();
    expect(stats).toMatchObject({ codec: type === '0' ? 'PCMU' : 'PCMA', srtp: false, packetsReceived: 0 });
    expect(stats.packetsSent).toBeGreaterThanOrEqual(13);
  });

  it('tells keys and voice of the peer, and sends keys to it', async () => {
    const { media } = startMedia();
    const { peer, session } = await startCall(media);
    const told: unknown[] = [];
    session.on('dtmf', (...values) => told.push(values));
    session.on('voice-start', () => told.push('voice'));
    session.on('voice-end', (length) => told.push(typeof length));
    for (let sequence = 0; sequence < 5; sequence++) {
      await peer.send(packetOf(sequence, mulaw.encode(tone(160))), session.port);
    }
    await peer.send(packetOf(5, Uint8Array.of(1, 0x8a, 3, 32), { type: 101 }), session.port);
    await eventually('it is told', () => told.length === 3);
    expect(told).toEqual(['voice', ['1', 100], 'number']);
    await session.sendDtmf('2');
    expect(peer.rtp().some(({ header, payload }) => header.payloadType === 101 && payload[0] === 2)).toBe(
      true,
    );
    expect(media.stats()).toMatchObject({
      activeCalls: 1,
      packetsReceived: 6,
      packetsRefused: 0,
      restarts: 0,
    });
    expect((await session.close()).packetsReceived).toBe(6);
    expect(media.stats().activeCalls).toBe(0);
  });

  it('ends what is going on when it is closed, and gives the same answer again', async () => {
    const { session } = await startCall(startMedia().media);
    const playing = session.play([{ silence: 60_000 }]);
    const sending = expect(session.sendDtmf('123456')).rejects.toThrow('the call has ended');
    const stats = await session.close();
    await sending;
    expect(await playing).toBe('stopped');
    expect(await session.close()).toBe(stats);
    expect(await session.play([{ silence: 10 }])).toBe('stopped');
    await expect(session.sendDtmf('1')).rejects.toThrow('the call has ended');
  });

  it('refuses sounds and digits out of bounds, and digits to a peer that takes none', async () => {
    const { media } = startMedia();
    const { session } = await startCall(media, '0');
    await expect(session.play([{ silence: -1 }])).rejects.toThrow(RangeError);
    await expect(session.play([{ silence: Number.NaN }])).rejects.toThrow(RangeError);
    await expect(session.play([{ samples: new Int16Array(8000 * 121) }])).rejects.toThrow(RangeError);
    await expect(session.sendDtmf('x')).rejects.toThrow(RangeError);
    await expect(session.sendDtmf('1')).rejects.toThrow('takes no telephone events');
    expect(await (await media.open(CALL)).play([{ silence: 10 }])).toBe('stopped');
  });

  it('changes its SDP version only when the text changes, and keeps what was agreed when an offer is refused', async () => {
    const { peer, session } = await startCall(startMedia().media);
    const first = session.offer();
    expect(session.offer()).toBe(first);
    const version = (text: string) => parse(text).origin.sessionVersion;
    const held = session.answerOffer(peerSdp(peer.port, ['a=sendonly']))!;
    expect(version(held)).toBe(version(first) + 1);
    expect(session.answerOffer(peerSdp(peer.port, ['a=sendonly']))).toBe(held);
    const resumed = session.answerOffer(peerSdp(peer.port, [], '0 96 101'))!;
    expect(version(resumed)).toBe(version(first) + 2);
    expect(session.answerOffer('m=image 9 udptl t38')).toBeNull();
    expect(session.answer(peerSdp(0))).toEqual({ refused: expect.stringContaining('port 0') });
    expect(await session.play([{ silence: 20 }])).toBe('played');
  });
});

describe('ports', () => {
  it('are given back by 500 calls, of a range for ten', async () => {
    const { media } = startMedia({ ports: await freeRange(20) });
    for (let round = 0; round < 50; round++) {
      const sessions = await Promise.all(Array.from({ length: 10 }, () => media.open(CALL)));
      expect(new Set(sessions.map(({ port }) => port)).size).toBe(10);
      for (const session of sessions) {
        session.answer(peerSdp(9));
        session.start();
      }
      await Promise.all(sessions.map((session) => session.close()));
    }
    expect(media.stats().activeCalls).toBe(0);
  });

  it('that have run out, or an address that cannot be bound, fail the open with the reason', async () => {
    const range = await freeRange(2);
    const { media } = startMedia({ ports: range });
    await media.open(CALL);
    await expect(media.open(CALL)).rejects.toThrow(
      `call a call: all RTP ports from ${range.from} to ${range.to} are in use`,
    );
    await expect(media.open({ ...CALL, address: '0.0.0.0' })).rejects.toThrow('public address');
    await expect(media.open({ ...CALL, address: 'localhost' })).rejects.toThrow('IP addresses');
    await expect(media.open({ ...CALL, publicAddress: '::1' })).rejects.toThrow('one family');
  });

  it('need a range with a pair', () => {
    const environment = new VirtualEnvironment();
    expect(() => createMedia({ environment, ports: { from: 3001, to: 3002 } })).toThrow(RangeError);
    expect(() => createMedia({ environment, ports: { from: 3000, to: 70_000 } })).toThrow(RangeError);
  });

  it('are written with the public address, and bound at the local one', async () => {
    const session = await startMedia().media.open({
      ...CALL,
      address: '0.0.0.0',
      publicAddress: '198.51.100.1',
    });
    expect(parse(session.offer()).connection?.ip).toBe('198.51.100.1');
  });

  it.skipIf(!hasIpv6)('are those of IPv6 where the address is (needs a machine with IPv6)', async () => {
    const { media } = startMedia();
    const peer = await openPeer('::1');
    cleanups.push(peer.close);
    const session = await media.open({ ...CALL, address: '::1' });
    expect(session.answer(peerSdp(peer.port, [], '0', '::1'))).toBe('ok');
    session.start();
    expect(await session.play([{ samples: tone(320) }])).toBe('played');
    await eventually('packets come', () => peer.packets.length >= 2);
  });
});

describe('when the media thread dies', () => {
  it('every call is told, what goes on ends, and a new thread takes new calls', async () => {
    const deaths: string[] = [];
    const { media, environment } = startMedia({
      worker: MORTAL,
      onDeath: ({ message }) => deaths.push(message),
    });
    const [one, other] = [await startCall(media), await startCall(media)];
    await eventually('they send', () => one.peer.packets.length > 2 && other.peer.packets.length > 2);
    const sound = tone(320);
    expect(await other.session.play([{ samples: sound }])).toBe('played');
    const told: string[] = [];
    for (const { session } of [one, other]) session.on('media-timeout', (reason) => told.push(reason));
    const playing = other.session.play([{ silence: 60_000 }]);
    const sent = media.stats().packetsSent;
    await expect(one.session.sendDtmf('DD')).rejects.toThrow('the call has ended');
    expect(await playing).toBe('stopped');
    expect(told).toEqual(['failed', 'failed']);
    expect(deaths).toEqual(['a wound of the test']);
    expect(await other.session.play([{ silence: 20 }])).toBe('stopped');
    expect((await one.session.close()).packetsSent).toBe(0);
    expect(media.stats()).toMatchObject({ restarts: 1, activeCalls: 0 });
    expect(media.stats().packetsSent).toBeGreaterThanOrEqual(sent);
    await expect(media.open(CALL)).rejects.toThrow('started again');
    await environment.advance(1000);
    const again = await startCall(media);
    expect(await again.session.play([{ samples: sound }])).toBe('played');
  });
});

it('closes with calls that still speak: they are stopped, and nothing is opened any more', async () => {
  const { media } = startMedia();
  const { session } = await startCall(media);
  const playing = session.play([{ silence: 60_000 }]);
  await media.close();
  expect(await playing).toBe('stopped');
  expect((await session.close()).codec).toBe('PCMU');
  await expect(media.open(CALL)).rejects.toThrow('media is closed');
});

describe('clips', () => {
  it('are handed over once per codec, and again after they were forgotten', () => {
    const clips = new Clips(1000);
    const posted: number[] = [];
    const numberOf = (samples: Int16Array, codec: 'PCMU' | 'PCMA') =>
      clips.numberOf(samples, codec, ({ clip }) => posted.push(clip));
    const [one, two, three] = [tone(400), tone(400), tone(400)];
    const first = numberOf(one, 'PCMU');
    expect(numberOf(one, 'PCMU')).toBe(first);
    expect(numberOf(one, 'PCMA')).not.toBe(first);
    expect(posted).toHaveLength(2);
    expect(clips.overflow()).toEqual([]);
    numberOf(one, 'PCMU');
    const second = numberOf(two, 'PCMU');
    // The one used longest ago goes first: the A-law form of the first clip.
    expect(clips.overflow()).toEqual([posted[1]]);
    numberOf(three, 'PCMU');
    expect(clips.overflow()).toEqual([first]);
    expect(numberOf(two, 'PCMU')).toBe(second);
    expect(numberOf(one, 'PCMU')).not.toBe(first);
    clips.clear();
    expect(numberOf(two, 'PCMU')).not.toBe(second);
  });
});
