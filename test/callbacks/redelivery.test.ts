import { expect, test } from 'vitest';
import type { AttemptId, SessionId } from '#verify/model.js';
import { eventually, settle } from '../support/virtual-time.js';
import { type Office, openOffice } from './office.js';
import { plivo } from './plivo-sdk.js';
import { type Received, Receiver } from './receiver.js';

const SECOND = 1_000;
const DAY = 24 * 3_600 * SECOND;

async function redeliver(office: Office, attempt: AttemptId, sequence = 1) {
  return office.store.submit({
    type: 'redeliver-callback',
    now: office.environment.now(),
    owner: office.store.epoch,
    account: office.fixture.account,
    session: office.row(attempt, sequence).session,
    attempt,
    sequence,
  });
}

/** The log of a callback. */
async function tries(office: Office, attempt: AttemptId, sequence = 1) {
  const records = await office.store.read.callbacks(office.row(attempt, sequence).session as SessionId, 20);
  return records.find(({ callback }) => callback.sequence === sequence)!.tries;
}

function isSigned(office: Office, receiver: Receiver, request: Received): boolean {
  return plivo.validateV3Signature(
    'POST',
    receiver.url(request.path),
    String(request.headers['x-plivo-signature-v3-nonce']),
    office.fixture.token,
    String(request.headers['x-plivo-signature-v3']),
    request.parameters,
  );
}

test('a delivered callback goes out once more: the same content, a nonce and a signature of its own', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const attempt = await office.call(receiver.url('/status?tenant=7'));
  await office.becomes(attempt, { state: 'delivered' });
  await office.environment.advance(3 * DAY);
  expect(await redeliver(office, attempt)).toEqual({ kind: 'accepted' });
  await office.becomes(attempt, { state: 'delivered', tries: 2 });
  const [first, second] = receiver.requests as [Received, Received];
  expect(receiver.requests).toHaveLength(2);
  expect(second.body).toBe(first.body);
  expect(second.path).toBe(first.path);
  const nonce = 'x-plivo-signature-v3-nonce';
  expect(second.headers[nonce]).not.toBe(first.headers[nonce]);
  expect([first, second].map((request) => isSigned(office, receiver, request))).toEqual([true, true]);
});

test('a redelivery that fails is tried again after 60, 120 and 240 s, and every try is in the log', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = (response) => response.writeHead(500).end();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  const started = office.environment.now();
  for (const [index, wait] of [60, 120, 240].entries()) {
    await office.becomes(attempt, { tries: index + 1 });
    await office.environment.advance(wait * SECOND);
  }
  await office.becomes(attempt, { state: 'failed', tries: 4 });
  await office.environment.advance(DAY + SECOND);
  const asked = office.environment.now();
  await redeliver(office, attempt);
  for (const [index, wait] of [60, 120, 240].entries()) {
    await office.becomes(attempt, { tries: index + 5 });
    await office.environment.advance(wait * SECOND - 1);
    await settle(20);
    expect(receiver.requests).toHaveLength(index + 5);
    if (wait === 240) receiver.answer = (response) => response.writeHead(204).end();
    await office.environment.advance(1);
  }
  await office.becomes(attempt, { state: 'delivered', tries: 8 });
  const at = [0, 60, 180, 420].map((seconds) => seconds * SECOND);
  const next = [60, 180, 420, null];
  expect(await tries(office, attempt)).toMatchObject([
    ...at.map((after, index) => ({
      at: started + after,
      httpStatus: 500,
      nextAt: next[index] === null ? null : started + next[index]! * SECOND,
      byHand: false,
    })),
    ...at.map((after, index) => ({
      at: asked + after,
      httpStatus: index === 3 ? 204 : 500,
      reason: index === 3 ? null : 'answered 500',
      nextAt: next[index] === null ? null : asked + next[index]! * SECOND,
      byHand: true,
    })),
  ]);
});

test('the log tells how long a try took by the clock that never jumps, and nothing for one not sent', async () => {
  const receiver = await new Receiver().start();
  receiver.answer = () => {};
  const office = await openOffice();
  const slow = await office.call(receiver.url());
  await receiver.receives(1);
  await office.environment.advance(5 * SECOND);
  await office.becomes(slow, { tries: 1 });
  expect(await tries(office, slow)).toMatchObject([
    { latency: 5_000, httpStatus: null, reason: 'no whole answer within 5 s' },
  ]);
  const strict = await openOffice({ allow: [] });
  const refused = await strict.call(receiver.url());
  await strict.becomes(refused, { state: 'failed' });
  expect(await tries(strict, refused)).toMatchObject([
    { latency: null, httpStatus: null, reason: 'the host has no public address', nextAt: null },
  ]);
});

test('a redelivery does not wait for the callbacks of its attempt that are still tried, nor they for it', async () => {
  const receiver = await new Receiver().start();
  let answers: Record<string, number> = { queued: 410, sent: 503, delivered: 204 };
  receiver.answer = (response, { parameters }) =>
    response.writeHead(answers[parameters.ChannelStatus!]!).end();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await office.deliver(attempt);
  for (const [index, wait] of [60, 120, 240].entries()) {
    await office.becomes(attempt, { tries: index + 1 });
    await office.environment.advance(wait * SECOND);
  }
  await office.becomes(attempt, { state: 'failed' });
  await office.becomes(attempt, { state: 'ready', tries: 1 }, 2);
  answers = { ...answers, queued: 204 };
  await redeliver(office, attempt);
  await office.becomes(attempt, { state: 'delivered' });
  expect(office.row(attempt, 2)).toMatchObject({ state: 'ready', tries: 1 });
  expect(office.row(attempt, 3)).toMatchObject({ state: 'held' });
  answers = { ...answers, queued: 500, sent: 204 };
  await redeliver(office, attempt);
  await office.becomes(attempt, { state: 'ready', tries: 6 });
  await office.environment.advance(60 * SECOND);
  await office.becomes(attempt, { state: 'delivered' }, 3);
  expect(office.row(attempt)).toMatchObject({ state: 'ready' });
});

test('a redelivery asked for while the try before it is being recorded goes out', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  // Told of the commit first: the try before is still in flight in memory when the redelivery is offered.
  let asked: Promise<unknown> | null = null;
  const { store } = office;
  const submit = store.submit.bind(store);
  store.submit = ((command: Parameters<typeof submit>[0]) => {
    const outcome = submit(command);
    if (command.type === 'callback-tried') asked ??= redeliver(office, command.attempt);
    return outcome;
  }) as typeof store.submit;
  const attempt = await office.call(receiver.url());
  await office.becomes(attempt, { state: 'delivered', tries: 2 });
  expect(await asked).toEqual({ kind: 'accepted' });
  expect(receiver.requests).toHaveLength(2);
});

test('a redelivery goes out although what this node has in memory is older', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice({ settings: { perHost: 1, total: 1 } });
  let hold: () => void = () => {};
  receiver.answer = (response) => {
    hold = () => response.writeHead(204).end();
  };
  const first = await office.call(receiver.url());
  await receiver.receives(1);
  // It waits in memory, and another node settles it meanwhile.
  const second = await office.call(receiver.url(), { recipient: '14155559876' as never });
  const settled = { ok: true, retriable: true, httpStatus: 204, reason: null, latency: 1, triesBefore: 0 };
  const at = { now: office.environment.now(), owner: 99, attempt: second, sequence: 1 };
  await office.store.submit({ type: 'callback-tried', ...at, ...settled });
  expect(await redeliver(office, second)).toEqual({ kind: 'accepted' });
  receiver.answer = (response) => response.writeHead(204).end();
  hold();
  await office.becomes(first, { state: 'delivered' });
  await receiver.receives(2);
  await eventually('the stale try to end', () => office.callbacks.depth.inFlight === 0);
  await settle(20);
  await office.environment.advance(SECOND);
  await office.becomes(second, { state: 'delivered', tries: 2 });
  expect(await tries(office, second)).toMatchObject([{ byHand: false }, { byHand: true, httpStatus: 204 }]);
});

test('a redelivery that waits in rows is found again after a restart', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await office.becomes(attempt, { state: 'delivered' });
  await office.callbacks.close();
  await office.environment.advance(2 * DAY);
  await redeliver(office, attempt);
  await settle(20);
  expect(receiver.requests).toHaveLength(1);
  await office.restart();
  await office.becomes(attempt, { state: 'delivered', tries: 2 });
  expect(receiver.requests).toHaveLength(2);
});

test('a redelivery that could not be sent for 24 hours fails untried', async () => {
  const receiver = await new Receiver().start();
  const office = await openOffice();
  const attempt = await office.call(receiver.url());
  await office.becomes(attempt, { state: 'delivered' });
  await office.callbacks.close();
  await redeliver(office, attempt);
  await office.environment.advance(DAY + 1);
  await office.restart();
  await office.becomes(attempt, { state: 'failed', tries: 2, reason: 'not sent within 24 hours' });
  expect(receiver.requests).toHaveLength(1);
});
