import plivo from 'plivo';
import { beforeEach, expect, test } from 'vitest';
import { plivo as checks } from '../callbacks/plivo-sdk.js';
import { Receiver } from '../callbacks/receiver.js';
import { AUTH_ID, type Countersign, RECIPIENT, startCountersign, TOKEN, type Untyped } from './support.js';

let server: Countersign;
let main: Untyped;

beforeEach(async () => {
  server = await startCountersign();
  main = clientOf(AUTH_ID, TOKEN);
});

/** The SDK pointed here as contract §8 shows. */
function clientOf(authId: string, token: string): Untyped {
  return new plivo.Client(authId, token, { url: `${server.url}/v1/Account/${authId}` } as Untyped);
}

async function newSubaccount() {
  const { authId, authToken } = await main.subaccounts.create('Wayne Enterprises', true);
  return { authId, authToken, client: clientOf(authId, authToken) };
}

test('countries of an account and its subaccount are the SDK’s geo-permission error', async () => {
  const { client, authId } = await newSubaccount();
  const countries = (auth_id: string, ...codes: string[]) =>
    server.administration('account.update', { auth_id, countries: codes });
  await countries(authId, 'US', 'DE');
  await countries(AUTH_ID, 'US', 'FR');
  // The SDK's error classes come out as plain errors; of 403 only its GeoPermissionError keeps our text.
  const refused = (of: Untyped, recipient: string, country: string) =>
    expect(of.verify_session.create({ recipient })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(country),
    });
  await refused(main, '+4915112345678', 'Germany (DE)');
  await refused(client, '+4915112345678', 'Germany (DE)');
  await refused(client, '+33612345678', 'France (FR)');
  expect(await client.verify_session.create({ recipient: `+${RECIPIENT}` })).toMatchObject({
    message: 'Session initiated',
  });
  expect(await main.subaccounts.get(authId)).toMatchObject({ authId, enabled: true });
});

test('a subaccount’s callbacks are signed with its own token, and under -Ma- with the main account’s', async () => {
  const customer = await new Receiver().start();
  const { client, authToken } = await newSubaccount();
  await client.verify_session.create({ recipient: `+${RECIPIENT}`, url: customer.url() });
  await server.until('3 callbacks', () => customer.requests.length >= 3);
  for (const { method, path, headers, parameters } of customer.requests) {
    const uri = `http://${headers.host}${path}`;
    const passes = (header: string, token: string) =>
      checks.validateV3Signature(
        method as 'POST',
        uri,
        String(headers['x-plivo-signature-v3-nonce']),
        token,
        String(headers[header]),
        parameters,
      );
    const passesV2 = (header: string, token: string) =>
      checks.validateSignature(
        uri,
        String(headers['x-plivo-signature-v2-nonce']),
        String(headers[header]),
        token,
      );
    expect(passes('x-plivo-signature-v3', authToken)).toBe(true);
    expect(passes('x-plivo-signature-ma-v3', TOKEN)).toBe(true);
    expect(passes('x-plivo-signature-v3', TOKEN)).toBe(false);
    expect(passes('x-plivo-signature-ma-v3', authToken)).toBe(false);
    expect(passesV2('x-plivo-signature-v2', authToken)).toBe(true);
    expect(passesV2('x-plivo-signature-ma-v2', TOKEN)).toBe(true);
  }
});

test('the main account lists, retrieves, validates and filters what its subaccounts start', async () => {
  const { client, authId } = await newSubaccount();
  const theirs = await client.verify_session.create({ recipient: `+${RECIPIENT}` });
  const own = await main.verify_session.create({ recipient: `+${RECIPIENT}` });
  expect(own.sessionUuid).not.toBe(theirs.sessionUuid);
  const uuids = async (of: Untyped, params: object = {}) =>
    (await of.verify_session.list(params)).sessions.map((each: Untyped) => each.sessionUuid).sort();
  const both = [own.sessionUuid, theirs.sessionUuid].sort();
  expect(await uuids(main)).toEqual(both);
  expect(await uuids(main, { subaccount: authId })).toEqual([theirs.sessionUuid]);
  expect(await uuids(client)).toEqual([theirs.sessionUuid]);
  await expect(client.verify_session.get(own.sessionUuid)).rejects.toMatchObject({ status: 404 });

  const id = theirs.sessionUuid;
  const { otp } = (await server.inbox(2)).find((message) => message.session_uuid === id)!;
  expect(await main.verify_session.validate({ id, otp })).toMatchObject({
    message: 'session validated successfully.',
  });
  expect((await main.verify_session.get(id)).status).toBe('verified');
});

test('a session to a test number works in full: callbacks and validation, and nothing in the inbox', async () => {
  const customer = await new Receiver().start();
  const test_numbers = [{ recipient: RECIPIENT, otp: '424242' }];
  const [application] = await server.administration('app.list', {});
  await server.administration('app.update', { app_uuid: application!.app_uuid, test_numbers });
  const { sessionUuid: id } = await main.verify_session.create({
    recipient: `+${RECIPIENT}`,
    url: customer.url(),
  });
  await server.until('3 callbacks', () => customer.requests.length >= 3);
  expect(customer.requests.map(({ parameters }) => parameters.ChannelStatus)).toEqual([
    'queued',
    'sent',
    'delivered',
  ]);
  expect(await main.verify_session.validate({ id, otp: '424242' })).toMatchObject({
    message: 'session validated successfully.',
  });
  expect((await server.get(`/Inbox/?recipient=${RECIPIENT}`)).messages).toEqual([]);
  expect((await server.get(`/Verify/Session/${id}/`)).test).toBe(true);
});
