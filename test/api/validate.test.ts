import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.js';

let api: ApiServer;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const validate = (session: string, body: unknown) =>
  api.call('POST', `/Verify/Session/${session}/`, { body });

test('§3 a code of another length is wrong, not malformed', async () => {
  const session = await api.create();
  const refused = await validate(session, { otp: `${(await api.codes(session)).right}0` });
  expect(refused.body.error).toContain('invalid OTP');
});

test('§3 validations are counted by result', async () => {
  const session = await api.create();
  const { right, wrong } = await api.codes(session);
  await validate(session, { otp: wrong });
  await validate(session, { otp: right });
  const text = await api.context.metrics.registry.metrics();
  expect(text).toContain('countersign_validations_total{result="invalid"} 1');
  expect(text).toContain('countersign_validations_total{result="validated"} 1');
  expect(text).toContain('countersign_sessions_total{event="verified"} 1');
});
