import { describe, expect, it } from 'vitest';
import type { Carrier, OutboundMessage, SubmitResult } from '#delivery/carrier.js';
import { Dispatcher } from '#delivery/dispatcher.js';
import { createRouter } from '#delivery/router.js';
import { KeyringHolder } from '#store/keys.js';
import { openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { StartAttempt } from '#verify/commands.js';
import type { Recipient } from '#verify/model.js';
import { codeOf, NOW, newKey, seed, start, validation } from '../support/rows.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

const ACCEPTED: SubmitResult = { kind: 'accepted', messageId: 'm-1' };
const REFUSED: SubmitResult = { kind: 'refused', errorCode: 50, reason: 'no such number' };
const DOWN: SubmitResult = { kind: 'unavailable', errorCode: 20, reason: 'no answer', down: true };
const UNANSWERED: SubmitResult = { kind: 'unanswered', errorCode: 20, reason: 'no answer', down: false };

interface Script {
  readonly answers: SubmitResult[];
  readonly asked: OutboundMessage[];
}

/** A dispatcher between a memory store and carriers that answer from a script, the last answer for ever. */
async function open(
  scripts: Record<string, SubmitResult[]>,
  {
    unanswered,
    routes = [],
    held = [],
  }: {
    unanswered?: 'resend' | 'wait';
    routes?: Parameters<typeof createRouter>[0];
    /** Carriers that answer only after `release`. */
    held?: readonly string[];
  } = {},
) {
  const environment = new VirtualEnvironment({ start: NOW });
  const store = openMemoryStore({ environment });
  const data = newKey();
  const fixture = await seed(store, data);
  const keyring = new KeyringHolder();
  keyring.use(data);
  const told: Record<string, Script> = {};
  const carriers = new Map<string, Carrier>();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (const [name, answers] of Object.entries(scripts)) {
    const script: Script = { answers: [...answers], asked: [] };
    told[name] = script;
    carriers.set(name, {
      name,
      type: 'scripted',
      channels: ['sms', 'voice'],
      window: 4,
      unanswered,
      submit: async (message) => {
        script.asked.push(message);
        if (held.includes(name)) await released;
        return script.answers.length > 1 ? script.answers.shift()! : script.answers[0]!;
      },
      stop: async () => {},
    });
  }
  const lines: string[] = [];
  const dispatcher = new Dispatcher({
    store,
    keyring,
    environment,
    carriers,
    router: createRouter(routes, [...carriers.values()]),
    onAccepted: () => {},
    log: createLog('trace', { write: (line) => void lines.push(line) }),
    metrics: createMetrics(),
  });
  let deaf = false;
  store.onEffects((effects) => {
    for (const effect of deaf ? [] : effects) {
      if (effect.kind === 'deliver') dispatcher.offer(effect.delivery);
      if (effect.kind === 'drop') dispatcher.drop(effect.attempt);
    }
  });
  let recipients = 0;
  const send = async (changes: Partial<StartAttempt> = {}) => {
    const recipient = String(14155550100 + ++recipients) as Recipient;
    const now = environment.now();
    const command = start(fixture, store, { now, recipient, carrier: Object.keys(scripts)[0]!, ...changes });
    await store.submit(command);
    await environment.advance(0);
    return command;
  };
  const attempt = (command: StartAttempt) => store.database.attempt(command.attempt)!;
  return {
    environment,
    store,
    fixture,
    dispatcher,
    told,
    lines,
    send,
    attempt,
    release: () => release(),
    /** Whether it hears nothing of what is to be done, which then waits in rows. */
    isDeaf: (is: boolean) => {
      deaf = is;
    },
  };
}

describe('the dispatcher', () => {
  it('brings the code to the carrier at once and records what it took', async () => {
    const { told, send, attempt, store, fixture } = await open({ one: [ACCEPTED] });
    const command = await send();
    const code = codeOf(fixture, store.database.session(command.session)!);
    expect(told.one!.asked).toMatchObject([
      { hopId: `${command.attempt}.1`, code, text: `Your Acme verification code is ${code}.` },
    ]);
    expect(attempt(command)).toMatchObject({ status: 'sent', delivery: 'handed', carrier: 'one' });
    expect(store.database.hopsOf(command.attempt)).toMatchObject([{ state: 'accepted', messageId: 'm-1' }]);
  });

  it('hands the carrier the final text: in the locale, with the last line on an SMS alone', async () => {
    const { told, send, store, fixture } = await open({ one: [ACCEPTED, ACCEPTED] });
    const application = { ...fixture.application, domain: 'acme.example' };
    const sms = await send({ application, locale: 'de_AT' });
    const call = await send({ application, locale: 'xx', brandName: '', channel: 'voice' });
    const [first, second] = [sms, call].map(({ session }) =>
      codeOf(fixture, store.database.session(session)!),
    );
    expect(told.one!.asked.map(({ text }) => text)).toEqual([
      `Ihr Bestätigungscode für Acme lautet ${first}.\n@acme.example #${first}`,
      `Your verification code is ${second}.`,
    ]);
  });

  it('records a carrier that knows the outcome at once in one step', async () => {
    const { send, attempt, store } = await open({
      one: [{ kind: 'accepted', messageId: null, status: 'delivered' }],
    });
    const command = await send({ url: 'https://example.com/status' });
    expect(attempt(command)).toMatchObject({ status: 'delivered', delivery: 'done', callbacksMade: 3 });
    expect(store.database.hopsOf(command.attempt)).toMatchObject([{ state: 'delivered' }]);
  });

  it('fails an attempt that the carrier refuses, without asking another', async () => {
    const { told, send, attempt } = await open({ one: [REFUSED], two: [ACCEPTED] });
    const command = await send();
    expect(attempt(command)).toMatchObject({ status: 'failed', errorCode: 50, delivery: 'done' });
    expect(told.two!.asked).toEqual([]);
  });

  it('goes to the next carrier of the route at once, on a hop of its own', async () => {
    const { told, send, attempt, store } = await open({ one: [DOWN], two: [ACCEPTED] });
    const command = await send();
    expect(told.two!.asked.map(({ hopId }) => hopId)).toEqual([`${command.attempt}.2`]);
    expect(attempt(command)).toMatchObject({ status: 'sent', carrier: 'two', hop: 2 });
    expect(store.database.hopsOf(command.attempt)).toMatchObject([
      { carrier: 'one', state: 'failed', reason: 'no answer' },
      { carrier: 'two', state: 'accepted' },
    ]);
  });

  it('repeats the same hop on the only carrier, after a growing wait, with the same code', async () => {
    const { told, send, attempt, environment } = await open({ one: [DOWN, DOWN, DOWN, ACCEPTED] });
    const command = await send();
    expect(told.one!.asked).toHaveLength(1);
    await environment.advance(800);
    expect(told.one!.asked).toHaveLength(1);
    await environment.advance(400);
    expect(told.one!.asked).toHaveLength(2);
    await environment.advance(1_500);
    expect(told.one!.asked).toHaveLength(2);
    await environment.advance(10_000);
    expect(told.one!.asked).toHaveLength(4);
    expect(new Set(told.one!.asked.map(({ hopId, code }) => `${hopId} ${code}`)).size).toBe(1);
    expect(attempt(command)).toMatchObject({ status: 'sent', hop: 1, tries: 4 });
  });

  it('waits as long as the carrier asks', async () => {
    const { told, send, environment } = await open({ one: [{ ...DOWN, retryAfter: 30_000 }, ACCEPTED] });
    await send();
    await environment.advance(29_000);
    expect(told.one!.asked).toHaveLength(1);
    await environment.advance(2_000);
    expect(told.one!.asked).toHaveLength(2);
  });

  it('passes over a carrier behind an open breaker when it plans, and comes back to it with a probe', async () => {
    const { dispatcher, send, environment, told } = await open({
      one: [DOWN, DOWN, DOWN, DOWN, DOWN, ACCEPTED],
      two: [ACCEPTED],
    });
    const wanted = { channel: 'sms', recipient: '14155551234' } as const;
    expect(dispatcher.plan(wanted)).toBe('one');
    for (let count = 0; count < 5; count++) await send();
    expect(dispatcher.plan(wanted)).toBe('two');
    expect(told.two!.asked).toHaveLength(5);
    await environment.advance(5_000);
    expect(dispatcher.plan(wanted)).toBe('one');
    await send();
    expect(told.one!.asked).toHaveLength(6);
    expect(dispatcher.plan(wanted)).toBe('one');
  });

  it.each([
    ['a retry', [DOWN, ACCEPTED]],
    ['the wait for a receipt', [{ ...DOWN, kind: 'unanswered' } as SubmitResult, ACCEPTED]],
  ])('sends no more to who opted out during %s', async (_, answers) => {
    const { send, store, told, environment, attempt } = await open({ one: answers }, { unanswered: 'wait' });
    const command = await send();
    const { main, recipient } = command;
    const optOut = { account: main, recipient, source: 'message', carrier: 'one', createdAt: NOW } as const;
    await store.submit({ type: 'opt-out', optOut });
    await environment.advance(60_000);
    expect(told.one!.asked).toHaveLength(1);
    expect(attempt(command)).toMatchObject({ status: 'failed', errorCode: 200, delivery: 'done' });
  });

  it('calls who opted out of SMS meanwhile', async () => {
    const { send, store, told, environment } = await open({ one: [DOWN, ACCEPTED] });
    const { main, recipient } = await send({ channel: 'voice' });
    const optOut = { account: main, recipient, source: 'message', carrier: 'one', createdAt: NOW } as const;
    await store.submit({ type: 'opt-out', optOut });
    await environment.advance(60_000);
    expect(told.one!.asked).toHaveLength(2);
  });

  it('asks no carrier after the session has expired', async () => {
    const { told, send, attempt, environment, store } = await open({ one: [DOWN, ACCEPTED] });
    const command = await send({
      application: { ...(await open({ one: [DOWN] })).fixture.application, expiry: 1 },
    });
    await environment.advance(5_000);
    expect(told.one!.asked).toHaveLength(1);
    expect(attempt(command)).toMatchObject({ status: 'failed', errorCode: 20 });
    expect(store.database.session(command.session)?.status).toBe('expired');
  });

  it('fails an attempt whose carrier is gone from the configuration when no other serves it', async () => {
    const { send, attempt } = await open({});
    const command = await send({ carrier: 'gone' });
    expect(attempt(command)).toMatchObject({ status: 'failed', errorCode: 90 });
  });

  it('gives an attempt up that so many nodes died with', async () => {
    const { told, send, attempt, store, dispatcher, environment } = await open({ one: [DOWN, ACCEPTED] });
    const command = await send();
    store.database.put('attempt', { ...attempt(command), takeovers: 11 });
    await dispatcher.refill();
    await environment.advance(10_000);
    expect(told.one!.asked).toHaveLength(1);
    expect(attempt(command)).toMatchObject({ status: 'failed', errorCode: 1000 });
  });

  it('keeps what the carrier took until the database is back, and does not send it again', async () => {
    const { told, send, attempt, store, environment, fixture } = await open({ one: [ACCEPTED] });
    const command = start(fixture, store, { carrier: 'one' });
    const answered = store.submit(command);
    await answered;
    store.failure = 'away';
    await environment.advance(30_000);
    expect(attempt(command).status).toBe('queued');
    store.failure = null;
    await environment.advance(2_000);
    expect(attempt(command)).toMatchObject({ status: 'sent', delivery: 'handed' });
    expect(told.one!.asked).toHaveLength(1);
    await send();
    expect(told.one!.asked).toHaveLength(2);
  });

  it('never logs the code, the text or the whole number', async () => {
    const { send, lines, store, fixture } = await open({ one: [REFUSED] });
    const command = await send({ otp: '73519264' });
    expect(codeOf(fixture, store.database.session(command.session)!)).toBe('73519264');
    expect(lines.join('')).toContain('no such number');
    expect(lines.join('')).not.toContain('73519264');
    expect(lines.join('')).not.toContain(command.recipient);
  });
});

describe('a message whose code was typed before it was handed over', () => {
  /** Verifies the session of an attempt. */
  async function verify({ store, fixture, environment }: Awaited<ReturnType<typeof open>>, to: StartAttempt) {
    const code = codeOf(fixture, store.database.session(to.session)!);
    const now = environment.now();
    const outcome = await store.submit(validation(fixture, to.session, code, { now, owner: store.epoch }));
    expect(outcome.kind).toBe('validated');
  }

  it('is not handed over any more, and that is told at once', async () => {
    const world = await open({ one: [ACCEPTED], other: [ACCEPTED] }, { held: ['one'] });
    const crowd = await Promise.all(Array.from({ length: 4 }, () => world.send()));
    const waiting = await world.send({ url: 'https://example.com/status' });
    await verify(world, waiting);
    await world.environment.advance(0);
    expect(world.attempt(waiting)).toMatchObject({ status: 'failed', errorCode: null, callbacksMade: 2 });
    world.release();
    await world.environment.advance(60_000);
    expect(world.told.one!.asked.map(({ attempt }) => attempt)).toEqual(crowd.map(({ attempt }) => attempt));
  });

  it('waits for a database that is away to tell it', async () => {
    const world = await open({ one: [ACCEPTED] }, { held: ['one'] });
    for (let index = 0; index < 4; index++) await world.send();
    const waiting = await world.send();
    await verify(world, waiting);
    world.store.failure = 'away';
    await world.environment.advance(10_000);
    expect(world.attempt(waiting).status).toBe('queued');
    world.store.failure = null;
    await world.environment.advance(1_000);
    expect(world.attempt(waiting).status).toBe('failed');
  });

  it('is sent when a carrier was being asked, failed when it did not take it, and open when it did not answer, but never tried again', async () => {
    for (const [answer, status, errorCode] of [
      [ACCEPTED, 'sent', null],
      [DOWN, 'failed', 20],
      [UNANSWERED, 'queued', null],
    ] as const) {
      const world = await open({ one: [answer], two: [ACCEPTED] }, { held: ['one'] });
      const command = await world.send();
      await verify(world, command);
      expect(world.attempt(command).status).toBe('queued');
      world.release();
      await world.environment.advance(60_000);
      expect(world.attempt(command)).toMatchObject({ status, errorCode });
      expect(world.told.two!.asked).toEqual([]);
    }
  });
});

describe('a submit without an answer', () => {
  it('is followed by the next carrier of the route at once, where the carrier says nothing or resend', async () => {
    for (const unanswered of [undefined, 'resend'] as const) {
      const { told, send, attempt, store } = await open(
        { one: [UNANSWERED], two: [ACCEPTED] },
        { unanswered },
      );
      const command = await send();
      expect(told.two!.asked.map(({ hopId }) => hopId)).toEqual([`${command.attempt}.2`]);
      expect(attempt(command)).toMatchObject({ status: 'sent', carrier: 'two' });
      expect(store.database.hopsOf(command.attempt)).toMatchObject([
        { carrier: 'one', state: 'unanswered', unanswered: 'resend', reason: 'no answer', errorCode: 20 },
        { carrier: 'two', state: 'accepted', unanswered: null },
      ]);
    }
  });

  it('is repeated on the only carrier under the same id, after a wait', async () => {
    const { told, send, environment, attempt } = await open({ one: [UNANSWERED, ACCEPTED] });
    const command = await send();
    expect(told.one!.asked).toHaveLength(1);
    await environment.advance(2_000);
    expect(told.one!.asked.map(({ hopId }) => hopId)).toEqual(Array(2).fill(`${command.attempt}.1`));
    expect(attempt(command)).toMatchObject({ status: 'sent', hop: 1 });
  });

  it('waits as long as the route says before the next carrier, where the carrier says wait', async () => {
    const routes = [{ channel: null, prefix: '', carriers: ['one', 'two'], unansweredWait: 12 }];
    const script = { one: [UNANSWERED], two: [ACCEPTED] };
    const { told, send, environment, store } = await open(script, { unanswered: 'wait', routes });
    const command = await send();
    await environment.advance(11_900);
    expect(told.two!.asked).toEqual([]);
    await environment.advance(200);
    expect(told.two!.asked).toHaveLength(1);
    expect(store.database.hopsOf(command.attempt)[0]).toMatchObject({
      state: 'unanswered',
      unanswered: 'wait',
    });
  });

  it('goes to no other carrier when the receipt that was waited for comes', async () => {
    const script = { one: [UNANSWERED], two: [ACCEPTED] };
    const { told, send, environment, store, attempt } = await open(script, { unanswered: 'wait' });
    const command = await send();
    await environment.advance(10_000);
    await store.submit({
      type: 'receipt',
      now: environment.now(),
      owner: store.epoch,
      carrier: 'one',
      by: { kind: 'hop', attempt: command.attempt, number: 1 },
      status: 'delivered',
      errorCode: null,
    });
    await environment.advance(60_000);
    expect(told.two!.asked).toEqual([]);
    expect(attempt(command)).toMatchObject({ status: 'delivered', delivery: 'done' });
  });

  it('of a carrier that was not asked says nothing for it', async () => {
    const waiting: SubmitResult = { ...DOWN, kind: 'unavailable', down: false, untried: true };
    const { send, dispatcher } = await open({
      one: [DOWN, DOWN, waiting, DOWN, DOWN, waiting, DOWN, waiting],
      two: [ACCEPTED],
    });
    for (let count = 0; count < 6; count++) await send();
    expect(dispatcher.breakerOf('one')).toBe('closed');
    await send();
    expect(dispatcher.breakerOf('one')).toBe('open');
  });

  it('counts against the carrier where it says that it is down', async () => {
    const { send, dispatcher } = await open({ one: [{ ...UNANSWERED, down: true }], two: [ACCEPTED] });
    for (let count = 0; count < 5; count++) await send();
    expect(dispatcher.breakerOf('one')).toBe('open');
  });
});

describe('a carrier that dies', () => {
  it('loses what waited for it to the next carrier at once, with a hop for each try and none for the others', async () => {
    const { send, attempt, store, told, environment } = await open({ one: [DOWN], two: [ACCEPTED] });
    const commands = [];
    for (let count = 0; count < 40; count++) commands.push(await send());
    await environment.advance(100);
    for (const command of commands) {
      expect(attempt(command)).toMatchObject({ status: 'sent', carrier: 'two' });
      const hops = store.database.hopsOf(command.attempt);
      expect(hops.at(-1)).toMatchObject({ carrier: 'two', state: 'accepted' });
      for (const hop of hops.slice(0, -1)) expect(hop).toMatchObject({ carrier: 'one', reason: 'no answer' });
    }
    expect(told.one!.asked).toHaveLength(5);
    expect(told.two!.asked).toHaveLength(40);
  });

  it('gives up the attempts that waited in rows for their next try on it', async () => {
    const routes = [
      { channel: null, prefix: '1415', carriers: ['one'] },
      { channel: null, prefix: '1416', carriers: ['one', 'two'] },
    ];
    const { send, attempt, environment, told } = await open(
      { one: [DOWN], two: [DOWN, ACCEPTED] },
      { routes },
    );
    const free = await send({ recipient: '14165550199' as Recipient });
    // Both carriers failed: its next try is due on the first one, which breaks meanwhile.
    expect(attempt(free)).toMatchObject({ carrier: 'one', delivery: 'pending' });
    const bound = [];
    for (let count = 0; count < 5; count++) bound.push(await send());
    await environment.advance(5_000);
    expect(attempt(free)).toMatchObject({ status: 'sent', carrier: 'two' });
    expect(told.two!.asked).toHaveLength(2);
    for (const command of bound)
      expect(attempt(command)).toMatchObject({ carrier: 'one', delivery: 'pending' });
  });

  it('keeps the attempts whose code has expired, which nobody else is asked to take', async () => {
    const script = { one: [DOWN], two: [ACCEPTED] };
    const { send, store, dispatcher, environment, told, isDeaf } = await open(script);
    // More than are looked at at a time, in rows alone.
    isDeaf(true);
    for (let count = 0; count < 300; count++) await send();
    await environment.advance(600_000);
    isDeaf(false);
    const { submit } = store;
    let moves = 0;
    store.submit = (command) => {
      // Moved again and again they would never let this test end.
      if (command.type === 'reroute' && ++moves > 300) store.holds = () => false;
      return submit.call(store, command) as never;
    };
    for (let count = 0; count < 5; count++) await send();
    expect(dispatcher.breakerOf('one')).toBe('open');
    expect([moves, told.two!.asked.length]).toEqual([0, 5]);
  });

  it('is passed over by an attempt that fails elsewhere', async () => {
    const routes = [
      { channel: 'sms' as const, prefix: '', carriers: ['one', 'two', 'three'] },
      { channel: 'voice' as const, prefix: '', carriers: ['two'] },
    ];
    const script = { one: [DOWN], two: [DOWN], three: [ACCEPTED] };
    const { send, told, dispatcher } = await open(script, { routes });
    for (let count = 0; count < 5; count++) await send({ channel: 'voice', carrier: 'two' });
    expect(dispatcher.breakerOf('two')).toBe('open');
    await send();
    expect(told.one!.asked).toHaveLength(1);
    expect(told.three!.asked).toHaveLength(1);
    expect(told.two!.asked).toHaveLength(5);
  });
});

describe('what a route says', () => {
  it('comes with the message: the sender by country, and the parameters', async () => {
    const routes = [
      {
        channel: null,
        prefix: '1',
        carriers: ['one'],
        senders: { US: '12025550100', default: 'ACME' },
        parameters: { entity_id: '1201', template_id: '1207' },
      },
    ];
    const { send, told } = await open({ one: [ACCEPTED] }, { routes });
    await send({ src: 'ASKED' });
    await send({ country: 'CA' });
    expect(told.one!.asked).toMatchObject([
      { src: 'ASKED', sender: '12025550100', parameters: { entity_id: '1201', template_id: '1207' } },
      { src: null, sender: 'ACME' },
    ]);
  });
});

describe('a cost that a carrier tells', () => {
  it('is kept with the hop if it is one', async () => {
    const costs = [
      { amount: '0.0075', currency: 'USD' },
      { amount: 'free', currency: 'USD' },
      { amount: '1', currency: 'bitcoin\0' },
    ];
    const answers = costs.map((cost): SubmitResult => ({ kind: 'accepted', messageId: null, cost }));
    const { send, store } = await open({ one: answers });
    const kept = [];
    for (const _ of costs) kept.push(store.database.hopsOf((await send()).attempt)[0]!.cost);
    expect(kept).toEqual([costs[0], null, null]);
  });
});

describe('a move past a carrier that is down', () => {
  it('goes to the carriers that follow it before those that come first', async () => {
    const routes = [
      { channel: 'sms' as const, prefix: '', carriers: ['one', 'two', 'three'] },
      { channel: 'voice' as const, prefix: '', carriers: ['two'] },
    ];
    const script = { one: [ACCEPTED], two: [DOWN], three: [ACCEPTED] };
    const { send, told } = await open(script, { routes });
    for (let count = 0; count < 5; count++) await send({ channel: 'voice', carrier: 'two' });
    await send({ carrier: 'two' });
    expect([told.one!.asked.length, told.two!.asked.length, told.three!.asked.length]).toEqual([0, 5, 1]);
  });
});
