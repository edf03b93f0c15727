import { afterEach, expect, test } from 'vitest';
import type { ApiContext } from '#api/context.js';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
afterEach(() => api.close());

async function probe(path: string, overrides: Partial<ApiContext> = {}) {
  api = await startApi(overrides);
  const response = await fetch(`${api.url}${path}`);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

test('/healthz answers whoever asks, also while draining', async () => {
  const { status, body } = await probe('/healthz', { draining: () => true });
  expect(status).toBe(200);
  expect(body).toEqual({ api_id: expect.any(String), status: 'ok' });
});

test('/readyz is 200 when the server can do its work', async () => {
  expect((await probe('/readyz')).status).toBe(200);
});

test('/readyz is 503 with the reason when it cannot', async () => {
  const ready = () => ({ ok: false, reason: 'the database is away' });
  const { status, headers, body } = await probe('/readyz', { ready });
  expect(status).toBe(503);
  expect(body).toEqual({ api_id: expect.any(String), error: 'not ready: the database is away' });
  expect(headers.get('retry-after')).toBe('1');
});

test('/readyz is 503 while draining', async () => {
  expect((await probe('/readyz', { draining: () => true })).status).toBe(503);
});
