import plivo from 'plivo';
import { expect, test } from 'vitest';
import type { Digit } from '#speech/prompts.js';
import { AUTH_ID, AUTH_TOKEN, startServerProcess } from '../../support/server-process.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { digitClips, hearDigits } from '../../support/spoken-digits.js';
import { describeWith } from '../programs.js';
import { type Phone, startPhone } from './phone.js';
import { freePorts } from './ports.js';

interface Callee {
  readonly country: string;
  readonly number: string;
  readonly locale: string;
}

const CALLEES: readonly Callee[] = [
  { country: 'US', number: '14155551234', locale: 'en' },
  { country: 'ES', number: '34612345678', locale: 'es' },
  { country: 'DE', number: '4915123456789', locale: 'de' },
  { country: 'FR', number: '33612345678', locale: 'fr' },
  { country: 'IN', number: '919876543210', locale: 'hi' },
  { country: 'JP', number: '819012345678', locale: 'ja' },
  { country: 'BR', number: '5511961234567', locale: 'pt_BR' },
];

describeWith(['baresip'], 'a phone', ({ baresip }) => {
  test('hears the code of its session in its language, and no other digit', async () => {
    const phones = await Promise.all(CALLEES.map(({ number }) => startPhone(baresip, number)));
    const sessions = await serverCalling(phones.map((phone, index) => ({ phone, callee: CALLEES[index]! })));
    await Promise.all(
      CALLEES.map(async ({ number, locale }, index) => {
        const phone = phones[index]!;
        const { sessionUuid } = await sessions.create({ recipient: number, channel: 'voice', locale });
        await phone.ended(1);
        const heard = hearDigits(phone.heard(), clipOf(locale))
          .map(({ digit }) => digit)
          .join('');
        console.log(locale, heard);
        const code = heard.slice(0, 6);
        expect(heard).toBe(code + code);
        const answer = await sessions.validate({ id: sessionUuid, otp: code });
        expect(answer.message).toBe('session validated successfully.');
      }),
    );
  });
});

function clipOf(locale: string) {
  return digitClips((digits) => SHIPPED_SPEECH.code(locale, digits));
}

// biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
async function serverCalling(lines: readonly { phone: Phone; callee: Callee }[], extra = ''): Promise<any> {
  const from = (await freePorts(1))[0]! & ~1;
  const carriers = lines.map(
    ({ phone, callee }, index) => `
  phone-${callee.country.toLowerCase()}:
    type: sip
    trunks: [{ host: 127.0.0.1, port: ${phone.port}, transport: udp }]
    bind: 127.0.0.1
    port: 0
    rtp_ports: { from: ${from + index * 8}, to: ${from + index * 8 + 7} }
    opening_silence_ms: 200
    repeats: 0
    ${extra}`,
  );
  const routes = lines.map(
    ({ callee: { country } }) => `
  - { channel: voice, country: ${country}, carriers: [phone-${country.toLowerCase()}] }`,
  );
  const server = await startServerProcess({
    config: `carriers:${carriers.join('')}\nroutes:${routes.join('')}\n`,
  });
  // biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
  const client: any = new plivo.Client(AUTH_ID, AUTH_TOKEN, {
    url: `${server.url}/v1/Account/${AUTH_ID}`,
  } as any);
  return client.verify_session;
}
