import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.js';
import { RECIPIENT, startCountersign } from './support.js';

/** Nobody answers at this trunk; who dials matters here, and who died. */
const SILENT_TRUNK = `
carriers:
  trunk:
    type: sip
    trunks: [{ host: 127.0.0.1, port: 9, transport: udp }]
    bind: 127.0.0.1
    port: 0
    keepalive_seconds: 0
  inbox: { type: inbox, channels: [sms] }
drain_seconds: 0
`;

test('a call whose process died after the mark fails at the next start, is not placed again, and is called back', async () => {
  const customer = await new Receiver().start();
  const server = await startCountersign({ yaml: SILENT_TRUNK });
  const { sessionUuid } = await server
    .sessions()
    .create({ recipient: `+${RECIPIENT}`, channel: 'voice', url: customer.url() });
  await server.restart((dataDir) => {
    // As a process left it that was killed while it spoke the code.
    const database = new Database(join(dataDir, 'countersign.db'));
    database.exec(`
      insert or replace into hop (attempt, number, carrier, state, created_at, updated_at)
        select uuid, hop, 'trunk', 'accepted', created_at, updated_at from attempt;
      update attempt set delivery = 'handed', status = 'in-progress', taken = 1`);
    database.close();
  });
  const { status, attemptDetails } = await server.sessions().get(sessionUuid);
  expect([status, attemptDetails[0].status]).toEqual(['in-progress', 'failed']);
  await server.until('the callback', () => customer.requests.length === 1);
  expect(customer.requests[0]!.parameters).toMatchObject({
    ChannelStatus: 'failed',
    ChannelErrorCode: '5010',
    SessionStatus: 'in-progress',
  });
  expect(await server.metric('countersign_hops_total{carrier="trunk",status="unavailable"}')).toBe(0);
});
