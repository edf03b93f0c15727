import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RtcpPacketConverter,
  RtcpRrPacket,
  type RtcpSourceDescriptionPacket,
  type RtcpSrPacket,
} from 'werift-rtp';
import { Reception } from '#delivery/carriers/sip/media/reception.js';
import {
  middleOfNtp,
  readReport,
  reportInterval,
  roundTrip,
  writeReport,
} from '#delivery/carriers/sip/media/rtcp.js';
import { emptyHeader, payloadEnd, readHeader } from '#delivery/carriers/sip/media/rtp.js';

const NOW = Date.UTC(2026, 0, 31, 8, 52, 39, 500);
const report = {
  ssrc: 0xdeadbeef,
  cname: 'h4Tk0pFGvV2Ag6zv',
  now: NOW,
  timestamp: 123_456,
  packets: 50,
  octets: 8000,
  block: null,
};

describe('a report of ours', () => {
  it('is read by another implementation: sender report, CNAME', () => {
    const block = {
      ssrc: 7,
      fractionLost: 25,
      lost: 12,
      highestSequence: 70_000,
      jitter: 16,
      echo: { lastReport: 0x12345678, ageMs: 1500 },
    };
    const [sender, description] = RtcpPacketConverter.deSerialize(writeReport({ ...report, block })) as [
      RtcpSrPacket,
      RtcpSourceDescriptionPacket,
    ];
    expect(sender.ssrc).toBe(report.ssrc);
    expect(sender.senderInfo).toMatchObject({ rtpTimestamp: 123_456, packetCount: 50, octetCount: 8000 });
    expect(Number(sender.senderInfo.ntpTimestamp >> 32n) - 2_208_988_800).toBe(Math.floor(NOW / 1000));
    expect(Number(sender.senderInfo.ntpTimestamp & 0xffffffffn)).toBe(2 ** 31);
    expect(sender.reports[0]).toMatchObject({
      ssrc: 7,
      fractionLost: 25,
      packetsLost: 12,
      highestSequence: 70_000,
      jitter: 16,
      lsr: 0x12345678,
      dlsr: 98_304,
    });
    expect(description.chunks[0]!.items[0]).toMatchObject({ type: 1, text: report.cname });
  });

  it('is a receiver report before anything was sent, and ends with BYE when the call does', () => {
    const bytes = writeReport({ ...report, packets: 0 }, true);
    expect(RtcpPacketConverter.deSerialize(bytes)[0]).toBeInstanceOf(RtcpRrPacket);
    expect(bytes.subarray(-8).toString('hex')).toBe('81cb0001deadbeef');
    expect(readReport(bytes, 1)).toEqual({ sent: null, ours: null, goodbye: true });
  });

  it('is whole words of any name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 255 }), (cname) => {
        const read = readReport(
          writeReport({ ...report, cname: Buffer.from(cname).toString('latin1', 0, 255) }, true),
          1,
        );
        expect(read).toEqual({ sent: middleOfNtp(NOW), ours: null, goodbye: true });
      }),
    );
  });
});

describe("a peer's report", () => {
  it('says how our packets fare, and the way to and fro', () => {
    const block = {
      ssrc: report.ssrc,
      fractionLost: 0,
      lost: 3,
      highestSequence: 1,
      jitter: 80,
      echo: { lastReport: middleOfNtp(NOW - 250), ageMs: 200 },
    };
    const read = readReport(writeReport({ ...report, ssrc: 5, block }), report.ssrc);
    expect(read?.ours).toMatchObject({ lost: 3, jitter: 80 });
    expect(roundTrip(read!.ours!, NOW)).toBeCloseTo(50, 0);
    expect(readReport(writeReport({ ...report, ssrc: 5, block }), 99)?.ours).toBeNull();
  });

  it('that echoes nothing, or the future, tells no time', () => {
    expect(roundTrip({ lastReport: 0, delay: 0 }, NOW)).toBeNull();
    expect(roundTrip({ lastReport: middleOfNtp(NOW + 5000), delay: 0 }, NOW)).toBeNull();
    expect(roundTrip({ lastReport: middleOfNtp(NOW - 120_000), delay: 0 }, NOW)).toBeNull();
  });

  it('may be any bytes', () => {
    const real = writeReport({ ...report, block: { ...new Reception(1, 1).report(), echo: null } }, true);
    const bent = fc
      .tuple(fc.nat(real.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(real.length))
      .map(([at, byte, length]) => {
        const bytes = Buffer.from(real);
        bytes[at] = byte;
        return new Uint8Array(bytes.subarray(0, length));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), bent), (bytes) => {
        const read = readReport(Buffer.from(bytes), report.ssrc);
        if (read?.ours)
          expect(roundTrip(read.ours, NOW)).toSatisfy((time) => time === null || (time as number) >= 0);
      }),
      { numRuns: 1000 },
    );
  });
});

it('reports every 5 s on average, sooner at first, spread so that calls do not report together', () => {
  expect(reportInterval(0.5, false)).toBeCloseTo(4104, 0);
  expect(reportInterval(0.5, true)).toBeCloseTo(2052, 0);
  expect(reportInterval(0, false)).toBeCloseTo(2052, 0);
  expect(reportInterval(1, false)).toBeCloseTo(6156, 0);
});

describe('counting what comes (RFC 3550 appendix A)', () => {
  it('counts loss over turns of the sequence numbers, whatever is doubled or overtaken', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (first, steps) => {
          const reception = new Reception(1, first);
          reception.take(first, 0, 0);
          let sequence = first;
          let lost = 0;
          for (const step of steps) {
            sequence += step;
            lost += step - 1;
            expect(reception.take(sequence & 0xffff, 0, 0)).toBe(true);
            expect(reception.take((sequence - 1) & 0xffff, 0, 0)).toBe(false);
            lost -= 1;
          }
          expect(reception.lost).toBe(Math.max(0, lost));
          expect(reception.report().highestSequence).toBe(sequence);
        },
      ),
    );
  });

  it('measures no jitter of a steady stream, and that of one that sways', () => {
    const steady = new Reception(1, 0);
    const swaying = new Reception(1, 0);
    for (let at = 0; at < 500; at++) {
      steady.take(at, at * 160, 1000 + at * 20);
      swaying.take(at, at * 160, 1000 + at * 20 + (at % 2) * 8);
    }
    expect(steady.jitterMs).toBe(0);
    expect(swaying.jitterMs).toBeCloseTo(8, 1);
  });

  it('reports the share that was lost since the last report', () => {
    const reception = new Reception(1, 0);
    for (let at = 0; at < 100; at++) if (at % 4 !== 3) reception.take(at, at * 160, at * 20);
    reception.take(100, 16_000, 2000);
    expect(reception.report()).toMatchObject({ fractionLost: Math.floor((25 / 101) * 256), lost: 25 });
    for (let at = 101; at < 150; at++) reception.take(at, at * 160, at * 20);
    expect(reception.report()).toMatchObject({ fractionLost: 0, lost: 25 });
  });
});

it('reads any bytes as RTP or not, and never beyond their end', () => {
  const header = emptyHeader();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1600 }), fc.integer({ min: 0, max: 63 }), (bytes, low) => {
      if (bytes.length > 0) bytes[0] = 0x80 | low;
      const packet = Buffer.from(bytes);
      if (!readHeader(packet, header)) return;
      expect(packet.length).toBeLessThanOrEqual(1500);
      expect(header.start).toBeLessThanOrEqual(packet.length);
      const end = payloadEnd(packet, header, packet.length);
      if (end !== -1)
        expect(end).toSatisfy(
          (value) => (value as number) >= header.start && (value as number) <= packet.length,
        );
    }),
  );
});
