import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { freePorts, isListening } from '../../support/ports.js';
import { until } from '../../support/server-process.js';
import { describeWith } from '../programs.js';
import { startFarEnd } from './far-end.js';
import { openLine } from './line.js';

const SPOKEN = { kind: 'accepted' };
const GOES_WELL = ['ringing', 'in-progress', 'completed'];

describeWith(['sipp'], 'a call to a far end', ({ sipp }) => {
  test.each<[string, string, readonly string[]]>([
    ['that answers', 'answer', GOES_WELL],
    ['that sends early media first', 'early-media', GOES_WELL],
    ['whose ringing must be acknowledged', 'reliable', GOES_WELL],
    ['that wants a longer session', 'too-small', GOES_WELL.slice(1)],
  ])('%s speaks the code', async (_, scenario, told) => {
    const farEnd = await startFarEnd(sipp, scenario);
    const line = await openLine([farEnd.port]);
    expect(await line.call()).toMatchObject(SPOKEN);
    await farEnd.done();
    expect(line.told()).toEqual(told);
    expect(line.claims()).toBe(1);
  });

  test('over TCP speaks the code', async () => {
    const farEnd = await startFarEnd(sipp, 'answer', { transport: 'tcp' });
    const line = await openLine([], { trunks: [{ host: '127.0.0.1', port: farEnd.port, transport: 'tcp' }] });
    expect(await line.call()).toMatchObject(SPOKEN);
    await farEnd.done();
  });

  test('goes on when that holds it, or wants its session refreshed in any way', async () => {
    const scenarios = ['hold', 'update', 'refreshed', 'refreshed-by-invite'];
    await Promise.all(
      scenarios.map(async (scenario) => {
        const farEnd = await startFarEnd(sipp, scenario);
        const line = await openLine([farEnd.port], { key_seconds: 8, key_asks: 1 });
        // The key that never comes makes it last, until long after the scenario has had its way.
        expect(await line.call({ dtmf: 7 })).toMatchObject({ kind: 'refused', errorCode: 9110 });
        await farEnd.done();
        expect(line.claims()).toBe(0);
      }),
    );
  });

  test('that presses the key by INFO speaks the code', async () => {
    const farEnd = await startFarEnd(sipp, 'keys-by-info');
    const line = await openLine([farEnd.port]);
    expect(await line.call({ dtmf: 7 })).toMatchObject(SPOKEN);
    await farEnd.done();
    expect(line.told()).toEqual(GOES_WELL.slice(1));
  });

  test('that hangs up before the code has not spoken it', async () => {
    const farEnd = await startFarEnd(sipp, 'hang-up', { options: ['-d', '300'] });
    const line = await openLine([farEnd.port]);
    expect(await line.call({ dtmf: 7 })).toMatchObject({ kind: 'refused', errorCode: 4000 });
    await farEnd.done();
    expect(line.claims()).toBe(0);
  });

  test('that hangs up during the code has brought it', async () => {
    const farEnd = await startFarEnd(sipp, 'hang-up', { options: ['-d', '6000'] });
    const line = await openLine([farEnd.port]);
    expect(await line.call({ code: '1'.repeat(30) })).toMatchObject(SPOKEN);
    await farEnd.done();
    expect(line.told()).toEqual(GOES_WELL);
  });

  test('that never answers, or when it is too late, has no answer', async () => {
    const outcome = { kind: 'refused', status: 'no-answer', errorCode: 6010 };
    await Promise.all(
      ['never-answer', 'answer-too-late'].map(async (scenario) => {
        const farEnd = await startFarEnd(sipp, scenario);
        const line = await openLine([farEnd.port], { ring_seconds: 5 });
        expect(await line.call()).toMatchObject(outcome);
        await farEnd.done();
        expect(line.told()).toEqual(['ringing']);
      }),
    );
  });

  test('that is silent is made over the next trunk', async () => {
    const [silent, answering] = await Promise.all([startFarEnd(sipp, 'silent'), startFarEnd(sipp, 'answer')]);
    const line = await openLine([silent.port, answering.port], { response_seconds: 4 });
    expect(await line.call()).toMatchObject(SPOKEN);
    await answering.done();
  });

  test('that is silent fails where there is no other trunk', async () => {
    const [nobody] = await freePorts(1);
    const line = await openLine([nobody!], { response_seconds: 1 });
    expect(await line.call()).toMatchObject({ kind: 'unavailable', errorCode: 3070, down: true });
    expect(line.told()).toEqual([]);
  });

  test('that is redirected goes where it is told', async () => {
    const answering = await startFarEnd(sipp, 'answer');
    const redirecting = await startFarEnd(sipp, 'redirect', {
      keys: { target: `127.0.0.1:${answering.port}` },
    });
    const line = await openLine([], {
      trunks: [
        { host: '127.0.0.1', port: redirecting.port, transport: 'udp', redirect_hosts: ['127.0.0.1'] },
      ],
    });
    expect(await line.call()).toMatchObject(SPOKEN);
    await Promise.all([answering.done(), redirecting.done()]);
  });
});

const TRUNK = { host: '127.0.0.1', transport: 'udp', username: 'acme', password: 'open sesame' } as const;

function trunk(port: number, more: object = {}): Partial<SipSettings> {
  return { trunks: [{ ...TRUNK, port, ...more }] };
}

describeWith(['sipp'], 'a trunk that asks for credentials', ({ sipp }) => {
  test.each([
    ['a server', 'challenge', 'MD5'],
    ['a server', 'challenge', 'SHA-256'],
    ['a proxy', 'proxy-challenge', 'MD5'],
    ['a proxy', 'proxy-challenge', 'SHA-256'],
  ])('as %s (%s, %s) gets what RFC 7616 says', async (_, scenario, algorithm) => {
    const farEnd = await startFarEnd(sipp, scenario, { keys: { algorithm } });
    const line = await openLine([], trunk(farEnd.port));
    expect(await line.call()).toMatchObject(SPOKEN);
    await farEnd.done();
    const given = parametersOf(farEnd.logged());
    expect(given).toMatchObject({ username: TRUNK.username, algorithm, opaque: '5ccc', nc: '00000001' });
    expect(given.response).toBe(expectedResponse(given, 'INVITE'));
    expect(farEnd.logged()).not.toContain(TRUNK.password);
  });

  test('and does not take them is not asked again', async () => {
    const farEnd = await startFarEnd(sipp, 'challenge-again');
    const line = await openLine([], trunk(farEnd.port));
    expect(await line.call()).toMatchObject({ kind: 'unavailable', errorCode: 3040, down: true });
    await farEnd.done();
  });

  test('for a registration has us registered until we stop', async () => {
    const farEnd = await startFarEnd(sipp, 'register');
    const line = await openLine([], trunk(farEnd.port, { register: true }));
    await expect.poll(() => line.carrier.status?.().state).toBe('up');
    await line.stop();
    await farEnd.done();
  });
});

describeWith(['sipp'], 'outside of calls', ({ sipp }) => {
  test('keep-alives are sent, and show that the trunk is there', async () => {
    const farEnd = await startFarEnd(sipp, 'options', { calls: 2 });
    const line = await openLine([farEnd.port], { keepalive_seconds: 1 });
    await farEnd.done();
    expect(line.carrier.status?.().state).toBe('up');
  });

  test('a trunk may ask what we can', async () => {
    const [port, other] = await freePorts(2);
    await openLine([other!], { port: port! });
    await until('we listen', () => isListening(process, port!, 'udp'));
    const asking = await startFarEnd(sipp, 'ask-options', {}, port);
    await asking.done();
  });
});

function parametersOf(header: string): Record<string, string> {
  const pairs = header.matchAll(/([a-z]+)=(?:"([^"]*)"|([^\s,]+))/gi);
  return Object.fromEntries([...pairs].map(([, name, quoted, plain]) => [name, quoted ?? plain ?? '']));
}

/** RFC 7616 §3.4.1. */
function expectedResponse(given: Record<string, string>, method: string): string {
  const hash = (text: string) =>
    createHash(given.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const { realm, nonce, nc, cnonce, qop, uri } = given;
  const user = hash(`${TRUNK.username}:${realm}:${TRUNK.password}`);
  return hash([user, nonce, nc, cnonce, qop, hash(`${method}:${uri}`)].join(':'));
}
