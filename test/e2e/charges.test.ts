import { expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { RECIPIENT, startCountersign, type Untyped } from './support.js';

const SECRET = 'a-bearer-secret-of-the-gateway';
const CARD = `
rates:
  currency: USD
  validation: "0.05"
  voice_increment_seconds: 6
  sms: { default: "0.1", 1: "0.021" }
  voice: { default: "0.00085" }
`;

test('charges are strings to the SDK, in retrieve and list, and after a restart', async () => {
  const server = await startCountersign({ yaml: CARD });
  const { sessionUuid: id } = await server.sessions().create({ recipient: RECIPIENT });
  const [message] = await server.inbox(1);
  await server.sessions().validate({ id, otp: message!.otp });
  const charges = {
    totalCharge: '0.07100',
    validationCharge: '0.05000',
    attemptCharges: [{ attemptUuid: message!.attempt_uuid, channel: 'sms', charge: '0.02100' }],
  };
  expect((await server.sessions().get(id)).charges).toMatchObject(charges);
  await server.restart();
  expect((await server.sessions().get(id)).charges).toMatchObject(charges);
  expect((await server.sessions().list()).sessions[0].charges).toMatchObject(charges);
});

test('a call is charged by the duration that the gateway reports, what it refused is not', async () => {
  const gateway = await new Receiver().start();
  const server = await startCountersign({
    yaml: `${CARD}
carriers:
  gateway: { type: webhook, url: '${gateway.url('/send')}', secret: ${SECRET} }
`,
  });
  const report = async (receipt: object) => {
    const response = await fetch(`${server.url}/carriers/gateway/receipts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify(receipt),
    });
    return response.status;
  };
  const sessions = server.sessions();
  const { sessionUuid } = await sessions.create({ recipient: RECIPIENT, channel: 'voice' });
  await server.until('the gateway was asked', () => gateway.requests.length === 1);
  const { hop_id } = JSON.parse(gateway.requests[0]!.body);
  expect(await report({ hop_id, status: 'in-progress' })).toBe(200);
  expect((await sessions.get(sessionUuid)).charges.totalCharge).toBe('0.00000');
  expect(await report({ hop_id, status: 'completed', duration: 13.5 })).toBe(400);
  expect(await report({ hop_id, status: 'completed', duration: 13 })).toBe(200);
  const charges: Untyped = {
    totalCharge: '0.00255',
    attemptCharges: [{ channel: 'voice', charge: '0.00255' }],
  };
  expect((await sessions.get(sessionUuid)).charges).toMatchObject(charges);

  gateway.answer = (response) => response.writeHead(400).end();
  await sessions.create({ recipient: RECIPIENT, channel: 'sms' });
  await server.until('the gateway refused', async () => {
    const { attemptDetails } = await sessions.get(sessionUuid);
    return attemptDetails[1]?.status === 'failed';
  });
  const after = (await sessions.get(sessionUuid)).charges;
  expect(after).toMatchObject({ totalCharge: '0.00255', attemptCharges: [{}, { charge: '0.00000' }] });
});
