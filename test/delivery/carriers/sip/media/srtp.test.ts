import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtectionProfileAes128CmHmacSha1_80, RtpPacket, SrtcpSession, SrtpSession } from 'werift-rtp';
import { SUITES } from '#delivery/carriers/sip/media/sdes.js';
import {
  derive,
  keystream,
  packetIndex,
  SRTP_ROOM,
  SrtpReceiver,
  SrtpSender,
} from '#delivery/carriers/sip/media/srtp.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const KEY = hex('E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6');

/** An RTP packet with room for what SRTP adds. */
function packet(sequence: number, payload: Uint8Array, ssrc = 0xcafebabe): { room: Buffer; length: number } {
  const room = Buffer.alloc(12 + payload.length + SRTP_ROOM);
  room[0] = 0x80;
  room.writeUInt16BE(sequence, 2);
  room.writeUInt32BE(sequence * 160, 4);
  room.writeUInt32BE(ssrc, 8);
  room.set(payload, 12);
  return { room, length: 12 + payload.length };
}

function protect(sender: SrtpSender, sequence: number, payload: Uint8Array): Buffer {
  const { room, length } = packet(sequence, payload);
  return Buffer.from(room.subarray(0, sender.protect(room, 12, length)));
}

describe('RFC 3711 appendix B', () => {
  it('B.2: makes the keystream of AES in counter mode', () => {
    const cipher = createCipheriv(
      'aes-128-ecb',
      hex('2B7E151628AED2A6ABF7158809CF4F3C'),
      null,
    ).setAutoPadding(false);
    const stream = keystream(cipher, hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'), 0, 0, Buffer.alloc(0xff02 * 16));
    const block = (number: number) =>
      stream
        .subarray(number * 16, number * 16 + 16)
        .toString('hex')
        .toUpperCase();
    expect(block(0)).toBe('E03EAD0935C95E80E166B16DD92B4EB4');
    expect(block(1)).toBe('D23513162B02D0F72A43A2FE4A5F97AB');
    expect(block(2)).toBe('41E95B3BB0A2E8DD477901E4FCA894C0');
    expect(block(0xfeff)).toBe('EC8CDF7398607CB0F2D21675EA9EA1E4');
    expect(block(0xff00)).toBe('362B7C3C6773516318A077D7FC5073AE');
    expect(block(0xff01)).toBe('6A2CC3787889374FBEB4C81B17BA6C44');
  });

  it('B.3: derives cipher key, salt and authentication key', () => {
    const key = (label: number, size: number) => derive(KEY, label, size).toString('hex').toUpperCase();
    expect(key(0, 16)).toBe('C61E7A93744F39EE10734AFE3FF7A087');
    expect(key(2, 14)).toBe('30CBBC08863D8C85D49DB34A9AE1');
    expect(key(1, 94)).toBe(
      'CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF7227098' +
        '6371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E4740357 66B68642C59BBFC2F34DB60DBDFB2'.replace(
          ' ',
          '',
        ),
    );
  });
});

describe.each(SUITES)('%s', (suite) => {
  it('opens what it protected, over several turns of the sequence numbers and with packets lost', () => {
    const sender = new SrtpSender(suite, KEY);
    const receiver = new SrtpReceiver(suite, KEY);
    for (let count = 0, sequence = 60_000; count < 3000; count++, sequence += count % 7 === 0 ? 90 : 47) {
      // A sender never leaves numbers out; to be quick, this one protects only what is not lost.
      const payload = Buffer.from(`frame ${count}`);
      const sent = protect(sender, sequence % 65_536, payload);
      expect(sent.indexOf(payload)).toBe(-1);
      const length = receiver.open(sent, 12);
      expect(sent.subarray(12, length)).toEqual(payload);
    }
  });

  it('refuses a repeat, a changed bit anywhere, a wrong key, and packets too short', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 480 }), fc.nat(), (payload, at) => {
        const sent = protect(new SrtpSender(suite, KEY), 7, payload);
        const forged = Buffer.from(sent);
        const bit = at % (forged.length * 8);
        forged[bit >> 3]! ^= 1 << (bit & 7);
        expect(new SrtpReceiver(suite, KEY).open(forged, 12)).toBe(-1);
        expect(new SrtpReceiver(suite, Buffer.from(KEY).reverse()).open(Buffer.from(sent), 12)).toBe(-1);
        expect(new SrtpReceiver(suite, KEY).open(Buffer.from(sent.subarray(0, 14)), 12)).toBe(-1);
        const receiver = new SrtpReceiver(suite, KEY);
        expect(receiver.open(Buffer.from(sent), 12)).toBe(12 + payload.length);
        expect(receiver.open(Buffer.from(sent), 12)).toBe(-1);
      }),
    );
  });

  it('takes packets that were overtaken by up to 63, and none older', () => {
    const sender = new SrtpSender(suite, KEY);
    const sent = Array.from({ length: 101 }, (_, sequence) => protect(sender, sequence, Buffer.from('x')));
    const receiver = new SrtpReceiver(suite, KEY);
    expect(receiver.open(sent[100]!, 12)).toBe(13);
    expect(receiver.open(sent[37]!, 12)).toBe(13);
    expect(receiver.open(sent[36]!, 12)).toBe(-1);
  });

  it('opens the RTCP that it protected once, and no other', () => {
    const sender = new SrtpSender(suite, KEY);
    const receiver = new SrtpReceiver(suite, KEY);
    const report = Buffer.from('80c90001cafebabe81ca0001cafebabe', 'hex');
    const sent = sender.protectReport(report);
    expect(sent.length).toBe(report.length + 14);
    const forged = Buffer.from(sent);
    forged[9]! ^= 1;
    expect(receiver.openReport(forged)).toBeNull();
    expect(receiver.openReport(Buffer.from(sent))).toEqual(report);
    expect(receiver.openReport(Buffer.from(sent))).toBeNull();
    expect(receiver.openReport(sender.protectReport(report))).toEqual(report);
  });

  it('reads any bytes without an error', () => {
    const receiver = new SrtpReceiver(suite, KEY);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 1500 }), (bytes) => {
        expect(receiver.open(Buffer.from(bytes), 12)).toBe(-1);
        expect(receiver.openReport(Buffer.from(bytes))).toBeNull();
      }),
    );
  });
});

it('speaks with another implementation, both ways', () => {
  const keys = {
    localMasterKey: KEY.subarray(0, 16),
    localMasterSalt: KEY.subarray(16),
    remoteMasterKey: KEY.subarray(0, 16),
    remoteMasterSalt: KEY.subarray(16),
  };
  const config = { keys, profile: ProtectionProfileAes128CmHmacSha1_80 } as const;
  const [rtp, rtcp] = [new SrtpSession(config), new SrtcpSession(config)];
  const sent = protect(new SrtpSender(SUITES[0], KEY), 41, Buffer.from('what we say'));
  const there = RtpPacket.deSerialize(rtp.decrypt(sent));
  expect(there.payload.toString()).toBe('what we say');
  const { room, length } = packet(5, Buffer.from('what they say'));
  const plain = RtpPacket.deSerialize(room.subarray(0, length));
  const back = rtp.encrypt(plain.payload, plain.header);
  const receiver = new SrtpReceiver(SUITES[0], KEY);
  expect(back.subarray(12, receiver.open(back, 12)).toString()).toBe('what they say');
  const report = Buffer.from('80c90001cafebabe', 'hex');
  expect(rtcp.decrypt(new SrtpSender(SUITES[0], KEY).protectReport(report))).toEqual(report);
});

it('finds the index nearest to the last one, as RFC 3711 §3.3.1 does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 65_536, max: 2 ** 40 }),
      fc.integer({ min: -32_000, max: 32_000 }),
      (last, step) => {
        expect(packetIndex(last, (last + step) % 65_536)).toBe(last + step);
      },
    ),
  );
  expect(packetIndex(-1, 65_535)).toBe(65_535);
  expect(packetIndex(3, 65_535)).toBeLessThan(0);
});
