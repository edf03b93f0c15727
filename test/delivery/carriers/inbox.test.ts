import { describe, expect, it } from 'vitest';
import { inbox } from '#delivery/carriers/inbox.js';
import { settle, VirtualEnvironment } from '../../support/virtual-time.js';
import { message, openWorld, recordingContext } from './support.js';

describe('the inbox', () => {
  it('takes a message at once under a UUIDv7 of its own', async () => {
    const environment = new VirtualEnvironment();
    const carrier = inbox.create({}, recordingContext(['recorded'], environment));
    const results = await Promise.all([carrier.submit(message()), carrier.submit(message())]);
    const ids = results.map((result) => (result.kind === 'accepted' ? result.messageId : null));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  });

  it.each([
    ['sms', 'delivered'],
    ['voice', 'completed'],
  ] as const)('reports %s as %s, by the id of its hop', async (channel, status) => {
    const context = recordingContext(['recorded'], new VirtualEnvironment());
    const carrier = inbox.create({}, context);
    await carrier.submit(message({ channel }));
    await (context.environment as VirtualEnvironment).advance(0);
    const by = { kind: 'hop', hopId: message().hopId };
    expect(context.reports).toEqual([{ by, status, errorCode: null }]);
  });

  it('lets the acceptance be recorded before it reports', async () => {
    const context = recordingContext(['recorded'], new VirtualEnvironment());
    const carrier = inbox.create({}, context);
    await carrier.submit(message());
    await settle();
    expect(context.reports).toEqual([]);
  });

  it('moves an attempt through every status of its channel', async () => {
    const world = await openWorld();
    const context = {
      name: 'gateway',
      environment: world.environment,
      report: world.reporter.forCarrier('gateway'),
    };
    const carrier = inbox.create({}, context);
    for (const [channel, status] of [
      ['sms', 'delivered'],
      ['voice', 'completed'],
    ] as const) {
      const { attempt, hopId } = await world.start(channel);
      const result = await carrier.submit(message({ hopId, channel }));
      if (result.kind !== 'accepted') throw new Error('not taken');
      await world.take(attempt, result.messageId);
      await world.environment.advance(0);
      expect(world.status(attempt)).toBe(status);
    }
  });

  it('reports again, less and less often, until the database takes it', async () => {
    const environment = new VirtualEnvironment();
    const context = recordingContext(['unavailable', 'unavailable', 'unavailable', 'recorded'], environment);
    const carrier = inbox.create({}, context);
    await carrier.submit(message());
    await environment.advance(0);
    expect(context.reports).toHaveLength(1);
    await environment.advance(99);
    expect(context.reports).toHaveLength(1);
    await environment.advance(1);
    expect(context.reports).toHaveLength(2);
    await environment.advance(200);
    expect(context.reports).toHaveLength(3);
    await environment.advance(400);
    expect(context.reports).toHaveLength(4);
    await environment.advance(60_000);
    expect(context.reports).toHaveLength(4);
    expect(new Set(context.reports.map((report) => JSON.stringify(report))).size).toBe(1);
  });

  it.each(['unknown', 'invalid'] as const)('does not repeat a report that is %s', async (result) => {
    const environment = new VirtualEnvironment();
    const context = recordingContext([result], environment);
    const carrier = inbox.create({}, context);
    await carrier.submit(message());
    await environment.advance(60_000);
    expect(context.reports).toHaveLength(1);
  });

  it('goes on after a report that fails for good', async () => {
    const environment = new VirtualEnvironment();
    let reports = 0;
    const report = async () => {
      if (++reports === 1) throw new Error('a defect');
      return 'recorded' as const;
    };
    const carrier = inbox.create({}, { name: 'inbox', environment, report });
    await carrier.submit(message());
    await environment.advance(60_000);
    await carrier.submit(message());
    await environment.advance(60_000);
    expect(reports).toBe(2);
    await carrier.stop();
  });

  it('takes nothing more while ten thousand reports wait for the database', async () => {
    const environment = new VirtualEnvironment();
    const context = recordingContext(['unavailable'], environment);
    const carrier = inbox.create({}, context);
    const kinds = await Promise.all(
      Array.from({ length: 10_001 }, async () => (await carrier.submit(message())).kind),
    );
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(10_000);
    expect(await carrier.submit(message())).toMatchObject({ kind: 'unavailable', down: true });
  });

  it('reports what it took before it stops, and nothing after', async () => {
    const environment = new VirtualEnvironment();
    const context = recordingContext(['unavailable'], environment);
    const carrier = inbox.create({}, context);
    await carrier.submit(message());
    await carrier.stop();
    expect(context.reports).toHaveLength(1);
    await environment.advance(60_000);
    expect(context.reports).toHaveLength(1);
    expect(environment.pending).toBe(0);
    expect(await carrier.submit(message())).toMatchObject({ kind: 'unavailable' });
  });

  it('serves both channels unless it is told which', () => {
    expect(inbox.channels({})).toEqual(['sms', 'voice']);
    expect(inbox.channels({ channels: ['voice'] })).toEqual(['voice']);
  });
});
