import { describe, expect, it } from 'vitest';
import { type Carrier, type Claim, type SubmitResult, UNWANTED } from '#delivery/carrier.js';
import { Dispatcher } from '#delivery/dispatcher.js';
import { createReporter } from '#delivery/receipts.js';
import { createRouter } from '#delivery/router.js';
import { KeyringHolder } from '#store/keys.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { StoreError } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { Application, Recipient } from '#verify/model.js';
import { codeOf, NOW, newKey, seed, start, validation } from '../support/rows.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

type Report = (status: string, underWay: boolean) => Promise<unknown>;

/** A dispatcher in front of one carrier whose submits do what the test says. */
async function open(
  submit: (claim: Claim, report: Report, unwanted: AbortSignal, store: MemoryStore) => Promise<SubmitResult>,
  rules: Partial<Application> = {},
) {
  const environment = new VirtualEnvironment({ start: NOW });
  const store = openMemoryStore({ environment });
  const data = newKey();
  const fixture = await seed(store, data);
  const keyring = new KeyringHolder();
  keyring.use(data);
  const log = createLog('silent');
  const metrics = createMetrics();
  const reporter = createReporter({
    store,
    environment,
    log,
    metrics,
    onUnderWay: (name, attempt) => dispatcher.goesOn(name, attempt),
  });
  let submits = 0;
  const carrier: Carrier = {
    name: 'one',
    type: 'scripted',
    channels: ['voice'],
    window: 4,
    submit: (message, claim, unwanted) => {
      submits++;
      const report = (status: string, underWay: boolean) =>
        reporter.forCarrier('one')({
          by: { kind: 'hop', hopId: message.hopId },
          status,
          errorCode: null,
          underWay,
        });
      return submit(claim!, report, unwanted!, store);
    },
    stop: async () => {},
  };
  const carriers = new Map([['one', carrier]]);
  const dispatcher = new Dispatcher({
    store,
    keyring,
    environment,
    carriers,
    router: createRouter([], [carrier]),
    onAccepted: () => {},
    log,
    metrics,
  });
  store.onEffects((effects) => {
    for (const effect of effects) {
      if (effect.kind === 'deliver') dispatcher.offer(effect.delivery);
      if (effect.kind === 'drop') dispatcher.drop(effect.attempt);
    }
  });
  const application = { ...fixture.application, ...rules };
  const command = start(fixture, store, { channel: 'voice', carrier: 'one', application });
  await store.submit(command);
  await environment.advance(0);
  const attempt = () => store.database.attempt(command.attempt)!;
  /** Starts another call, to somebody else. */
  const startAnother = async (recipient: string) => {
    const other = start(fixture, store, {
      channel: 'voice',
      carrier: 'one',
      recipient: recipient as Recipient,
    });
    await store.submit(other);
    await environment.advance(0);
  };
  return { environment, store, fixture, command, attempt, startAnother, submits: () => submits };
}

describe('a carrier that brings a message itself', () => {
  it('has it marked before it does, and its end is not recorded twice', async () => {
    const seen: string[] = [];
    const world = await open(async (claim, report) => {
      await report('ringing', true);
      seen.push(`claimed: ${await claim('call-1')}`);
      await report('completed', false);
      return { kind: 'accepted', messageId: 'call-1' };
    });
    await world.environment.advance(1_000);
    expect(seen).toEqual(['claimed: true']);
    expect(world.attempt()).toMatchObject({ status: 'completed', delivery: 'done', tries: 1 });
    expect(world.store.database.hopsOf(world.command.attempt)).toMatchObject([
      { state: 'delivered', messageId: 'call-1' },
    ]);
  });

  it('is asked again when it failed before the mark, though it had rung', async () => {
    const world = await open(async (_, report) => {
      await report('ringing', true);
      return { kind: 'unavailable', errorCode: 3090, reason: 'congestion', down: false };
    });
    expect(world.attempt()).toMatchObject({ status: 'ringing', delivery: 'pending' });
    await world.environment.advance(1_500);
    expect(world.submits()).toBe(2);
  });

  it.each([
    ['rings', async (_: Claim, report: Report) => report('ringing', true)],
    ['was claimed', async (claim: Claim) => claim(null)],
  ])('takes further calls at once after an outage when the first one %s', async (_, sign) => {
    let isDown = true;
    let going = 0;
    const world = await open(async (claim, report) => {
      if (isDown) return { kind: 'unavailable', errorCode: 3090, reason: 'congestion', down: true };
      going++;
      await sign(claim, report);
      return new Promise(() => {});
    });
    for (let last = 1; last <= 5; last++) await world.startAnother(`1415555000${last}`);
    await world.environment.advance(20_000);
    expect(world.submits()).toBeGreaterThan(5);
    isDown = false;
    await world.environment.advance(60_000);
    expect(going).toBe(4);
  });

  it('holds the callee while the database is away, and brings it when that is back within six seconds', async () => {
    const answers: boolean[] = [];
    const world = await open(async (claim, _report, _unwanted, store) => {
      store.failure = 'away';
      answers.push(await claim(null));
      return { kind: 'accepted', messageId: null };
    });
    await world.environment.advance(5_000);
    expect(answers).toEqual([]);
    world.store.failure = null;
    await world.environment.advance(1_000);
    expect([answers, world.submits()]).toEqual([[true], 1]);
    expect(world.attempt()).toMatchObject({ delivery: 'handed', hop: 1 });
  });

  it('loses no key that was pressed while the database was away', async () => {
    const world = await open(
      async (claim, _report, _unwanted, store) => {
        store.failure = 'away';
        return (await claim(null)) ? { kind: 'accepted', messageId: null } : UNWANTED;
      },
      { confirmByKey: true },
    );
    await world.environment.advance(4_000);
    world.store.failure = null;
    await world.environment.advance(2_000);
    expect(world.submits()).toBe(1);
    expect(world.attempt()).toMatchObject({ status: 'completed', confirmByKey: true });
    expect((await world.store.read.session(world.command.session))?.session.status).toBe('verified');
  });

  it('is not held once the call is over, nor once the code has expired', async () => {
    for (const why of ['over', 'expired']) {
      const over = new AbortController();
      const answers: boolean[] = [];
      const world = await open(async (claim, _report, _unwanted, store) => {
        store.failure = 'away';
        answers.push(await claim(null, over.signal));
        return UNWANTED;
      });
      await world.environment.advance(2_000);
      if (why === 'over') over.abort();
      world.store.failure = null;
      if (why === 'expired') {
        const { session } = world.command;
        const { epoch: owner } = world.store;
        const now = world.environment.now();
        await world.store.submit({ type: 'expire', now, owner, session, force: true });
      }
      await world.environment.advance(1_000);
      expect(answers).toEqual([false]);
    }
  });

  it('brings nothing while the database stays away, and is asked again', async () => {
    const answers: boolean[] = [];
    let go = () => {};
    const answered = new Promise<void>((resolve) => {
      go = resolve;
    });
    const world = await open(async (claim) => {
      await answered;
      answers.push(await claim(null));
      return answers.at(-1)
        ? { kind: 'accepted', messageId: null }
        : { kind: 'unavailable', errorCode: 5010, reason: 'not wanted', down: false };
    });
    const { submit } = world.store;
    world.store.submit = () => Promise.reject(new StoreError('unavailable', 'away'));
    go();
    await world.environment.advance(8_000);
    expect([answers, world.submits()]).toEqual([[false], 1]);
    world.store.submit = submit;
    await world.environment.advance(3_000);
    expect(answers).toEqual([false, true]);
    expect(world.attempt()).toMatchObject({ delivery: 'handed', hop: 1 });
  });

  it.each(['validated', 'expired'] as const)('is told when its session is %s meanwhile', async (how) => {
    let stopped = 0;
    const world = await open(
      async (_, report, unwanted) =>
        new Promise((resolve) => {
          void report('ringing', true);
          unwanted.addEventListener('abort', () => {
            stopped++;
            resolve(UNWANTED);
          });
        }),
    );
    const { session } = world.command;
    const now = world.environment.now() + (how === 'expired' ? 3_600_000 : 0);
    const code = codeOf(world.fixture, (await world.store.read.session(session))!.session);
    await world.store.submit(
      how === 'expired'
        ? { type: 'expire', now, owner: world.store.epoch, session, force: false }
        : { ...validation(world.fixture, session, code), now },
    );
    await world.environment.advance(60_000);
    expect([stopped, world.submits()]).toEqual([1, 1]);
    expect(world.attempt()).toMatchObject({ delivery: 'done', status: 'no-answer', errorCode: 3000 });
  });

  it('is never asked again after the mark, not even by a node that starts anew', async () => {
    const world = await open(async (claim) => {
      await claim(null);
      return new Promise(() => {});
    });
    expect(world.attempt()).toMatchObject({ delivery: 'handed' });
    const { items } = await world.store.read.dueDeliveries('one', world.environment.now() + 60_000, 10);
    expect(items).toEqual([]);
  });

  it('may not bring what has been taken from its node, or has ended meanwhile', async () => {
    const answers: boolean[] = [];
    let go = () => {};
    const world = await open(async (claim) => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      answers.push(await claim(null));
      return { kind: 'unavailable', errorCode: 5010, reason: 'not wanted', down: false };
    });
    const { session } = world.command;
    await world.store.submit({
      type: 'expire',
      now: world.environment.now(),
      owner: world.store.epoch,
      session,
      force: true,
    });
    go();
    await world.environment.advance(1_000);
    expect(answers).toEqual([false]);
    expect(world.submits()).toBe(1);
  });
});
