// The scenario with Plivo's SDK for Node.js. Prints one line of JSON per step: {step, ok, detail}.
import assert from 'node:assert/strict';
import plivo from 'plivo';

const { COUNTERSIGN_URL, AUTH_ID, AUTH_TOKEN, APP_UUID, SURROUNDINGS_URL, STEPS, BARRED_RECIPIENT } =
  process.env;
const UNKNOWN = '019c1341-1943-73cf-821f-d912d649c62a';
const RECIPIENT = '14155551234';

const clientWith = (token) =>
  new plivo.Client(AUTH_ID, token, { url: `${COUNTERSIGN_URL}/v1/Account/${AUTH_ID}` });
const sessions = clientWith(AUTH_TOKEN).verify_session;

async function surroundings(path, method = 'GET') {
  const response = await fetch(SURROUNDINGS_URL + path, { method });
  assert.ok(response.ok, `${path} answered ${response.status}`);
  return method === 'GET' ? response.json() : null;
}

const inbox = (recipient, count) => surroundings(`/inbox?recipient=${recipient}&count=${count}`);

async function step(name, act) {
  if (!STEPS.split(',').includes(name)) return;
  try {
    console.log(JSON.stringify({ step: name, ok: true, detail: (await act()) ?? '' }));
  } catch (error) {
    console.log(JSON.stringify({ step: name, ok: false, detail: String(error.stack) }));
  }
}

/** What the SDK rejects with. Its error classes are lost on the way (all are `Error`), the status is not. */
async function refusal(promise) {
  const error = await promise.then(
    (value) => assert.fail(`succeeded: ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  return { status: error.status, text: error.message };
}

let session;
let code;

await step('create', async () => {
  const created = await sessions.create({
    recipient: '+1 (415) 555-1234',
    app_uuid: APP_UUID,
    channel: 'sms',
    locale: 'en_US',
    url: `${SURROUNDINGS_URL}/status`,
    method: 'POST',
    brand_name: 'Acme & Söhne',
    app_hash: 'FA+9qCX9VSu',
    code_length: 5,
    fraud_check: 'disabled',
  });
  assert.equal(created.message, 'Session initiated');
  assert.match(created.apiId, /^[0-9a-f-]{36}$/);
  assert.match(created.sessionUuid, /^[0-9a-f-]{36}$/);
  session = created.sessionUuid;
  const [message] = await inbox(RECIPIENT, 1);
  assert.match(message.text, /Acme & Söhne/);
  assert.match(message.text, /FA\+9qCX9VSu$/);
  code = message.otp;
  assert.match(code, /^\d{5}$/);
});

await step('resend', async () => {
  const resent = await sessions.create({ recipient: RECIPIENT, channel: 'voice', dtmf: 7 });
  assert.equal(resent.sessionUuid, session);
  const messages = await inbox(RECIPIENT, 2);
  assert.deepEqual(
    messages.map(({ channel, otp }) => [channel, otp]),
    [
      ['voice', code],
      ['sms', code],
    ],
  );
});

await step('wrong-code', async () => {
  const otp = code === '00000' ? '00001' : '00000';
  const { status, text } = await refusal(sessions.validate({ id: session, otp }));
  assert.equal(status, 400);
  assert.match(text, /invalid OTP/);
});

await step('retrieve', async () => {
  const got = await sessions.get(session);
  assert.match(got.apiId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    [got.sessionUuid, got.appUuid, got.alias, got.recipient, got.channel, got.locale, got.status, got.count],
    [session, APP_UUID, 'default', RECIPIENT, 'voice', 'en', 'in-progress', 2],
  );
  assert.equal(got.requestor_ip, '127.0.0.1');
  assert.equal(got.destination_country_iso2, 'US');
  assert.notEqual(got.destination_network, undefined);
  const [sms, voice] = got.attemptDetails;
  assert.deepEqual(
    [sms.channel, sms.brandName, sms.appHash, sms.codeLength, sms.fraudCheck],
    ['sms', 'Acme & Söhne', 'FA+9qCX9VSu', 5, 'disabled'],
  );
  assert.match(sms.status, /^(queued|sent|delivered)$/);
  assert.equal(sms.dtmf, undefined);
  assert.deepEqual([voice.channel, voice.dtmf, voice.fraudCheck], ['voice', 7, 'enabled']);
  for (const time of [got.createdAt, got.updatedAt, sms.time, voice.time]) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  }
  const { totalCharge, validationCharge, attemptCharges } = got.charges;
  for (const charge of [totalCharge, validationCharge, ...attemptCharges.map((each) => each.charge)]) {
    assert.match(charge, /^\d+(\.\d+)?$/);
  }
  assert.deepEqual(
    attemptCharges.map((each) => [each.attemptUuid, each.channel]),
    [
      [sms.attemptUuid, 'sms'],
      [voice.attemptUuid, 'voice'],
    ],
  );
});

await step('right-code', async () => {
  const validated = await sessions.validate({ id: session, otp: code });
  assert.equal(validated.message, 'session validated successfully.');
  assert.equal((await sessions.get(session)).status, 'verified');
});

await step('second-validation', async () => {
  const { status, text } = await refusal(sessions.validate({ id: session, otp: code }));
  assert.equal(status, 400);
  assert.match(text, /already verified/);
});

await step('expired', async () => {
  const { sessionUuid } = await sessions.create({ recipient: '14155551299' });
  const [{ otp }] = await inbox('14155551299', 1);
  await surroundings('/clock?seconds=601', 'POST');
  const { status, text } = await refusal(sessions.validate({ id: sessionUuid, otp }));
  assert.equal(status, 400);
  assert.match(text, /expired/);
  assert.equal((await sessions.get(sessionUuid)).status, 'expired');
});

await step('list', async () => {
  for (const recipient of ['14155551301', '14155551302', '14155551303']) await sessions.create({ recipient });
  const recipients = async (filters) =>
    (await sessions.list(filters)).sessions.map((each) => each.recipient).join(' ');

  const first = await sessions.list({ limit: 2 });
  assert.deepEqual(
    first.sessions.map((each) => each.recipient),
    ['14155551303', '14155551302'],
  );
  assert.deepEqual([first.meta.limit, first.meta.offset, first.meta.previous], [2, 0, null]);
  assert.match(first.meta.next, /^\/v1\/Account\/.*offset=2/);
  const second = await sessions.list({ limit: 2, offset: 2 });
  assert.equal(second.sessions[0].recipient, '14155551301');
  assert.match(second.meta.previous, /offset=0/);
  assert.equal(second.sessions[0].charges.totalCharge, '0');

  assert.equal(await recipients({ recipient: '14155551302' }), '14155551302');
  assert.equal(await recipients({ status: 'verified', app_uuid: APP_UUID }), RECIPIENT);
  assert.match(await recipients({ session_time__gt: '2020-01-31 08:52' }), /^14155551303 /);
  assert.match(await recipients({ sessionTimeGreaterThanOrEqual: '2020-01-31 08:52:39' }), /^14155551303 /);
  assert.equal(await recipients({ session_time__lt: '2020-01-31 08:52:39.363253' }), '');
  assert.equal(await recipients({ sessionTimeLessThan: '2020-01-31 08:52:39' }), '');
});

await step('list-by-attributes', async () => {
  const recipients = async (filters) =>
    (await sessions.list(filters)).sessions.map((each) => each.recipient).join(' ');
  const attributes = {
    alias: 'default',
    country: 'US',
    brand_name: 'Acme & Söhne',
    app_hash: 'FA+9qCX9VSu',
  };
  assert.equal(await recipients({ ...attributes, recipient: RECIPIENT }), RECIPIENT);
  assert.equal(await recipients({ country: 'FR' }), '');
});

await step('bad-credentials', async () => {
  const stranger = clientWith('x'.repeat(40)).verify_session;
  const { status, text } = await refusal(stranger.get(session));
  assert.equal(status, 401);
  assert.notEqual(text, undefined);
});

await step('unknown-session', async () => {
  assert.equal((await refusal(sessions.get(UNKNOWN))).status, 404);
  assert.equal((await refusal(sessions.validate({ id: UNKNOWN, otp: '123456' }))).status, 404);
});

await step('bad-parameter', async () => {
  const { status, text } = await refusal(sessions.create({ recipient: '123' }));
  assert.equal(status, 400);
  assert.match(text, /recipient/);
});

await step('geo-permission', async () => {
  const { status } = await refusal(sessions.create({ recipient: BARRED_RECIPIENT }));
  assert.equal(status, 403);
});

/** Checks each callback of a session with the SDK's own functions, and that they refuse what is not signed. */
async function checkCallbacks(method, id, token = AUTH_TOKEN) {
  const callbacks = await surroundings(`/callbacks?session=${id}&count=2`);
  for (const { url, nonceV2, signatureV2, nonceV3, signatureV3, parameters, ...received } of callbacks) {
    assert.equal(received.method, method);
    assert.ok(plivo.validateV3Signature(method, url, nonceV3, token, signatureV3, parameters), url);
    assert.ok(!plivo.validateV3Signature(method, `${url}&a=b`, nonceV3, token, signatureV3, parameters));
    assert.ok(!plivo.validateV3Signature(method, url, nonceV3, `${token}!`, signatureV3, parameters));
    assert.ok(plivo.validateSignature(url, nonceV2, signatureV2, token), url);
    assert.ok(!plivo.validateSignature(url, `${nonceV2}1`, signatureV2, token));
  }
  return `${callbacks.length} callbacks`;
}

const CALLBACK_URLS = [`${SURROUNDINGS_URL}/status`, `${SURROUNDINGS_URL}/status/?flow=log%20in&customer=42`];
for (const [name, method] of [
  ['callbacks-by-post', 'POST'],
  ['callbacks-by-get', 'GET'],
]) {
  await step(name, async () => {
    const details = [];
    for (const [index, url] of CALLBACK_URLS.entries()) {
      const recipient = `1415555${method === 'POST' ? 140 : 150}${index}`;
      const { sessionUuid } = await sessions.create({ recipient, url, method, brand_name: 'Acme 2.0' });
      details.push(await checkCallbacks(method, sessionUuid));
    }
    return details.join(', ');
  });
}
