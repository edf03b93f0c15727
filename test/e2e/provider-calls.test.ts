import { beforeEach, describe, expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import type { CallEnd, CallStub, PlacedCall, Said } from '../support/providers/calls.js';
import { plivoCalls } from '../support/providers/plivo-calls.js';
import { type Push, type Received, serveProvider } from '../support/providers/server.js';
import { twilioCalls } from '../support/providers/twilio-calls.js';
import { AUTH_ID, type Countersign, RECIPIENT, startCountersign, type Untyped } from './support.js';

const PUBLIC_URL = 'https://verify.example.com/cs';
const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

let server: Countersign;
let sessions: Untyped;
let customer: Receiver;
/** What the provider was asked, for each account. */
let first: Received[];
let second: Received[];

beforeEach(async () => {
  customer = await new Receiver().start();
});

/** Calls go over one account first, another second; messages into the inbox. */
async function start(stub: CallStub): Promise<void> {
  const serve = () => serveProvider((request) => stub.answer(request));
  const accounts = [await serve(), await serve()];
  [first, second] = accounts.map(({ received }) => received) as [Received[], Received[]];
  const [phone, other] = accounts.map(({ url }) => ({ type: stub.type, ...stub.settings, base_url: url }));
  server = await startCountersign({
    yaml: JSON.stringify({ drain_seconds: 0, carriers: { phone, other, inbox: { type: 'inbox' } } }),
    env: { COUNTERSIGN_PUBLIC_URL: PUBLIC_URL },
  });
  sessions = server.sessions();
}

async function create(fields: object = {}): Promise<string> {
  const wanted = { recipient: `+${RECIPIENT}`, channel: 'voice', url: customer.url(), ...fields };
  return (await sessions.create(wanted)).sessionUuid;
}

/** The latest call that either account was asked to place, when there are so many. */
async function placed(stub: CallStub, count: number): Promise<PlacedCall> {
  const calls = () => [...first, ...second].flatMap((request) => stub.placed(request) ?? []);
  await server.until(`${count} calls`, () => calls().length >= count);
  return calls()[count - 1]!;
}

/** Sends to the public URL, as a proxy passes it on. */
function push({ url, ...init }: Push): Promise<Response> {
  return fetch(url.replace(PUBLIC_URL, server.url), init);
}

async function ask(stub: CallStub, call: PlacedCall, url = call.answerUrl, key?: string) {
  const answer = await push(stub.fetch(call, url, { key }));
  return { status: answer.status, said: stub.read(await answer.text()) };
}

async function tell(stub: CallStub, call: PlacedCall, what: 'ringing' | CallEnd): Promise<number> {
  return (await push(stub.tell(call, what))).status;
}

/** The code, heard as a person hears it. */
function heard(said: readonly Said[]): string {
  const text = said.map((each) => ('text' in each ? each.text : '')).join(' ');
  const [, spoken = ''] = /Your code is (.*?) Once more/.exec(text) ?? [];
  return spoken.replace(/(\w+)\. ?/g, (_, word) => String(DIGITS.indexOf(word)));
}

async function calledBack(count: number): Promise<string[]> {
  await server.until(`${count} callbacks`, () => customer.requests.length >= count);
  return customer.requests.map(({ parameters }) =>
    `${parameters.ChannelStatus} ${parameters.ChannelErrorCode}`.trim(),
  );
}

const isOf =
  (status: string) =>
  ({ parameters }: { parameters: Record<string, string> }) =>
    parameters.ChannelStatus === status;

describe.each([twilioCalls, plivoCalls])('over $type', (stub) => {
  test('a code that was heard in a call is good, and the call becomes ordered callbacks', async () => {
    await start(stub);
    const id = await create();
    const call = await placed(stub, 1);
    expect(await tell(stub, call, 'ringing')).toBe(200);
    const code = heard((await ask(stub, call)).said);
    expect(code).toMatch(/^[0-9]{6}$/);
    expect(await tell(stub, call, { status: 'completed', seconds: 32 })).toBe(200);
    expect(await calledBack(3)).toEqual(['ringing', 'in-progress', 'completed']);
    expect(await sessions.validate({ id, otp: code })).toMatchObject({
      message: 'session validated successfully.',
    });
    expect([...first, ...second]).toHaveLength(1);
  });

  test('a callee who does not press the key hears no code, and the attempt fails with 9110', async () => {
    await start(stub);
    await create({ dtmf: 5 });
    const call = await placed(stub, 1);
    const { said } = await ask(stub, call);
    expect(heard(said)).toBe('');
    const { url } = said.at(-1) as { url: string };
    await push(stub.redirect(call, url));
    expect(await tell(stub, call, { status: 'completed', seconds: 25 })).toBe(200);
    expect((await calledBack(3)).at(-1)).toBe('failed 9110');
  });

  test('a callee who presses the key hears the code', async () => {
    await start(stub);
    const id = await create({ dtmf: 5 });
    const call = await placed(stub, 1);
    const [asks] = (await ask(stub, call)).said;
    const { said } = await ask(stub, call, (asks as { url: string }).url, '5');
    await sessions.validate({ id, otp: heard(said) });
  });

  test('a callee who presses 1 verifies the session, hears no code, and is thanked after the commit', async () => {
    await start(stub);
    await server.administration('app.create', { account: AUTH_ID, confirm_by_key: true, is_default: true });
    const id = await create();
    const call = await placed(stub, 1);
    const { said } = await ask(stub, call);
    const words = (all: readonly Said[]) => all.map((each) => ('text' in each ? each.text : '')).join(' ');
    expect(words(said)).toContain('To confirm, press one.');
    expect((await sessions.get(id)).status).toBe('in-progress');
    const { url } = said.find((each) => 'url' in each) as { url: string };
    const answer = await ask(stub, call, url, '1');
    expect((await sessions.get(id)).status).toBe('verified');
    expect(words(answer.said)).toContain('Your number is confirmed.');
    for (const all of [said, answer.said]) expect(heard(all)).toBe('');
    expect(await calledBack(3)).toEqual(['ringing', 'in-progress', 'completed']);
    expect(await tell(stub, call, { status: 'completed', seconds: 14 })).toBe(200);
    expect(customer.requests.at(-1)!.parameters.SessionStatus).toBe('verified');
    // The address is good once.
    expect((await ask(stub, call, url, '1')).status).toBe(404);
    expect(await server.metric('countersign_attempts_total{channel="voice",status="completed"}')).toBe(1);
    expect(await server.metric('countersign_sessions_total{event="verified"}')).toBe(1);
  });

  test('a busy line is told as such, and nobody else calls it', async () => {
    await start(stub);
    await create();
    expect(await tell(stub, await placed(stub, 1), { status: 'busy' })).toBe(200);
    expect((await calledBack(1)).at(-1)).toBe('busy 3010');
  });

  test('a call that the provider cannot place goes to the next carrier', async () => {
    await start(stub);
    await create();
    expect(await tell(stub, await placed(stub, 1), { status: 'failed', code: stub.carriersFault })).toBe(200);
    await server.until('a call over the other', () =>
      second.some((request) => stub.placed(request) !== null),
    );
  });

  test('a session that was verified meanwhile has its call ended before anybody answers', async () => {
    await start(stub);
    const id = await create();
    const call = await placed(stub, 1);
    expect(await tell(stub, call, 'ringing')).toBe(200);
    await create({ channel: 'sms' });
    const [sms] = await server.inbox(1);
    await sessions.validate({ id, otp: sms!.otp });
    // The provider is told to end it; whoever answered before that hears nothing.
    await server.until('the end of the call', () => first.length === 2);
    expect(await ask(stub, call)).toEqual({ status: 404, said: [{ do: 'hang-up' }] });
    expect([first.length, second.length]).toEqual([2, 0]);
    await server.until('the callback', () => customer.requests.some(isOf('no-answer')));
    expect(customer.requests.find(isOf('no-answer'))!.parameters).toMatchObject({
      AttemptSequence: '1',
      ChannelErrorCode: '3000',
      SessionStatus: 'verified',
    });
    expect((await sessions.get(id)).attemptDetails[0].status).toBe('no-answer');
  });

  test('after a restart a call that said nothing yet is placed again, and the old one ends', async () => {
    await start(stub);
    const id = await create();
    const old = await placed(stub, 1);
    await tell(stub, old, 'ringing');
    await server.restart();
    await server.time.advance(60_000);
    const call = await placed(stub, 2);
    expect((await ask(stub, old)).status).toBe(404);
    await server.sessions().validate({ id, otp: heard((await ask(stub, call)).said) });
  });

  test('after a restart a call that spoke the code is not placed again, and its end still counts', async () => {
    await start(stub);
    await create();
    const call = await placed(stub, 1);
    await ask(stub, call);
    await server.restart();
    await server.time.advance(60_000);
    expect(await tell(stub, call, { status: 'completed', seconds: 30 })).toBe(200);
    await server.until('the end', () => customer.requests.at(-1)?.parameters.ChannelStatus === 'completed');
    expect([...first, ...second].flatMap((request) => stub.placed(request) ?? [])).toHaveLength(1);
  });
});
