import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import plivo from 'plivo';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '#config.js';
import { carrierTypes } from '#delivery/carriers/index.js';
import { systemEnvironment } from '#environment.js';
import { startServer } from '#server.js';
import { openSpeech } from '#speech/prompts.js';
import { digitClips, listen, NUMBER, phone } from './phone.js';
import { freePort, isInstalled, newDirectory } from './programs.js';

const present = isInstalled('baresip', 'baresip-core');
const AUTH_ID = 'MASIP000000000000000';
const TOKEN = 'sip-integration-token-of-forty-chars-000';

/** What the SDK's own types leave out. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK declares answers as any or not at all
type Untyped = any;

describe.skipIf(!present)('a session over the SDK with channel voice', () => {
  it('rings the phone, and the code that is heard there is right', async () => {
    const { port, heard } = await phone();
    const directory = newDirectory();
    const config = join(directory, 'countersign.yaml');
    const from = await freePort();
    writeFileSync(
      config,
      [
        'carriers:',
        '  trunk:',
        '    type: sip',
        `    trunks: [{host: 127.0.0.1, port: ${port}}]`,
        '    caller_id: "+14155550100"',
        '    bind: 127.0.0.1',
        '    port: 0',
        `    rtp_ports: {from: ${from}, to: ${from + 20}}`,
        '    repeats: 0',
      ].join('\n'),
    );
    const server = await startServer(
      loadConfig(
        {
          COUNTERSIGN_CONFIG: config,
          COUNTERSIGN_DATA_DIR: join(directory, 'data'),
          COUNTERSIGN_HOST: '127.0.0.1',
          COUNTERSIGN_PORT: '0',
          COUNTERSIGN_METRICS_ADDRESS: 'off',
          COUNTERSIGN_LOG_LEVEL: 'silent',
          COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID,
          COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN,
        },
        carrierTypes,
      ),
    );
    onTestFinished(() => server.drain());
    const options = { url: `${server.url}/v1/Account/${AUTH_ID}` } as Untyped;
    const sessions: Untyped = (new plivo.Client(AUTH_ID, TOKEN, options) as Untyped).verify_session;
    const { sessionUuid: id } = await sessions.create({ recipient: `+${NUMBER}`, channel: 'voice' });

    const statuses = new Set<string>();
    let status = '';
    for (let turn = 0; turn < 900 && !['completed', 'failed', 'busy', 'no-answer'].includes(status); turn++) {
      await wait(100);
      const session = await sessions.get(id);
      status = session.attemptDetails[0].status;
      statuses.add(status);
    }
    expect(status).toBe('completed');
    expect([...statuses]).toContain('in-progress');
    await wait(500);
    const speech = await openSpeech({
      settings: { recordings: null, command: null, commandSeconds: 5 },
      directory,
      environment: systemEnvironment,
    });
    const code = listen(
      heard(),
      digitClips((digits) => speech.code('en', digits)),
      6,
    );
    expect(await sessions.validate({ id, otp: code })).toMatchObject({
      message: 'session validated successfully.',
    });
  });
});
