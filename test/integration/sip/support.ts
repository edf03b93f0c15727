import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { CarrierReport, OutboundMessage, SubmitResult } from '#delivery/carrier.js';
import { sip } from '#delivery/carriers/sip/index.js';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { systemEnvironment } from '#environment.js';
import { openSpeech, type Speech } from '#speech/prompts.js';
import { createLog } from '#telemetry/log.js';
import { message } from '../../delivery/carriers/support.js';
import { freePort, newDirectory } from './programs.js';

export const CODE = '482913';

export interface Running {
  readonly reports: CarrierReport[];
  readonly statuses: () => string[];
  readonly speech: Speech;
  call(changes?: Partial<OutboundMessage>): Promise<SubmitResult>;
}

/** The real carrier, on real sockets of this machine, towards one port. */
export async function running(
  port: number,
  {
    trunk = {},
    settings = {},
  }: { trunk?: Partial<SipSettings['trunks'][number]>; settings?: Partial<SipSettings> } = {},
): Promise<Running> {
  const directory = newDirectory();
  const speech = await openSpeech({
    settings: { recordings: null, command: null, commandSeconds: 5 },
    directory,
    environment: systemEnvironment,
  });
  const from = await freePort();
  const reports: CarrierReport[] = [];
  const carrier = sip.create(
    {
      trunks: [{ host: '127.0.0.1', port, ...trunk }],
      caller_id: '+14155550100',
      bind: '127.0.0.1',
      port: 0,
      rtp_ports: { from, to: from + 200 },
      keepalive_seconds: 0,
      calls_per_second: 100,
      repeats: 0,
      ...settings,
    },
    {
      name: 'trunk',
      environment: systemEnvironment,
      log: createLog('silent'),
      speech,
      report: async (report) => {
        reports.push(report);
        return 'recorded';
      },
      inbound: async () => 'recorded',
      share: { index: 0, count: 1 },
      publicUrl: null,
    },
  );
  carrier.start?.();
  onTestFinished(async () => {
    await carrier.stop();
    await speech.close();
  });
  return {
    reports,
    statuses: () => reports.map(({ status }) => status),
    speech,
    call: (changes = {}) =>
      carrier.submit(
        message({
          hopId: `019c1307-1111-7000-8000-${randomBytes(6).toString('hex')}.1`,
          channel: 'voice',
          code: CODE,
          expiresAt: systemEnvironment.now() + 600_000,
          brandName: '',
          ...changes,
        }),
        async () => true,
      ),
  };
}
