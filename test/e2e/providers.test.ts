import { beforeEach, expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { formBody, type Received, type Reply, serveProvider } from '../support/providers/server.js';
import { SID, TOKEN, twilioError, twilioStub } from '../support/providers/twilio.js';
import { type Countersign, RECIPIENT, startCountersign, type Untyped } from './support.js';

const PUBLIC_URL = 'https://verify.example.com/cs';

let server: Countersign;
let sessions: Untyped;
let customer: Receiver;
let twilio: Received[];
let gateway: Received[];

beforeEach(async () => {
  customer = await new Receiver().start();
});

/** Twilio first, a gateway that is described in the configuration second. */
async function start(
  answer: (request: Received) => Reply = (request) => twilioStub.answer(request),
  settings = '',
) {
  const first = await serveProvider(answer);
  const second = await serveProvider(() => ({ status: 200, body: 'OK id=g-1' }));
  twilio = first.received;
  gateway = second.received;
  server = await startCountersign({
    yaml: `
carriers:
  twilio:
    type: twilio
    account_sid: ${SID}
    auth_token: \${TWILIO_AUTH_TOKEN}
    from: "+15005550006"
    base_url: ${first.url}${settings}
  gateway:
    type: http
    url: ${second.url}/send
    form: { to: '{recipient}', text: '{text}' }
    answer: { format: text, message_id_after: id=, rules: [{ begins: OK, is: accepted }] }
    receipts: { method: GET, message_id: /id, status: /stat, statuses: { DELIVRD: delivered, UNDELIV: undelivered } }
    authentication: { query: { name: key, value: a-secret-of-the-gateway } }
`,
    env: { TWILIO_AUTH_TOKEN: TOKEN, COUNTERSIGN_PUBLIC_URL: PUBLIC_URL },
  });
  sessions = server.sessions();
  const { sessionUuid } = await sessions.create({ recipient: `+${RECIPIENT}`, url: customer.url() });
  return sessionUuid as string;
}

/** Sends to the public URL, as a proxy passes it on. */
async function receive(url: string, init: RequestInit = {}): Promise<number> {
  return (await fetch(url.replace(PUBLIC_URL, server.url), init)).status;
}

async function calledBack(count: number): Promise<string[]> {
  await server.until(`${count} callbacks`, () => customer.requests.length >= count);
  return customer.requests.map(({ parameters }) =>
    `${parameters.ChannelStatus} ${parameters.ChannelErrorCode}`.trim(),
  );
}

async function callbackUrl(): Promise<string> {
  await server.until('a message at Twilio', () => twilio.length > 0);
  return formBody(twilio[0]!)!.get('StatusCallback')!;
}

test('a code sent with an SDK reaches Twilio, and its signed receipts become ordered callbacks', async () => {
  const id = await start();
  const url = await callbackUrl();
  const code = /[0-9]{6}/.exec(formBody(twilio[0]!)!.get('Body')!)![0];
  for (const status of ['sent', 'delivered']) {
    const push = twilioStub.receipt!(url, { messageId: 'SM1', hopId: '', status }, 0);
    expect(await receive(push.url, push)).toBe(200);
  }
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'delivered']);
  await sessions.validate({ id, otp: code });
  expect(gateway).toEqual([]);
});

test('a receipt from Twilio that comes before the answer to the message finds its hop', async () => {
  let early: Promise<number> | null = null;
  await start((request) => {
    const url = formBody(request)!.get('StatusCallback')!;
    const push = twilioStub.receipt!(url, { messageId: 'SM1', hopId: '', status: 'delivered' }, 0);
    early = receive(push.url, push);
    return twilioStub.answer(request);
  });
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'delivered']);
  expect(await early).toBe(200);
});

test('an undelivered message has the channel error code of its Twilio error', async () => {
  await start();
  const fate = { messageId: 'SM1', hopId: '', status: 'undelivered', error: '30003' };
  const push = twilioStub.receipt!(await callbackUrl(), fate, 0);
  expect(await receive(push.url, push)).toBe(200);
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'undelivered 80']);
});

test('a recipient that Twilio knows to have opted out is not tried elsewhere', async () => {
  await start(() => twilioError(400, 21610));
  expect(await calledBack(2)).toEqual(['queued', 'failed 200']);
  expect(gateway).toEqual([]);
});

test.each([
  ['refuses the credentials', twilioError(401, 20003)],
  ['has its queue full', twilioError(429, 21611)],
  ['does not like the sender', twilioError(400, 21606)],
  ['fails', { status: 503, body: '' }],
] as const)('when Twilio %s the message goes to the next carrier', async (_, reply) => {
  await start(() => reply);
  await server.until('a message at the gateway', () => gateway.length === 1);
  expect(formBody(gateway[0]!)!.get('to')).toBe(RECIPIENT);
  await calledBack(2);
  const receipts = `${PUBLIC_URL}/carriers/gateway/receipts?id=g-1&stat=DELIVRD`;
  expect(await receive(receipts)).toBe(403);
  expect(await receive(`${receipts}&key=a-secret-of-the-gateway`)).toBe(200);
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'delivered']);
});

test('a message that Twilio took without an answer goes to the next carrier, and its receipt still counts', async () => {
  await start(() => ({ status: 200, body: '<html>a captive portal</html>' }));
  await server.until('a message at the gateway', () => gateway.length === 1);
  const fate = { messageId: 'SM1', hopId: '', status: 'delivered' };
  const push = twilioStub.receipt!(await callbackUrl(), fate, 0);
  expect(await receive(push.url, push)).toBe(200);
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'delivered']);
});

test('a carrier that waits has its receipt before the next carrier is asked', async () => {
  await start(() => ({ status: 200, body: '<html>a captive portal</html>' }), '\n    unanswered: wait');
  const fate = { messageId: 'SM1', hopId: '', status: 'delivered' };
  const push = twilioStub.receipt!(await callbackUrl(), fate, 0);
  await server.time.advance(29_000);
  expect(await receive(push.url, push)).toBe(200);
  await server.time.advance(60_000);
  expect(await calledBack(3)).toEqual(['queued', 'sent', 'delivered']);
  expect([twilio.length, gateway.length]).toEqual([1, 0]);
});

test('STOP to a number at Twilio, signed, stops SMS to who sent it', async () => {
  await start();
  await calledBack(2);
  const address = { from: `+${RECIPIENT}`, to: '+15005550006' };
  const says = (text: string) =>
    twilioStub.inbound!(`${PUBLIC_URL}/carriers/twilio/inbound`, { ...address, text }, 0);
  const stop = says('STOP');
  expect(await receive(stop.url, { ...stop, headers: { ...stop.headers, 'x-twilio-signature': 'no' } })).toBe(
    403,
  );
  expect((await server.get('/Verify/OptOut/')).opt_outs).toEqual([]);
  expect(await receive(stop.url, stop)).toBe(200);
  await sessions.create({ recipient: `+${RECIPIENT}`, url: customer.url() });
  expect((await calledBack(4)).slice(2)).toEqual(['queued', 'failed 200']);
  const again = says('START');
  expect(await receive(again.url, again)).toBe(200);
  expect((await server.get('/Verify/OptOut/')).opt_outs).toEqual([]);
  expect(twilio).toHaveLength(1);
});

test('settings that do not fit together stop the start, by the name of their key', async () => {
  const yaml = 'carriers: { gateway: { type: http, url: "http://127.0.0.1:1/", json: "{tex}" } }';
  await expect(startCountersign({ yaml })).rejects.toThrow(
    /^carriers\.gateway\.json: \{tex\} is no placeholder/,
  );
});
