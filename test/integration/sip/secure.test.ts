import { expect, test } from 'vitest';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { createAuthority } from '../../support/certificates.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { describeWith } from '../programs.js';
import { openLine } from './line.js';
import { digitsHeardBy, type Phone, startPhone } from './phone.js';

const NUMBER = '14155550123';
const CODE = '4829';
const SPOKEN = { kind: 'accepted' };
const GOES_WELL = ['ringing', 'in-progress', 'completed'];
/** More digits than are spoken in the 20 seconds that a call has. */
const LONG = { code: '1'.repeat(60) };

describeWith(['baresip'], 'a phone over TLS or TCP', ({ baresip }) => {
  const authority = createAuthority();
  const overTls = (certified = authority.issue('127.0.0.1'), account = ';mediaenc=srtp-mand') =>
    startPhone(baresip, NUMBER, account, certified);
  // What is said last, a phone that stalls may miss: that is not the code where it could be repeated.
  const tlsLine = (phone: Phone, settings: Partial<SipSettings> = {}) => {
    const trunk = {
      host: '127.0.0.1',
      port: phone.tlsPort,
      transport: 'tls',
      authority: authority.cert,
    } as const;
    return openLine([], { trunks: [trunk], srtp: 'required', repeats: 1, ...settings }, SHIPPED_SPEECH);
  };
  const tcpLine = (phone: Phone, settings: Partial<SipSettings> = {}) => {
    const trunk = { host: '127.0.0.1', port: phone.port, transport: 'tcp' } as const;
    return openLine([], { trunks: [trunk], repeats: 1, ...settings }, SHIPPED_SPEECH);
  };

  test('hears the code, over TLS with SRTP, and no other digit', async () => {
    const [secure, plain] = await Promise.all([overTls(), startPhone(baresip, NUMBER)]);
    const lines = await Promise.all([tlsLine(secure), tcpLine(plain)]);
    const calls = await Promise.all(lines.map((line) => line.call({ code: CODE })));
    expect(calls).toMatchObject([SPOKEN, SPOKEN]);
    await Promise.all([secure.ended(1), plain.ended(1)]);
    expect([secure, plain].map((phone) => digitsHeardBy(phone, 'en'))).toEqual([
      CODE.repeat(3),
      CODE.repeat(3),
    ]);
    expect(lines.map((line) => line.told())).toEqual([GOES_WELL, GOES_WELL]);
  });

  test('that hangs up during the code has ended the call', async () => {
    const [secure, plain] = await Promise.all([overTls(), startPhone(baresip, NUMBER)]);
    const brief = { max_seconds: 20 };
    const lines = await Promise.all([tlsLine(secure, brief), tcpLine(plain, brief)]);
    const calls = lines.map((line) => line.call(LONG));
    await expect.poll(() => lines.map((line) => line.claims())).toEqual([1, 1]);
    await Promise.all([secure.hangUp(), plain.hangUp()]);
    expect(await Promise.all(calls)).toMatchObject([SPOKEN, SPOKEN]);
    expect(lines.map((line) => line.told())).toEqual([GOES_WELL, GOES_WELL]);
  });

  test('that has no SRTP is not spoken to where that is required', async () => {
    const phone = await overTls(undefined, '');
    const line = await tlsLine(phone);
    expect(await line.call({ code: CODE })).toMatchObject({ kind: 'unavailable', errorCode: 5010 });
    expect(line.claims()).toBe(0);
    expect(digitsHeardBy(phone, 'en')).toBe('');
  });

  test('is called over the trunk that trusts its authority, though another one leads to it first', async () => {
    const phone = await overTls();
    const [distrusting, trusting] = [createAuthority('Other'), authority].map(({ cert }) => ({
      host: '127.0.0.1',
      port: phone.tlsPort,
      transport: 'tls' as const,
      authority: cert,
    }));
    const line = await tlsLine(phone, { trunks: [distrusting!, trusting!], keepalive_seconds: 1 });
    expect(await line.call({ code: CODE })).toMatchObject(SPOKEN);
    await phone.ended(1);
    await expect
      .poll(() => line.carrier.status?.())
      .toMatchObject({ state: 'up', detail: expect.stringContaining('unknown authority') });
  });

  test.each([
    [
      'of an authority that we do not trust',
      createAuthority('Other').issue('127.0.0.1'),
      'unknown authority',
    ],
    ['for another name', authority.issue('sip.example.net', '192.0.2.1'), 'for another host'],
  ])('with a certificate %s is not called', async (_, certified, why) => {
    const phone = await overTls(certified);
    const line = await tlsLine(phone, { keepalive_seconds: 1 });
    expect(await line.call({ code: CODE })).toMatchObject({
      kind: 'unavailable',
      errorCode: 5000,
      down: true,
      reason: expect.stringContaining(why),
    });
    await expect
      .poll(() => line.carrier.status?.())
      .toMatchObject({
        state: 'down',
        detail: expect.stringContaining(why),
      });
    expect(line.told()).toEqual([]);
    expect(phone.heard()).toHaveLength(0);
  });
});
