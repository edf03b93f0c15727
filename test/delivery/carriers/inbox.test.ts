import { describe, expect, it } from 'vitest';
import { inbox } from '#delivery/carriers/inbox.js';
import { VirtualEnvironment } from '../../support/virtual-time.js';
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
  ] as const)(
    'says in the same answer that %s was %s, which the store records at once',
    async (channel, status) => {
      const world = await openWorld();
      const carrier = inbox.create({}, recordingContext(['recorded'], world.environment));
      const { attempt, hopId } = await world.start(channel);
      const result = await carrier.submit(message({ hopId, channel }));
      if (result.kind !== 'accepted') throw new Error('not taken');
      expect(result.status).toBe(status);
      await world.take(attempt, result.messageId, result.status);
      expect(world.status(attempt)).toBe(status);
    },
  );

  it('serves both channels unless it is told which', () => {
    expect(inbox.channels({})).toEqual(['sms', 'voice']);
    expect(inbox.channels({ channels: ['voice'] })).toEqual(['voice']);
  });
});
