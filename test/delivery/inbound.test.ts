import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutboundMessage } from '#delivery/carrier.js';
import { createInbound, type Inbound } from '#delivery/inbound.js';
import { createRouter } from '#delivery/router.js';
import { openMemoryStore } from '#store/memory/store.js';
import { openSqliteStore } from '#store/sqlite/store.js';
import type { Store } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { AccountId, Recipient } from '#verify/model.js';
import { type Fixture, newKey, seed, start } from '../support/rows.js';
import { settle, VirtualEnvironment } from '../support/virtual-time.js';

const RECIPIENT = '14155551234' as Recipient;
const HELP = 'Acme sends codes to sign in. Reply STOP to end.';

const STORES: Record<string, (directory: string, environment: VirtualEnvironment) => Promise<Store>> = {
  memory: async (_, environment) => openMemoryStore({ environment }),
  sqlite: (directory, environment) =>
    openSqliteStore({
      directory,
      environment,
      onFatal: (error) => {
        throw error;
      },
    }),
};

describe.each(Object.entries(STORES))('what people send, over the %s store', (_, open) => {
  let directory: string;
  let environment: VirtualEnvironment;
  let store: Store;
  let first: Fixture;
  let second: Fixture;
  let inbound: Inbound;
  let lines: string[];
  let sent: { carrier: string; message: OutboundMessage }[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-inbound-'));
    environment = new VirtualEnvironment();
    store = await open(directory, environment);
    const key = newKey();
    first = await seed(store, key, '1');
    second = await seed(store, key, '2');
    lines = [];
    sent = [];
    inbound = createInbound({
      store,
      environment,
      helpText: HELP,
      log: createLog('trace', { write: (line) => void lines.push(line) }),
      metrics: createMetrics(),
    });
    const router = createRouter(
      [{ channel: null, prefix: '', carriers: ['one'], parameters: { entity_id: '1201' } }],
      [{ name: 'one', channels: ['sms'] }],
    );
    inbound.answerWith(async (carrier, message) => void sent.push({ carrier, message }), router);
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  /** A message of an account that a carrier took. */
  async function sends(fixture: Fixture, carrier = 'one', recipient = RECIPIENT): Promise<void> {
    const now = environment.now();
    const command = start(fixture, store, { now, carrier, recipient });
    await store.submit(command);
    const { attempt } = command;
    const fact = {
      type: 'hop-accepted',
      now,
      owner: store.epoch,
      attempt,
      number: 1,
      messageId: null,
    } as const;
    await store.submit({ ...fact, carrier });
    await environment.advance(1_000);
  }

  const says = (text: string, carrier = 'one', from = `+${RECIPIENT}`) =>
    inbound.forCarrier(carrier)({ from, to: '12025550100', text });
  const optedOut = async () => (await store.read.optOutsOf(RECIPIENT)).map(({ account }) => account);

  test('STOP opts out of the account that sent the newest message through this carrier', async () => {
    await sends(first);
    await sends(second);
    await sends(first, 'two');
    expect(await says('Stop.')).toBe('recorded');
    expect(await store.read.optOutsOf(RECIPIENT)).toEqual([
      {
        account: second.account,
        recipient: RECIPIENT,
        source: 'message',
        carrier: 'one',
        createdAt: environment.now(),
      },
    ]);
    await says('STOP', 'two');
    expect(await optedOut()).toEqual([first.account, second.account].sort());
  });

  test('STOP is the main account of a subaccount that sent the message', async () => {
    const application = { ...first.application, account: 'SA111111111111111111' as AccountId };
    const command = start(first, store, { application, carrier: 'one', now: environment.now() });
    await store.submit(command);
    await store.submit({
      type: 'hop-failed',
      now: environment.now(),
      owner: store.epoch,
      attempt: command.attempt,
      number: 1,
      carrier: 'one',
      errorCode: 20,
      reason: 'no answer',
      unanswered: 'resend',
      next: { kind: 'fail' },
    });
    await says('ARRÊT');
    expect(await optedOut()).toEqual([first.account]);
  });

  test('STOP of who never got a message changes nothing and is acknowledged', async () => {
    await sends(first, 'two');
    expect(await says('STOP')).toBe('recorded');
    expect(await says('STOP', 'one', 'not a number')).toBe('recorded');
    expect(await optedOut()).toEqual([]);
  });

  test('START takes back what STOP through the same carrier said, and nothing else', async () => {
    await sends(first);
    await says('STOP');
    const byHand = { recipient: RECIPIENT, source: 'operator', carrier: null, createdAt: 0 } as const;
    await store.submit({ type: 'opt-out', optOut: { account: second.account, ...byHand } });
    await says('START', 'two');
    expect(await optedOut()).toEqual([first.account, second.account].sort());
    expect(await says('unstop')).toBe('recorded');
    expect(await optedOut()).toEqual([second.account]);
  });

  test('STOP is not of the account whose message the carrier refused', async () => {
    await sends(first);
    const now = environment.now();
    const command = start(second, store, { now, carrier: 'one', recipient: RECIPIENT });
    await store.submit(command);
    const { attempt } = command;
    const failure = { errorCode: 50, reason: 'no', next: { kind: 'fail' } } as const;
    const by = { now, owner: store.epoch, attempt, number: 1, carrier: 'one' };
    await store.submit({ type: 'hop-failed', ...by, ...failure });
    await says('STOP');
    expect(await optedOut()).toEqual([first.account]);
  });

  test('HELP asked twice at a time is answered once', async () => {
    await sends(first);
    await Promise.all([says('HELP'), says('HELP')]);
    expect(sent).toHaveLength(1);
  });

  test('HELP of very many at a time is answered to some, and to others when those are through', async () => {
    const recipients = Array.from({ length: 60 }, (_, n) => String(14155551000 + n) as Recipient);
    for (const recipient of recipients) await sends(first, 'one', recipient);
    let through: () => void = () => {};
    const held = new Promise<void>((resolve) => (through = resolve));
    let begun = 0;
    const router = createRouter([], [{ name: 'one', channels: ['sms'] }]);
    inbound.answerWith(async () => {
      begun++;
      await held;
    }, router);
    for (const recipient of recipients) await says('HELP', 'one', recipient);
    expect(begun).toBe(50);
    through();
    await settle();
    for (const recipient of recipients) await says('HELP', 'one', recipient);
    expect(begun).toBe(60);
  });

  test('HELP is answered through the same carrier, from the number that was asked, once an hour', async () => {
    await says('HELP');
    expect(sent).toEqual([]);
    await sends(first);
    await says('HELP');
    await says('Hilfe');
    expect(sent).toMatchObject([
      {
        carrier: 'one',
        message: {
          recipient: RECIPIENT,
          text: HELP,
          code: '',
          src: '12025550100',
          sender: '12025550100',
          parameters: { entity_id: '1201' },
        },
      },
    ]);
    await environment.advance(3_600_000);
    await says('INFO');
    expect(sent).toHaveLength(2);
    expect(sent[0]!.message.hopId).not.toBe(sent[1]!.message.hopId);
  });

  test('anything else is acknowledged, and no text or whole number is logged', async () => {
    await sends(first);
    expect(await says('my secret is 73519264')).toBe('recorded');
    await says('STOP');
    expect(lines.join('')).not.toContain('73519264');
    expect(lines.join('')).not.toContain(RECIPIENT);
    expect(lines.filter((line) => line.includes('"kind":"stop"'))).toHaveLength(1);
  });
});

test('STOP is to be sent again while the database is away', async () => {
  const environment = new VirtualEnvironment();
  const store = openMemoryStore({ environment });
  const fixture = await seed(store);
  const command = start(fixture, store, { carrier: 'one' });
  await store.submit(command);
  const now = environment.now();
  const { attempt } = command;
  const fact = {
    type: 'hop-accepted',
    now,
    owner: store.epoch,
    attempt,
    number: 1,
    messageId: null,
  } as const;
  await store.submit({ ...fact, carrier: 'one' });
  const log = createLog('silent');
  const inbound = createInbound({ store, environment, helpText: null, log, metrics: createMetrics() });
  store.failure = 'away';
  const message = { from: RECIPIENT, to: 'ACME', text: 'STOP' };
  expect(await inbound.forCarrier('one')(message)).toBe('unavailable');
  store.failure = null;
  expect(await inbound.forCarrier('one')(message)).toBe('recorded');
  expect(await store.read.optOut(fixture.account, RECIPIENT)).toMatchObject({ source: 'message' });
});
