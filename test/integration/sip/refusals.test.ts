import { expect, test } from 'vitest';
import { freePorts } from '../../support/ports.js';
import { startServerProcess, until } from '../../support/server-process.js';
import { describeWith } from '../programs.js';
import { startCallbacks } from './callbacks.js';
import { startFarEnd } from './far-end.js';
import { openLine } from './line.js';

const NO_HEADER = 'X-Nothing: 1';

/** A response of the far end, and what it means: contract §7. */
const REFUSALS: readonly (readonly [status: number, reason: string, header: string, outcome: object])[] = [
  [400, 'Bad Request', '', { kind: 'unavailable', errorCode: 5010 }],
  [403, 'Forbidden', '', { kind: 'unavailable', errorCode: 3040 }],
  [404, 'Not Found', '', { kind: 'refused', status: 'failed', errorCode: 3050 }],
  [404, 'Not Found', 'Reason: Q.850;cause=3', { kind: 'unavailable', errorCode: 5020 }],
  [408, 'Request Timeout', '', { kind: 'unavailable', errorCode: 3070 }],
  [410, 'Gone', '', { kind: 'refused', status: 'failed', errorCode: 2010 }],
  [480, 'Temporarily Unavailable', '', { kind: 'refused', status: 'no-answer', errorCode: 3000 }],
  [484, 'Address Incomplete', '', { kind: 'refused', status: 'failed', errorCode: 2000 }],
  [486, 'Busy Here', '', { kind: 'refused', status: 'busy', errorCode: 3010 }],
  [488, 'Not Acceptable Here', '', { kind: 'unavailable', errorCode: 5010 }],
  [500, 'Server Internal Error', '', { kind: 'unavailable', errorCode: 3080, down: false }],
  [502, 'Bad Gateway', '', { kind: 'unavailable', errorCode: 5000 }],
  [503, 'Service Unavailable', '', { kind: 'unavailable', errorCode: 3090, down: true }],
  [503, 'Service Unavailable', 'Retry-After: 7', { kind: 'unavailable', errorCode: 3090, retryAfter: 7_000 }],
  [
    503,
    'Service Unavailable',
    'Reason: Q.850;cause=17',
    { kind: 'refused', status: 'busy', errorCode: 3010 },
  ],
  [599, 'Whatever', '', { kind: 'unavailable', errorCode: 3080 }],
  [600, 'Busy Everywhere', '', { kind: 'refused', status: 'busy', errorCode: 3010 }],
  [603, 'Decline', '', { kind: 'refused', status: 'failed', errorCode: 3110 }],
  [604, 'Does Not Exist Anywhere', '', { kind: 'refused', status: 'failed', errorCode: 3120 }],
  [607, 'Unwanted', '', { kind: 'refused', status: 'failed', errorCode: 3020 }],
];

/** Those that phones which rang are heard of. */
const AFTER_RINGING: typeof REFUSALS = [
  [408, 'Request Timeout', '', { kind: 'refused', status: 'no-answer', errorCode: 3000 }],
  ...REFUSALS.filter(([status, , header]) => [480, 486, 500, 603].includes(status) && header === ''),
];

const ENDINGS = [
  { status: 486, country: 'US', recipient: '14155551234', told: 'busy 3010' },
  { status: 480, country: 'ES', recipient: '34612345678', told: 'no-answer 3000' },
  { status: 603, country: 'DE', recipient: '4915123456789', told: 'failed 3110' },
] as const;

describeWith(['sipp'], 'a far end that takes no call', ({ sipp }) => {
  test.each(REFUSALS)('and says %i %s %s', async (status, reason, header, outcome) => {
    const farEnd = await startFarEnd(sipp, 'refuse', {
      keys: { status, reason, header: header || NO_HEADER },
    });
    const line = await openLine([farEnd.port]);
    expect(await line.call()).toMatchObject(outcome);
    await farEnd.done();
    expect(line.told()).toEqual([]);
    expect(line.claims()).toBe(0);
  });

  test.each(AFTER_RINGING)('and after ringing says %i %s', async (status, reason, _, outcome) => {
    const farEnd = await startFarEnd(sipp, 'ring-and-refuse', { keys: { status, reason } });
    const line = await openLine([farEnd.port]);
    expect(await line.call()).toMatchObject(outcome);
    await farEnd.done();
    expect(line.told()).toEqual(['ringing']);
    expect(line.claims()).toBe(0);
  });

  test('and redirects to a host that is not allowed', async () => {
    const farEnd = await startFarEnd(sipp, 'redirect', { keys: { target: '127.0.0.2:5060' } });
    const line = await openLine([farEnd.port]);
    expect(await line.call()).toMatchObject({ kind: 'unavailable', errorCode: 5020 });
    await farEnd.done();
  });

  test('is told to the customer as contract §7 has it', async () => {
    const callbacks = await startCallbacks();
    const lines = await Promise.all(
      ENDINGS.map(async ({ status, country }) => {
        const farEnd = await startFarEnd(sipp, 'ring-and-refuse', { keys: { status, reason: 'No' } });
        return { name: `to-${country.toLowerCase()}`, country, farEnd };
      }),
    );
    const [from] = await freePorts(1, 4 * lines.length);
    const carriers = lines.map(
      ({ name, farEnd }, index) => `
  ${name}:
    type: sip
    trunks: [{ host: 127.0.0.1, port: ${farEnd.port}, transport: udp }]
    bind: 127.0.0.1
    port: 0
    keepalive_seconds: 0
    rtp_ports: { from: ${from! + index * 4}, to: ${from! + index * 4 + 3} }`,
    );
    const routes = lines.map(
      ({ name, country }) => `
  - { channel: voice, country: ${country}, carriers: [${name}] }`,
    );
    const server = await startServerProcess({
      config: `carriers:${carriers.join('')}\nroutes:${routes.join('')}\n`,
    });
    for (const [index, { recipient, told }] of ENDINGS.entries()) {
      const { body } = await server.create({ recipient, channel: 'voice', url: callbacks.url });
      await lines[index]!.farEnd.done();
      await until('the last callback', () => callbacks.of(body.session_uuid).length >= 2);
      expect(callbacks.of(body.session_uuid)).toEqual(['ringing', told]);
    }
  });
});
