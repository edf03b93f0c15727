import { expect, test } from 'vitest';
import type { Carrier, CarrierStatus, OutboundMessage, SubmitResult } from '#delivery/carrier.js';
import { createCarrierDesk } from '#delivery/carrier-desk.js';
import { createRouter } from '#delivery/router.js';
import { createMetrics } from '#telemetry/metrics.js';
import { VirtualEnvironment } from '../support/virtual-time.js';
import { message } from './carriers/support.js';

function open(answer: (message: OutboundMessage) => Promise<SubmitResult>, status?: () => CarrierStatus) {
  const environment = new VirtualEnvironment();
  const metrics = createMetrics();
  const carrier: Carrier = {
    name: 'one',
    type: 'scripted',
    channels: ['sms'],
    window: 8,
    submit: answer,
    stop: async () => {},
    ...(status ? { status } : {}),
  };
  const router = createRouter(
    [{ channel: null, prefix: '', carriers: ['one'], senders: { default: 'ACME' } }],
    [carrier],
  );
  const breaker = { of: 'closed' as 'closed' | 'open' };
  const desk = createCarrierDesk({
    environment,
    metrics,
    carriers: new Map([['one', carrier]]),
    router,
    breakerOf: () => breaker.of,
  });
  return { environment, metrics, desk, carrier, breaker };
}

test('the list tells of a carrier what its submits came to, what is in flight and the last error', async () => {
  const answers: SubmitResult[] = [
    { kind: 'accepted', messageId: 'm' },
    { kind: 'unavailable', errorCode: 20, reason: 'throttled', down: false },
    { kind: 'unanswered', errorCode: 20, reason: 'no answer', down: true },
    { kind: 'accepted', messageId: 'n' },
  ];
  const { desk, carrier, environment, breaker, metrics } = open(
    () => new Promise((resolve) => environment.after(500, () => resolve(answers.shift()!))),
  );
  for (let n = 0; n < 4; n++) void desk.submit(carrier, message());
  expect(desk.list()).toMatchObject([{ in_flight: 4, window: 8, state: 'up', last_error: null, rate: null }]);
  await environment.advance(500);
  breaker.of = 'open';
  expect(desk.list()).toEqual([
    {
      name: 'one',
      type: 'scripted',
      channels: ['sms'],
      state: 'down',
      detail: null,
      breaker: 'open',
      in_flight: 0,
      window: 8,
      rate: null,
      submits: { accepted: 2, refused: 0, unavailable: 1, unanswered: 1 },
      counts: {},
      last_error: { time: '2026-01-31T08:52:39.863000Z', error_code: 20, reason: 'no answer' },
    },
  ]);
  const { values } = await metrics.submitTime.get();
  expect(values.find(({ metricName }) => metricName?.endsWith('_count'))?.value).toBe(4);
});

test('what a carrier says of itself comes first', () => {
  const status = {
    state: 'connecting',
    detail: 'bind refused',
    inFlight: 3,
    window: 50,
    rate: 100,
    counts: { binds: 2 },
  } as const;
  const { desk } = open(
    async () => ({ kind: 'accepted', messageId: null }),
    () => status,
  );
  expect(desk.list()).toMatchObject([
    {
      state: 'connecting',
      detail: 'bind refused',
      in_flight: 3,
      window: 50,
      rate: 100,
      counts: { binds: 2 },
    },
  ]);
});

test('a test message goes through its carrier, and its receipts are told to the operator alone', async () => {
  const asked: OutboundMessage[] = [];
  const { desk, environment } = open(async (one) => {
    asked.push(one);
    return { kind: 'accepted', messageId: 'm-7' };
  });
  const started = desk.test({ carrier: 'one', to: '+1 415 555 1234', text: 'Hello' }) as { id: string };
  await environment.advance(100);
  expect(asked).toMatchObject([
    { recipient: '14155551234', text: 'Hello', sender: 'ACME', src: null, code: '' },
  ]);
  expect(desk.testState(started.id)?.result).toMatchObject({ kind: 'accepted', message_id: 'm-7' });
  const report = { status: 'delivered', errorCode: null };
  expect(desk.claims('one', { ...report, by: { kind: 'message', messageId: 'm-8' } })).toBe(false);
  expect(desk.claims('two', { ...report, by: { kind: 'message', messageId: 'm-7' } })).toBe(false);
  expect(desk.claims('one', { ...report, status: 'sent', by: { kind: 'hop', hopId: asked[0]!.hopId } })).toBe(
    true,
  );
  expect(desk.claims('one', { ...report, by: { kind: 'message', messageId: 'm-7' } })).toBe(true);
  expect(desk.testState(started.id)?.receipts).toEqual([
    { status: 'sent', error_code: null, after: 100 },
    { status: 'delivered', error_code: null, after: 100 },
  ]);
  await environment.advance(121_000);
  expect(desk.claims('one', { ...report, by: { kind: 'message', messageId: 'm-7' } })).toBe(false);
});

test('a receipt that comes before the carrier told the message id is told too', async () => {
  const { desk, environment } = open(
    () =>
      new Promise((resolve) => environment.after(50, () => resolve({ kind: 'accepted', messageId: 'm-7' }))),
  );
  const { id } = desk.test({ carrier: 'one', to: '14155551234' }) as { id: string };
  for (const messageId of ['m-6', 'm-7', 'm-8']) {
    const report = { by: { kind: 'message', messageId }, status: 'delivered', errorCode: null } as const;
    expect(desk.claims('one', report)).toBe(false);
  }
  await environment.advance(50);
  expect(desk.testState(id)?.receipts).toMatchObject([{ status: 'delivered' }]);
});

test('a test that cannot be begun says why', () => {
  const { desk } = open(async () => ({ kind: 'accepted', messageId: null }));
  expect(desk.test({ carrier: 'two', to: '14155551234' })).toEqual({
    why: 'there is no carrier two: see carriers',
  });
  expect(desk.test({ carrier: 'one', to: '12' })).toEqual({
    why: 'to: expected a valid phone number in international format',
  });
  expect(desk.testState('unknown')).toBeNull();
});
