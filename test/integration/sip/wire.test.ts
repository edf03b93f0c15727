import { expect, test } from 'vitest';
import { freePorts } from '../../support/ports.js';
import { describeWith } from '../programs.js';
import { startFarEnd } from './far-end.js';
import { openLine } from './line.js';
import { type Copies, decode, listen, relay } from './wire.js';

const SPOKEN = { kind: 'accepted' };

/** A far end that is reached through a network which loses and repeats. */
async function startBehind(sipp: string, scenario: string, copies?: Copies) {
  const [port] = await freePorts(1);
  let target = 0;
  const datagrams = await relay(port!, () => target, copies);
  const farEnd = await startFarEnd(sipp, scenario, { contact: port! });
  target = farEnd.port;
  return { farEnd, port: port!, datagrams };
}

describeWith(['sipp'], 'a network', ({ sipp }) => {
  test.each<[string, string, Copies]>([
    ['loses every third datagram, either way', 'answer', (index) => (index % 3 === 0 ? 0 : 1)],
    ['loses every second of ours', 'answer', (index, isOurs) => (isOurs && index % 2 === 0 ? 0 : 1)],
    ['loses every second of theirs', 'answer', (index, isOurs) => (!isOurs && index % 2 === 0 ? 0 : 1)],
    ['brings everything twice', 'answer', () => 2],
    ['brings everything three times', 'reliable', () => 3],
  ])('that %s keeps nobody from a call', async (_, scenario, copies) => {
    const { farEnd, port, datagrams } = await startBehind(sipp, scenario, copies);
    const line = await openLine([port], { response_seconds: 30 });
    expect(await line.call()).toMatchObject(SPOKEN);
    // What was lost last is sent again, and answered.
    await farEnd.done();
    expect(line.claims()).toBe(1);
    expect(datagrams.length).toBeGreaterThan(5);
  });

  test('that brings a refusal again gets no more than its ACK again', async () => {
    const { farEnd, port, datagrams } = await startBehind(sipp, 'refuse', (_, isOurs) => (isOurs ? 1 : 3));
    const line = await openLine([port]);
    expect(await line.call()).toMatchObject({ kind: 'refused', errorCode: 3010 });
    await farEnd.done();
    // Each side says a thing again for which the other, on a busy machine, leaves it waiting: each copy has its ACK.
    await expect.poll(() => count(datagrams, 'ACK') / count(datagrams, 'SIP/2.0 486')).toBe(3);
    const invites = datagrams.filter(({ data }) => data.toString('latin1').startsWith('INVITE '));
    expect(new Set(invites.map(({ data }) => data.toString('latin1'))).size).toBe(1);
  });
});

describeWith(['sipp', 'tshark'], 'on the wire', ({ sipp, tshark }) => {
  test('everything is well-formed, and the sound has no gap', async () => {
    const scenarios = ['answer', 'reliable', 'hold', 'challenge', 'hang-up', 'never-answer'];
    const heard = await Promise.all(scenarios.map((scenario) => hear(sipp, scenario)));
    for (const [index, { port, rtp, signalling, sound, reports }] of heard.entries()) {
      const protocols = new Map([
        [port, 'sip'],
        [rtp, 'rtp'],
        [rtp + 1, 'rtcp'],
      ]);
      const all = [...signalling, ...sound, ...reports];
      const seen = (filter: string, ...fields: string[]) => decode(tshark, all, protocols, filter, fields);
      const wrong = '_ws.malformed or _ws.expert.severity == error';
      const scenario = scenarios[index]!;
      expect(seen(wrong, '_ws.col.Protocol', '_ws.col.Info'), scenario).toEqual([]);
      const of = (protocol: string) => seen(protocol, 'frame.number').length;
      expect([of('sip'), of('rtp'), of('rtcp')], scenario).toEqual(
        [signalling, sound, reports].map(({ length }) => length),
      );
      if (scenario !== 'answer') continue;

      const packets = seen('rtp', 'rtp.seq', 'rtp.timestamp');
      const numbers = packets.map((packet) => Number(packet.get('rtp.seq')));
      const times = packets.map((packet) => Number(packet.get('rtp.timestamp')));
      expect(numbers.length).toBeGreaterThan(250);
      expect(steps(numbers, 2 ** 16)).toEqual(new Set([1]));
      // A machine that stalls makes it leave frames out, never a part of one.
      expect([...steps(times, 2 ** 32)].filter((step) => step === 0 || step % 160 !== 0)).toEqual([]);
      expect(seen('rtcp.pt == 200', 'frame.number').length).toBeGreaterThan(0);
      expect(seen('rtcp.pt == 203', 'frame.number')).toHaveLength(1);
      const swings = sound
        .slice(1)
        .map(({ at }, earlier) => Math.abs(at - sound[earlier]!.at - 20))
        .sort((a, b) => a - b);
      console.log(
        `the sent stream is ${swings[swings.length >> 1]!.toFixed(2)} ms from its pace at the median`,
      );
    }
  });
});

/** A call in which a key is asked for in vain, and all that it sent and was sent. */
async function hear(sipp: string, scenario: string) {
  const [port, rtp] = await freePorts(2);
  let target = 0;
  const signalling = await relay(port!, () => target);
  const [sound, reports] = await Promise.all([listen(rtp!), listen(rtp! + 1)]);
  const farEnd = await startFarEnd(sipp, scenario, { contact: port!, rtp: rtp!, options: ['-d', '500'] });
  target = farEnd.port;
  const line = await openLine([], {
    trunks: [{ host: '127.0.0.1', port: port!, transport: 'udp', username: 'acme', password: 'sesame' }],
    key_seconds: 9,
    key_asks: 1,
    ring_seconds: 5,
    asserted_identity: '+14155550100',
  });
  await line.call({ dtmf: 7 });
  await farEnd.done();
  await line.stop();
  return { port: port!, rtp: rtp!, signalling, sound, reports };
}

function steps(values: readonly number[], modulus: number): Set<number> {
  return new Set(values.slice(1).map((value, index) => (value - values[index]! + modulus) % modulus));
}

function count(datagrams: readonly { readonly data: Buffer }[], method: string): number {
  return datagrams.filter(({ data }) => data.toString('latin1').startsWith(`${method} `)).length;
}
