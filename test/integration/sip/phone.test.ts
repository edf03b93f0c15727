import plivo from 'plivo';
import { expect, test } from 'vitest';
import type { Piece } from '#speech/prompts.js';
import { freePorts } from '../../support/ports.js';
import { AUTH_ID, AUTH_TOKEN, startServerProcess, until } from '../../support/server-process.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { timesHeard } from '../../support/spoken-digits.js';
import { describeWith } from '../programs.js';
import { startCallbacks } from './callbacks.js';
import { digitsHeardBy, type Phone, startPhone } from './phone.js';

interface Callee {
  readonly country: string;
  readonly number: string;
  readonly locale: string;
  /** How the trunk is spoken to. */
  readonly transport?: 'tcp';
  readonly settings?: string;
  /** What the phone is told of its account. */
  readonly account?: string;
}

const AMERICAN: Callee = { country: 'US', number: '14155551234', locale: 'en' };
const CALLEES: readonly Callee[] = [
  AMERICAN,
  { country: 'ES', number: '34612345678', locale: 'es', settings: 'codecs: [PCMA]' },
  {
    country: 'DE',
    number: '4915123456789',
    locale: 'de',
    settings: 'srtp: required',
    account: ';mediaenc=srtp-mand',
  },
  { country: 'FR', number: '33612345678', locale: 'fr', transport: 'tcp' },
  { country: 'IN', number: '919876543210', locale: 'hi' },
  { country: 'JP', number: '819012345678', locale: 'ja' },
  { country: 'BR', number: '5511961234567', locale: 'pt_BR' },
];

const GOES_WELL = ['ringing', 'in-progress', 'completed'];

describeWith(['baresip'], 'a phone', ({ baresip }) => {
  test('hears the code of its session in its language, and no other digit', async () => {
    const phones = await Promise.all(
      CALLEES.map(({ number, account }) => startPhone(baresip, number, account)),
    );
    const callbacks = await startCallbacks();
    const sessions = await serverCalling(phones.map((phone, index) => ({ phone, callee: CALLEES[index]! })));
    const uuids: string[] = await Promise.all(
      CALLEES.map(async ({ number, locale }, index) => {
        const { sessionUuid } = await sessions.create({
          recipient: number,
          channel: 'voice',
          locale,
          url: callbacks.url,
        });
        await phones[index]!.ended(1);
        await until('the last callback', () => callbacks.of(sessionUuid).length >= GOES_WELL.length);
        expect(callbacks.of(sessionUuid)).toEqual(GOES_WELL);
        return sessionUuid;
      }),
    );
    // Listening takes a second each, in which no callback would be answered: one that is not within 5 s comes a minute later.
    for (const [index, { locale }] of CALLEES.entries()) {
      const heard = digitsHeardBy(phones[index]!, locale);
      const code = heard.slice(0, 6);
      expect(code).toMatch(/^[0-9]{6}$/);
      expect(heard).toBe(code.repeat(3));
      const answer = await sessions.validate({ id: uuids[index], otp: code });
      expect(answer.message).toBe('session validated successfully.');
    }
  });

  test('hears the code only when it presses the key that is asked for', async () => {
    const [asked, other, none, gone] = await Promise.all(
      CALLEES.slice(0, 4).map(({ number }) => startPhone(baresip, number)),
    );
    const lines = [asked!, other!, none!, gone!].map((phone, index) => {
      const { transport: _, settings: __, ...callee } = CALLEES[index]!;
      return { phone, callee };
    });
    const callbacks = await startCallbacks();
    const sessions = await serverCalling(lines, ASKS_ONCE);
    const uuids: string[] = await Promise.all(
      lines.map(async ({ phone, callee: { number, locale } }) => {
        const { sessionUuid } = await sessions.create({
          recipient: number,
          channel: 'voice',
          locale,
          dtmf: 7,
          url: callbacks.url,
        });
        if (phone !== none) await phone.hears(ASKED);
        if (phone === asked) await phone.press(7);
        if (phone === other) await phone.press(8);
        if (phone === gone) await phone.hangUp();
        else await phone.ended(1);
        await until('the last callback', () => callbacks.of(sessionUuid).length >= 3);
        return sessionUuid;
      }),
    );
    const [heard, ...unheard] = lines.map(({ phone, callee }) => digitsHeardBy(phone, callee.locale));
    expect(uuids.map((uuid) => callbacks.of(uuid))).toEqual([
      GOES_WELL,
      ['ringing', 'in-progress', 'failed 9110'],
      ['ringing', 'in-progress', 'failed 9110'],
      ['ringing', 'in-progress', 'failed 4000'],
    ]);
    // The key itself is spoken when it is asked for, unless that is cut short.
    for (const digits of unheard) expect(digits).toMatch(/^7?$/);
    const code = heard!.slice(-6);
    expect(heard).toMatch(new RegExp(`^7?(?:${code}){3}$`));
    const answer = await sessions.validate({ id: uuids[0], otp: code });
    expect(answer.message).toBe('session validated successfully.');
    for (const uuid of uuids.slice(1)) {
      const { attemptDetails } = await sessions.get(uuid);
      expect(attemptDetails).toMatchObject([{ status: 'failed' }]);
    }
  });

  test('that is asked to press 1 verifies its session by that alone, and hears no code', async () => {
    const [pressed, other, gone] = await Promise.all(
      CALLEES.slice(0, 3).map(({ number }) => startPhone(baresip, number)),
    );
    const lines = [pressed!, other!, gone!].map((phone, index) => {
      const { settings: _, account: __, ...callee } = CALLEES[index]!;
      return { phone, callee };
    });
    const callbacks = await startCallbacks();
    const sessions = await serverCalling(lines, ASKS_ONCE, { confirm_by_key: true });
    const uuids: string[] = await Promise.all(
      lines.map(async ({ phone, callee: { number, locale } }) => {
        const create = { recipient: number, channel: 'voice', locale, dtmf: 7, url: callbacks.url };
        const { sessionUuid } = await sessions.create(create);
        // No key counts before the greeting has been heard.
        await phone.hears(lengthOf(SHIPPED_SPEECH.confirmGreeting(locale, '')) + ASKED);
        if (phone === pressed) await phone.press(1);
        if (phone === other) await phone.press(7);
        if (phone === gone) await phone.hangUp();
        else await phone.ended(1);
        await until('the last callback', () => callbacks.of(sessionUuid).length >= 3);
        return sessionUuid;
      }),
    );
    expect(uuids.map((uuid) => callbacks.of(uuid))).toEqual([
      GOES_WELL,
      ['ringing', 'in-progress', 'failed 9110'],
      ['ringing', 'in-progress', 'failed 4000'],
    ]);
    const statuses = await Promise.all(uuids.map(async (uuid) => (await sessions.get(uuid)).status));
    expect(statuses).toEqual(['verified', 'in-progress', 'in-progress']);
    for (const { phone, callee } of lines) expect(digitsHeardBy(phone, callee.locale)).toMatch(/^1?$/);
    const thanked = lines.map(({ phone, callee: { locale } }) =>
      timesHeard(phone.heard(), clipOf(SHIPPED_SPEECH.confirmed(locale))),
    );
    expect(thanked).toEqual([1, 0, 0]);
  });
});

/** Milliseconds. */
function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('samples' in piece ? piece.duration : piece.silence), 0);
}

function clipOf(pieces: readonly Piece[]) {
  const clip = pieces.find((piece) => 'samples' in piece);
  if (!clip) throw new Error('only silence');
  return clip;
}

/** So long that a key which is pressed comes in time, on a busy machine too. */
const ASKS_ONCE = 'key_asks: 1\n    key_seconds: 8';

/** Milliseconds of sound after which the key is being asked for. */
const ASKED = 2_000;

/** A server that calls each phone over a carrier of its own, and the sessions of its account in the SDK. */
async function serverCalling(
  lines: readonly { readonly phone: Phone; readonly callee: Callee }[],
  extra = '',
  application: object = {},
  // biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
): Promise<any> {
  const [from] = await freePorts(1, 8 * lines.length);
  const carriers = lines.map(
    ({ phone, callee: { country, transport = 'udp', settings = '' } }, index) => `
  phone-${country.toLowerCase()}:
    type: sip
    trunks: [{ host: 127.0.0.1, port: ${phone.port}, transport: ${transport} }]
    bind: 127.0.0.1
    port: 0
    rtp_ports: { from: ${from! + index * 8}, to: ${from! + index * 8 + 7} }
    opening_silence_ms: 200
    # So that the code is not the last that is heard: a phone that stalls may miss what is said right before the end.
    repeats: 1
    ${settings}
    ${extra}`,
  );
  const routes = lines.map(
    ({ callee: { country } }) => `
  - { channel: voice, country: ${country}, carriers: [phone-${country.toLowerCase()}] }`,
  );
  const server = await startServerProcess({
    config: `carriers:${carriers.join('')}\nroutes:${routes.join('')}\n`,
  });
  const [first] = (await server.call('GET', '/Verify/Application/')).body.applications;
  await server.call('POST', `/Verify/Application/${first!.app_uuid}/`, application);
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's types leave `url` out
  const options: any = { url: `${server.url}/v1/Account/${AUTH_ID}` };
  return new plivo.Client(AUTH_ID, AUTH_TOKEN, options).verify_session;
}
