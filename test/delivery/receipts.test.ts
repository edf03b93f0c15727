import { describe, expect, it } from 'vitest';
import type { CarrierReport, ReportResult } from '#delivery/carrier.js';
import { createReporter } from '#delivery/receipts.js';
import { StoreError } from '#store/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { settle, VirtualEnvironment } from '../support/virtual-time.js';
import { openWorld } from './carriers/support.js';

function byHop(hopId: string, status: string, errorCode: number | null = null): CarrierReport {
  return { by: { kind: 'hop', hopId }, status, errorCode };
}

function byMessage(messageId: string, status: string, errorCode: number | null = null): CarrierReport {
  return { by: { kind: 'message', messageId }, status, errorCode };
}

/** What a promise came to so far. */
function watch(promise: Promise<ReportResult>): { result: ReportResult | null } {
  const watched: { result: ReportResult | null } = { result: null };
  void promise.then((result) => {
    watched.result = result;
  });
  return watched;
}

describe('a receipt', () => {
  it('by the id of a hop is recorded, even before the submit was answered', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt, hopId } = await world.start();
    expect(await report(byHop(hopId, 'delivered'))).toBe('recorded');
    expect(world.status(attempt)).toBe('delivered');
  });

  it('by message id is recorded for the hop that has it', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt } = await world.start();
    await world.take(attempt, 'm-1');
    expect(await report(byMessage('m-1', 'undelivered', 80))).toBe('recorded');
    expect(world.status(attempt)).toBe('undelivered');
    expect(world.store.database.attempt(attempt)?.errorCode).toBe(80);
  });

  it('by hop may bring the message id that the next ones come by', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt, hopId } = await world.start();
    for (const impossible of ['', 'x'.repeat(129)]) {
      expect(await report({ ...byHop(hopId, 'sent'), messageId: impossible })).toBe('recorded');
      expect(world.store.database.hopsOf(attempt)).toMatchObject([{ messageId: null }]);
    }
    expect(await report({ ...byHop(hopId, 'sent'), messageId: 'late' })).toBe('recorded');
    expect(await report({ ...byHop(hopId, 'sent'), messageId: 'later' })).toBe('recorded');
    expect(await report(byMessage('late', 'delivered'))).toBe('recorded');
    expect(world.status(attempt)).toBe('delivered');
  });

  it('settles its attempt, unless it is a late failure of a hop that the attempt has left behind', async () => {
    const { store, environment, metrics, ...world } = await openWorld();
    const settled: string[] = [];
    const onSettled = (one: string) => void settled.push(one);
    const log = createLog('silent');
    const report = createReporter({ store, environment, metrics, log, onSettled }).forCarrier('gateway');
    const { attempt } = await world.start();
    const by = { owner: store.epoch, attempt, carrier: 'gateway' };
    const next = { kind: 'retry', carrier: 'gateway', at: 0, sameHop: false } as const;
    const unanswered = { errorCode: 20, reason: 'no answer', unanswered: 'resend' } as const;
    await store.submit({ type: 'hop-failed', now: 0, number: 1, next, ...unanswered, ...by });
    await store.submit({ type: 'hop-accepted', now: 0, number: 2, messageId: null, ...by });
    expect(await report(byHop(`${attempt}.1`, 'undelivered', 80))).toBe('recorded');
    expect([settled, world.status(attempt)]).toEqual([[], 'sent']);
    expect(await report(byHop(`${attempt}.2`, 'delivered'))).toBe('recorded');
    expect(settled).toEqual([attempt]);
  });

  it('that comes again is recorded, and counted once', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { hopId } = await world.start();
    for (const status of ['sent', 'delivered', 'delivered', 'sent', 'delivered']) {
      expect(await report(byHop(hopId, status))).toBe('recorded');
    }
    const { values } = await world.metrics.attempts.get();
    expect(values.map(({ labels, value }) => [labels.status, value])).toEqual([
      ['sent', 1],
      ['delivered', 1],
    ]);
  });

  it('brings the duration of a call, which is whole seconds of at most a day', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt, hopId } = await world.start('voice');
    for (const duration of [-1, 1.5, Number.NaN, 86_401]) {
      expect(await report({ ...byHop(hopId, 'completed'), duration })).toBe('invalid');
    }
    expect(await report({ ...byHop(hopId, 'delivered'), duration: 13 })).toBe('invalid');
    expect(world.status(attempt)).toBe('queued');
    expect(await report({ ...byHop(hopId, 'completed'), duration: 13 })).toBe('recorded');
    expect(world.store.database.attempt(attempt)).toMatchObject({ status: 'completed', duration: 13 });
  });

  it('is acknowledged only after the commit', async () => {
    const world = await openWorld();
    const { hopId } = await world.start();
    let commit = (): void => {};
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const { store, environment, metrics } = world;
    const slow = {
      epoch: store.epoch,
      submit: (async (command) => {
        const outcome = await store.submit(command);
        await committed;
        return outcome;
      }) as typeof store.submit,
    };
    const reporter = createReporter({ store: slow, environment, log: createLog('silent'), metrics });
    const report = watch(reporter.forCarrier('gateway')(byHop(hopId, 'delivered')));
    await settle();
    expect(report.result).toBeNull();
    commit();
    await settle();
    expect(report.result).toBe('recorded');
  });

  it.each([
    ['of a hop of another carrier', 'other'],
    ['of the carrier but never submitted', 'gateway'],
  ])('%s is unknown', async (_, carrier) => {
    const world = await openWorld();
    const report = world.reporter.forCarrier(carrier);
    const { attempt, hopId } = await world.start();
    if (carrier === 'other') await world.take(attempt, 'm-1');
    expect(await report(byHop(carrier === 'other' ? hopId : hopId.replace(/1$/, '2'), 'delivered'))).toBe(
      'unknown',
    );
    expect(world.status(attempt)).not.toBe('delivered');
  });

  it.each(['', 'hop', '019c1307-1111-7000-8000-000000000001', '019c1307-1111-7000-8000-000000000001.0'])(
    'with %j for a hop id is unknown',
    async (hopId) => {
      const world = await openWorld();
      expect(await world.reporter.forCarrier('gateway')(byHop(hopId, 'delivered'))).toBe('unknown');
    },
  );

  it.each(['', 'a\0b', 'x'.repeat(129)])('with an impossible message id is unknown at once', async (id) => {
    const world = await openWorld();
    expect(await world.reporter.forCarrier('gateway')(byMessage(id, 'delivered'))).toBe('unknown');
    expect(world.reporter.waiting).toBe(0);
  });

  it.each(['queued', 'DELIVERED', 'toString', '', 'verified'])(
    'with status %j is invalid',
    async (status) => {
      const world = await openWorld();
      const { attempt, hopId } = await world.start();
      expect(await world.reporter.forCarrier('gateway')(byHop(hopId, status))).toBe('invalid');
      expect(world.status(attempt)).toBe('queued');
    },
  );

  it.each([
    ['sms', 'completed'],
    ['voice', 'delivered'],
  ] as const)('of %s with a status of the other channel is invalid', async (channel, status) => {
    const world = await openWorld();
    const { attempt, hopId } = await world.start(channel);
    expect(await world.reporter.forCarrier('gateway')(byHop(hopId, status))).toBe('invalid');
    expect(world.status(attempt)).toBe('queued');
  });

  it.each([
    ['failed', 7],
    ['undelivered', 3010],
    ['busy', 80],
    ['failed', Number.NaN],
  ])('%s with error code %d, which its channel does not have, is invalid', async (status, errorCode) => {
    const world = await openWorld();
    const { hopId } = await world.start();
    expect(await world.reporter.forCarrier('gateway')(byHop(hopId, status, errorCode))).toBe('invalid');
  });

  it('that changes nothing any more counts as recorded', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt, hopId } = await world.start();
    await report(byHop(hopId, 'delivered'));
    expect(await report(byHop(hopId, 'sent'))).toBe('recorded');
    expect(await report(byHop(hopId, 'undelivered', 80))).toBe('recorded');
    expect(world.status(attempt)).toBe('delivered');
  });

  it('is unavailable while the database is away, and recorded when it is back', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { hopId } = await world.start();
    world.store.failure = 'away';
    expect(await report(byHop(hopId, 'delivered'))).toBe('unavailable');
    world.store.failure = null;
    expect(await report(byHop(hopId, 'delivered'))).toBe('recorded');
  });

  it('that cannot ever be recorded rejects, is logged and counted', async () => {
    const lines: string[] = [];
    const metrics = createMetrics();
    const submit = () => Promise.reject(new StoreError('failed', 'a defect'));
    const reporter = createReporter({
      store: { epoch: 1, submit },
      environment: new VirtualEnvironment(),
      log: createLog('info', { write: (line) => void lines.push(line) }),
      metrics,
    });
    const hopId = '019c1307-1111-7000-8000-000000000001.1';
    await expect(reporter.forCarrier('gateway')(byHop(hopId, 'delivered'))).rejects.toThrow('a defect');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', carrier: 'gateway', hopId });
    expect((await metrics.receipts.get()).values).toMatchObject([
      { labels: { carrier: 'gateway', result: 'failed' }, value: 1 },
    ]);
  });

  it('is counted by carrier and result, and an attempt by the status that it reached', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { hopId } = await world.start();
    await report(byHop(hopId, 'delivered'));
    await report(byHop(hopId, 'sent'));
    await report(byHop('none', 'delivered'));
    await report(byHop(hopId, 'ringing'));
    expect(await world.count('receipts', { carrier: 'gateway', result: 'recorded' })).toBe(2);
    expect(await world.count('receipts', { carrier: 'gateway', result: 'unknown' })).toBe(1);
    expect(await world.count('receipts', { carrier: 'gateway', result: 'invalid' })).toBe(1);
    expect(await world.count('attempts', { channel: 'sms', status: 'delivered' })).toBe(1);
    expect(await world.count('attempts', {})).toBe(1);
  });

  it('leaves no more than a bounded line in the log, whatever it holds', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    await report(byMessage('m'.repeat(100_000), 's'.repeat(100_000)));
    await report(byHop('h'.repeat(100_000), 'delivered'));
    expect(world.lines).toHaveLength(2);
    for (const line of world.lines) expect(line.length).toBeLessThan(500);
  });
});

describe('a receipt that comes before its hop is recorded', () => {
  it('waits, and joins when the dispatcher has recorded the hop', async () => {
    const world = await openWorld();
    const report = watch(world.reporter.forCarrier('gateway')(byMessage('m-1', 'delivered')));
    const { attempt } = await world.start();
    await settle();
    expect(report.result).toBeNull();
    expect(world.reporter.waiting).toBe(1);
    await world.take(attempt, 'm-1');
    world.reporter.accepted('gateway', 'm-1');
    await settle();
    expect(report.result).toBe('recorded');
    expect(world.status(attempt)).toBe('delivered');
    expect(world.reporter.waiting).toBe(0);
    expect(world.environment.pending).toBe(0);
  });

  it('keeps its place before later receipts of the same message', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    const { attempt } = await world.start();
    const results = [
      watch(report(byMessage('m-1', 'undelivered', 80))),
      watch(report(byMessage('m-1', 'delivered'))),
    ];
    await settle();
    await world.take(attempt, 'm-1');
    world.reporter.accepted('gateway', 'm-1');
    await settle();
    expect(results.map(({ result }) => result)).toEqual(['recorded', 'recorded']);
    expect(world.status(attempt)).toBe('delivered');
    expect(await world.count('attempts', { status: 'undelivered' })).toBe(1);
  });

  it.each([250, 1_000, 3_000, 5_000])(
    'is tried again after %d ms, when another process recorded the hop',
    async (time) => {
      const world = await openWorld();
      const { attempt } = await world.start();
      const report = watch(world.reporter.forCarrier('gateway')(byMessage('m-1', 'delivered')));
      await world.environment.advance(time - 1);
      await world.take(attempt, 'm-1');
      await settle();
      expect(report.result).toBeNull();
      await world.environment.advance(1);
      expect(report.result).toBe('recorded');
    },
  );

  it('is unknown after 5 seconds', async () => {
    const world = await openWorld();
    const report = watch(world.reporter.forCarrier('gateway')(byMessage('m-1', 'delivered')));
    await world.environment.advance(4_999);
    expect(report.result).toBeNull();
    await world.environment.advance(1);
    expect(report.result).toBe('unknown');
    expect(world.reporter.waiting).toBe(0);
  });

  it('waits as long as its carrier may take to answer the submit', async () => {
    const world = await openWorld();
    const { store, environment } = world;
    const reporter = createReporter({
      store,
      environment,
      log: createLog('fatal'),
      metrics: createMetrics(),
      answerWithin: (carrier) => (carrier === 'gateway' ? 10_000 : undefined),
    });
    const [gateway, other] = ['gateway', 'other'].map((name) =>
      watch(reporter.forCarrier(name)(byMessage('m-1', 'delivered'))),
    );
    const lost = watch(reporter.forCarrier('gateway')(byMessage('m-2', 'delivered')));
    const { attempt } = await world.start();
    await environment.advance(9_990);
    expect([gateway?.result, lost.result, other?.result]).toEqual([null, null, 'unknown']);
    await world.take(attempt, 'm-1');
    reporter.accepted('gateway', 'm-1');
    await settle();
    expect(gateway?.result).toBe('recorded');
    await environment.advance(1_010);
    expect(lost.result).toBe('unknown');
    expect(reporter.waiting).toBe(0);
  });

  it('is not woken by the same id of another carrier', async () => {
    const world = await openWorld();
    const report = watch(world.reporter.forCarrier('gateway')(byMessage('m-1', 'delivered')));
    const { attempt } = await world.start();
    await settle();
    await world.take(attempt, 'm-1');
    world.reporter.accepted('other', 'm-1');
    world.reporter.accepted('gateway', 'm-2');
    await settle();
    expect(report.result).toBeNull();
    await world.environment.advance(250);
    expect(report.result).toBe('recorded');
  });

  it('is unavailable when ten thousand wait already', async () => {
    const world = await openWorld();
    const report = world.reporter.forCarrier('gateway');
    // In two parts, since the store's own queue is bounded too.
    for (let part = 0; part < 2; part++) {
      for (let index = 0; index < 5_000; index++) void report(byMessage(`m-${part}-${index}`, 'delivered'));
      while (world.store.load().waiting > 0) await settle();
    }
    expect(world.reporter.waiting).toBe(10_000);
    expect(await report(byMessage('one more', 'delivered'))).toBe('unavailable');
    world.reporter.close();
    await settle();
    expect(world.reporter.waiting).toBe(0);
  });

  it('is unavailable at once when the server stops, so that the carrier reports it again', async () => {
    const world = await openWorld();
    const report = watch(world.reporter.forCarrier('gateway')(byMessage('m-1', 'delivered')));
    await settle();
    world.reporter.close();
    await settle();
    expect(report.result).toBe('unavailable');
    expect(world.environment.pending).toBe(0);
    expect(await world.reporter.forCarrier('gateway')(byMessage('m-2', 'delivered'))).toBe('unavailable');
  });
});
