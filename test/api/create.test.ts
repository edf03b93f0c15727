import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attempt, Session } from '#verify/model.js';
import { type ApiServer, startApi } from '../support/api-server.js';

const TEMPLATE = '$' + '{brand_name}: $' + '{code}';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

/** Creates, and shows what the store keeps of it. */
async function stored(body: Record<string, unknown>): Promise<{ session: Session; attempt: Attempt }> {
  const uuid = await api.create(body);
  const { session, attempts } = (await api.store.read.session(uuid))!;
  return { session, attempt: attempts.at(-1)! };
}

describe('§2 locale', () => {
  test('does not change a template of the application', async () => {
    api.change({ application: { template: TEMPLATE } });
    expect((await stored({ locale: 'fr' })).attempt.template).toBe(TEMPLATE);
  });
});

describe('§2 app_hash', () => {
  const app_hash = 'Fa/+0123456';

  test('has the last line before the domain of the application', async () => {
    api.change({ application: { domain: 'acme.example' } });
    expect((await stored({})).attempt).toMatchObject({ appHash: '', domain: 'acme.example' });
    expect((await stored({ app_hash })).attempt).toMatchObject({ appHash: app_hash, domain: '' });
  });
});

test('§2 an attempt that no route serves is accepted and fails', async () => {
  await api.close();
  api = await startApi({ plan: ({ channel }) => (channel === 'sms' ? 'smpp' : null) });
  expect((await stored({})).attempt).toMatchObject({ carrier: 'smpp', status: 'queued' });
  expect((await stored({ channel: 'voice' })).attempt).toMatchObject({ status: 'failed', errorCode: 5020 });
});

test('§2 creates are counted: sessions started and resumed, attempts queued', async () => {
  await api.create({});
  await api.create({ channel: 'voice' });
  const text = await api.context.metrics.registry.metrics();
  expect(text).toContain('countersign_sessions_total{event="started"} 1');
  expect(text).toContain('countersign_sessions_total{event="resumed"} 1');
  expect(text).toContain('countersign_attempts_total{channel="voice",status="queued"} 1');
});
