import { expect, test } from 'vitest';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { createAuthority } from '../../support/certificates.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { describeWith } from '../programs.js';
import { type Line, openLine } from './line.js';
import { digitsHeardBy, startPhone } from './phone.js';
import { type Registrar, type RegistrarOptions, startRegistrar } from './registrar.js';

const NUMBER = '14155550123';
const CODE = '4829';
const USER = { username: 'acme-42', password: 'open sesame' } as const;
const GOES_WELL = ['ringing', 'in-progress', 'completed'];

describeWith(['baresip', 'kamailio'], 'a registrar', ({ baresip, kamailio }) => {
  const authority = createAuthority();
  const ours = authority.issue('sbc.example');

  async function open(
    protocol: 'udp' | 'tls',
    changes: Partial<RegistrarOptions> = {},
    trunk: Partial<SipSettings['trunks'][number]> = {},
  ) {
    const phone = await startPhone(baresip, NUMBER);
    const certified = authority.issue('127.0.0.1');
    const registrar = await startRegistrar(kamailio, { ...USER, certified, phone: phone.port, ...changes });
    const line = await openLine([], settingsFor(registrar, protocol, trunk), SHIPPED_SPEECH);
    return { phone, registrar, line };
  }

  function settingsFor(
    { port, tlsPort }: Registrar,
    protocol: 'udp' | 'tls',
    trunk: Partial<SipSettings['trunks'][number]>,
  ): Partial<SipSettings> {
    const way =
      protocol === 'udp'
        ? ({ port, transport: 'udp' } as const)
        : ({ port: tlsPort, transport: 'tls', authority: authority.cert } as const);
    return {
      trunks: [{ host: '127.0.0.1', ...USER, register: true, ...way, ...trunk }],
      keepalive_seconds: 1,
      response_seconds: 5,
      // What is said last, a phone that stalls may miss: that is not the code where it could be repeated.
      repeats: 1,
      // Less than the longest code takes.
      max_seconds: 30,
    };
  }

  const becomes = (line: Line, state: string, detail: string | null = null) =>
    expect
      .poll(() => line.carrier.status?.())
      .toMatchObject({ state, detail: detail === null ? null : expect.stringContaining(detail) });

  test('takes us in, by MD5 or SHA-256, over UDP or TLS, and puts calls through', async () => {
    const ways = [
      ['udp', null],
      ['udp', 'MD5'],
      ['udp', 'SHA-256'],
      ['tls', 'SHA-256'],
    ] as const;
    const outcomes = await Promise.all(
      ways.map(async ([protocol, algorithm]) => {
        const { phone, registrar, line } = await open(protocol, { algorithm });
        await becomes(line, 'up');
        const result = await line.call({ code: CODE });
        await phone.ended(1);
        await line.stop();
        return [result.kind, digitsHeardBy(phone, 'en'), ...line.told(), ...registrar.passed()];
      }),
    );
    expect(outcomes).toEqual(
      ways.map(([protocol, algorithm]) => [
        'accepted',
        CODE.repeat(3),
        ...GOES_WELL,
        `${protocol} ${algorithm ?? ''}`.trim(),
      ]),
    );
  });

  test('brings us the end of a call that the callee ends', async () => {
    const opened = await Promise.all([open('udp'), open('tls')]);
    await Promise.all(
      opened.map(async ({ phone, line }) => {
        await becomes(line, 'up');
        const call = line.call({ code: CODE.repeat(15) });
        await expect.poll(() => line.claims()).toBe(1);
        await phone.hangUp();
        await call;
        expect(line.told()).toEqual(GOES_WELL);
      }),
    );
  });

  test('that names a service route is sent calls along it', async () => {
    const { phone, line } = await open('udp', { serviceRoute: true });
    await becomes(line, 'up');
    expect(await line.call()).toMatchObject({ kind: 'accepted' });
    await phone.ended(1);
  });

  test('that refuses the password keeps the carrier down', async () => {
    const opened = await Promise.all(
      (['udp', 'tls'] as const).map((protocol) => open(protocol, {}, { password: 'wrong' })),
    );
    for (const { line, registrar } of opened) {
      await becomes(line, 'down', 'registration: user name or password refused');
      expect(await line.call()).toMatchObject({ kind: 'unavailable', errorCode: 5000, down: true });
      expect(registrar.passed()).toEqual([]);
    }
  });

  test('keeps nothing of us, be it asked to forget us before or after it has taken us in', async () => {
    const certified = authority.issue('127.0.0.1');
    await Promise.all(
      (['udp', 'tls'] as const).map(async (protocol) => {
        const phone = await startPhone(baresip, NUMBER);
        const registrar = await startRegistrar(kamailio, { ...USER, certified, phone: phone.port });
        const settings = settingsFor(registrar, protocol, {});
        const early = await openLine([], settings, SHIPPED_SPEECH);
        await early.stop();
        const late = await openLine([], settings, SHIPPED_SPEECH);
        await becomes(late, 'up');
        await late.stop();
        // It lets nobody through whom it does not know.
        const stranger = await openLine(
          [],
          settingsFor(registrar, protocol, { register: false }),
          SHIPPED_SPEECH,
        );
        expect(await stranger.call()).toMatchObject({ kind: 'unavailable', errorCode: 3040 });
        expect(registrar.passed()).toEqual([]);
      }),
    );
  });

  test('that goes away and comes back has us again, though it has forgotten us', async () => {
    const opened = await Promise.all([open('udp'), open('tls')]);
    await Promise.all(
      opened.map(async ({ phone, registrar, line }) => {
        await becomes(line, 'up');
        await registrar.leave();
        await becomes(line, 'down', '127.0.0.1: ');
        await registrar.come();
        await becomes(line, 'up');
        expect(await line.call()).toMatchObject({ kind: 'accepted' });
        await phone.ended(1);
      }),
    );
  });

  test('that asks for a certificate of ours over TLS is shown it', async () => {
    const asking = { asksFor: authority.cert };
    const { phone, line } = await open('tls', asking, { certificate: ours.cert, key: ours.key });
    await becomes(line, 'up');
    expect(await line.call()).toMatchObject({ kind: 'accepted' });
    await phone.ended(1);
  });

  test.each([
    ['has none of us', null, 'a TLS certificate of ours is asked for'],
    [
      'does not trust ours',
      createAuthority('Other').issue('sbc.example'),
      'our TLS certificate is refused: unknown authority',
    ],
  ])('that asks for a certificate and %s is not reached, and tells why', async (_, shown, why) => {
    const asking = { asksFor: authority.cert };
    const { line, registrar } = await open(
      'tls',
      asking,
      shown ? { certificate: shown.cert, key: shown.key } : {},
    );
    await becomes(line, 'down', why);
    expect(await line.call()).toMatchObject({ kind: 'unavailable', errorCode: 5000, down: true });
    expect(registrar.passed()).toEqual([]);
  });
});
