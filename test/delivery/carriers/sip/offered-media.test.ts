import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { sip } from '#delivery/carriers/sip/index.js';
import { parseMessage } from '#delivery/carriers/sip/message/parse.js';
import { fields, responseTo, writeMessage } from '#delivery/carriers/sip/message/write.js';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { message, recordingContext } from '../support.js';

/** The SDP that a trunk is offered by a carrier with these settings; it declines the call. */
async function offerOf(settings: Partial<SipSettings>): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  let offer = '';
  socket.on('message', (bytes, from) => {
    const parsed = parseMessage(bytes);
    if (!parsed.ok || parsed.message.kind !== 'request' || parsed.message.method !== 'INVITE') return;
    offer = Buffer.from(parsed.message.body).toString();
    const busy = responseTo(parsed.message, 486, { tag: 'x', headers: fields({}) });
    socket.send(writeMessage(busy), from.port, from.address);
  });
  const carrier = sip.create(
    {
      trunks: [{ host: '127.0.0.1', port: socket.address().port, transport: 'udp' }],
      bind: '127.0.0.1',
      port: 0,
      keepalive_seconds: 0,
      rtp_ports: { from: 32_000, to: 32_767 },
      ...settings,
    },
    recordingContext(),
  );
  onTestFinished(() => carrier.stop());
  const call = message({ channel: 'voice', code: '12', expiresAt: Date.now() + 600_000 });
  expect(await carrier.submit(call)).toMatchObject({ kind: 'refused', status: 'busy' });
  return offer;
}

it.each([
  ['continuous silence', {}, false],
  ['comfort noise', { silence: 'comfort-noise' }, true],
] as const)('a carrier set to %s offers comfort noise: %s', async (_, settings, isOffered) => {
  const offer = await offerOf(settings);
  expect(offer).toMatch(/^m=audio [0-9]+ RTP\/AVP 0 8 /m);
  expect(offer.includes('a=rtpmap:13 CN/8000')).toBe(isOffered);
});
