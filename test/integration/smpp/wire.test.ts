import { expect, onTestFinished, test } from 'vitest';
import { AUTH_ID, startCountersign, TOKEN } from '../../e2e/support.js';
import { basic } from '../../support/api-server.js';
import { Smsc } from '../../support/smsc.js';
import { type Tap, tap } from '../capture.js';
import { describeWith } from '../programs.js';

type Text = (brand: string, code: string) => string;

const LATIN: Text = (brand, code) =>
  `Grüße! ${brand} schickt dir den Code ${code}, der zehn Minuten lang gilt. Gib ihn niemandem weiter, auch nicht, wenn jemand von uns danach fragt: Das tun wir nie. [Ende]`;
const CYRILLIC: Text = (brand, code) =>
  `${brand}: ваш код подтверждения ${code}. Он действует десять минут. Никому его не сообщайте, даже если вас об этом просят.`;

const WRONG = '_ws.malformed or _ws.expert.severity == error';

interface Sent {
  readonly code: string;
  /** What a phone puts together. */
  readonly phone: string;
  readonly wire: Tap;
}

/** Sends one message with this template through an SMSC, and lets its bytes be read on the way. */
async function send(text: Text, settings: string): Promise<Sent> {
  const smsc = await new Smsc().start();
  onTestFinished(() => smsc.stop());
  const wire = await tap(smsc.port);
  const server = await startCountersign({
    yaml: `
carriers:
  smsc: { type: smpp, host: 127.0.0.1, port: ${wire.port}, system_id: foo, password: bar, sender: Acme, ${settings} }
routes:
  - { carriers: [smsc] }
`,
  });
  const headers = {
    authorization: basic({ authId: AUTH_ID, token: TOKEN } as never),
    'content-type': 'application/json',
  };
  const response = await fetch(`${server.url}/v1/Account/${AUTH_ID}/Verify/Application/`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      alias: 'long',
      template: text('$' + '{brand_name}', '$' + '{code}'),
      is_default: true,
    }),
  });
  expect(response.status).toBe(201);
  await server.sessions().create({ recipient: '14155551234', brand_name: 'Acme', locale: 'en' });
  await server.until('the message', () => smsc.texts.length === 1);
  const phone = smsc.texts[0]!;
  return { code: /[0-9]{6}/.exec(phone)?.[0] ?? '', phone, wire };
}

/** Two parts that tshark joins to so many octets, or the text that it reads; null where its dissector cannot. */
interface Joined {
  readonly octets: number | null;
  readonly text: string | null;
}

describeWith(['tshark'], 'The wire, as tshark reads it', ({ tshark }) => {
  const decode = (wire: Tap, filter: string, fields: readonly string[]) =>
    wire.decode({ tshark, protocol: 'smpp', filter, fields });

  test.each<[name: string, template: Text, settings: string, joined: (text: string) => Joined]>([
    [
      'GSM-7 in two parts, by a header with a reference of 8 bits',
      LATIN,
      'long_messages: udh-8',
      // Two of its characters take two septets each.
      (text) => ({ octets: text.length + 2, text: null }),
    ],
    [
      'UCS-2 in two parts, by a header with a reference of 16 bits',
      CYRILLIC,
      'long_messages: udh-16',
      (text) => ({ octets: text.length * 2, text }),
    ],
    [
      'UCS-2 in two parts, by optional parameters',
      CYRILLIC,
      'long_messages: sar',
      (text) => ({ octets: text.length * 2, text }),
    ],
    ['UCS-2 as one payload', CYRILLIC, 'long_messages: payload', (text) => ({ octets: null, text })],
  ])('%s is well formed and put together again', async (_name, template, settings, joined) => {
    const { code, phone, wire } = await send(template, settings);
    const sent = template('Acme', code);
    expect(phone).toBe(sent);

    const packets = decode(wire, 'smpp.command_id == 4', [
      'smpp.message_text',
      'gsm_sms_ud.reassembled.length',
    ]);
    const { octets, text } = joined(sent);
    const lengths = packets.flatMap((packet) => packet.get('gsm_sms_ud.reassembled.length') ?? []);
    expect(lengths).toEqual(octets === null ? [] : [String(octets)]);
    const read = packets.flatMap((packet) => packet.get('smpp.message_text')?.split('|') ?? []).join('');
    expect(read).toBe(text ?? '');
    expect(decode(wire, WRONG, ['_ws.expert.message'])).toEqual([]);
  });

  test('packed GSM-7 in two parts is well formed', async () => {
    const { wire } = await send(LATIN, 'encoding: gsm-7-packed');
    expect(decode(wire, 'smpp.command_id == 4', ['smpp.esm.submit.features'])).not.toEqual([]);
    expect(decode(wire, WRONG, ['_ws.expert.message'])).toEqual([]);
  });
});
