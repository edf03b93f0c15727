import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIGITS, DtmfReceiver, DtmfSender, type KeyPress } from '#delivery/carriers/sip/media/dtmf.js';

interface Packet {
  readonly payload: Uint8Array;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly at: number;
}

/** The packets of key presses one after the other, as RFC 4733 has them sent every 20 ms. */
function packetsOf(digits: string, start = 5000): Packet[] {
  const sender = new DtmfSender();
  sender.add(digits);
  const packets: Packet[] = [];
  for (let frame = 0; sender.busy; frame++) {
    const packet = sender.next(160);
    const timestamp = (start + frame * 160 - (packet?.age ?? 0)) >>> 0;
    if (packet) packets.push({ payload: packet.payload, marker: packet.marker, timestamp, at: frame * 20 });
  }
  return packets;
}

function hear(packets: readonly Packet[], receiver = new DtmfReceiver()): KeyPress[] {
  const pressed: KeyPress[] = [];
  for (const { payload, timestamp, marker, at } of packets) {
    const late = receiver.overdue(at);
    if (late) pressed.push(late);
    pressed.push(...receiver.take(payload, timestamp, marker, at));
  }
  const last = receiver.overdue((packets.at(-1)?.at ?? 0) + 1000);
  return last ? [...pressed, last] : pressed;
}

const digitsOf = (pressed: readonly KeyPress[]) => pressed.map(({ digit }) => digit).join('');
const digits = fc.string({ unit: fc.constantFrom(...DIGITS), minLength: 1, maxLength: 12 });

describe('hearing telephone events', () => {
  it('hears each key once, with its length', () => {
    expect(hear(packetsOf('1#'))).toEqual([
      { digit: '1', durationMs: 160 },
      { digit: '#', durationMs: 160 },
    ]);
  });

  it('tells the same key pressed twice from one press', () => {
    expect(digitsOf(hear(packetsOf('55')))).toBe('55');
  });

  it('hears every key once when packets are lost, doubled or overtaken, as long as one of each arrives', () => {
    fc.assert(
      fc.property(
        digits,
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        fc.nat(),
        (text, dice, start) => {
          const sent = packetsOf(text, start);
          const kept = new Map<number, Packet>();
          for (const packet of sent) kept.set(packet.timestamp, packet);
          const survivors = new Set([...kept.values()]);
          const received = sent.flatMap((packet) => {
            const throw_ = dice.next().value;
            if (throw_ < 4 && !survivors.has(packet)) return [];
            return throw_ > 7 ? [packet, packet] : [packet];
          });
          // Neighbours change places.
          for (let at = 1; at < received.length; at++) {
            const [before, after] = [received[at - 1]!, received[at]!];
            if (dice.next().value === 0 && before.timestamp === after.timestamp) {
              received[at - 1] = { ...after, at: before.at };
              received[at] = { ...before, at: after.at };
            }
          }
          expect(digitsOf(hear(received))).toBe(text);
        },
      ),
    );
  });

  it('hears a key whose end packets are all lost, with the length known', () => {
    const packets = packetsOf('7').filter(({ payload }) => payload[1]! < 0x80);
    expect(hear(packets)).toEqual([{ digit: '7', durationMs: 140 }]);
  });

  it('takes a key held for 20 s, in segments, for one press', () => {
    const packets: Packet[] = [];
    let at = 0;
    const segments = [0xffff, 0xffff, 28_930];
    let timestamp = 0xffff_0000;
    for (const [number, length] of segments.entries()) {
      const last = number === segments.length - 1;
      for (const duration of [160, length]) {
        const end = last && duration === length ? 0x80 : 0;
        const payload = Uint8Array.of(3, end | 10, duration >> 8, duration & 0xff);
        packets.push({ payload, timestamp: timestamp >>> 0, marker: packets.length === 0, at });
        at += 20;
      }
      timestamp += length;
    }
    expect(hear(packets)).toEqual([{ digit: '3', durationMs: 20_000 }]);
  });

  it('believes twenty presses a second at most', () => {
    const flood = Array.from({ length: 500 }, (_, count) => ({
      payload: Uint8Array.of(1, 0x80, 0, 160),
      timestamp: count * 160,
      marker: true,
      at: count,
    }));
    expect(hear(flood)).toHaveLength(20);
  });

  it('reads any bytes without an error, and says nothing of other events than keys', () => {
    const receiver = new DtmfReceiver();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(),
        fc.boolean(),
        fc.nat(),
        (payload, timestamp, marker, at) => {
          for (const { digit, durationMs } of receiver.take(payload, timestamp, marker, at)) {
            expect(DIGITS).toContain(digit);
            expect(durationMs).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
    expect(hear([{ payload: Uint8Array.of(16, 0x80, 1, 0), timestamp: 0, marker: true, at: 0 }])).toEqual([]);
  });
});

it('sends an event as RFC 4733 §2.5.1 says: one marker, growing duration, the end three times', () => {
  const packets = packetsOf('A');
  expect(packets.map(({ marker }) => marker)).toEqual([true, ...new Array(9).fill(false)]);
  expect(new Set(packets.map(({ timestamp }) => timestamp))).toEqual(new Set([5000]));
  expect(packets.map(({ payload }) => (payload[2]! << 8) | payload[3]!)).toEqual([
    160, 320, 480, 640, 800, 960, 1120, 1280, 1280, 1280,
  ]);
  expect(packets.filter(({ payload }) => payload[1]! & 0x80)).toHaveLength(3);
  expect(packets.every(({ payload }) => payload[0] === 12)).toBe(true);
});
