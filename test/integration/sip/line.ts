import { onTestFinished } from 'vitest';
import type { Carrier, CarrierReport, OutboundMessage, SubmitResult } from '#delivery/carrier.js';
import { sip } from '#delivery/carriers/sip/index.js';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { type Clip, createClip } from '#speech/clip.js';
import type { Speech } from '#speech/prompts.js';
import { message, recordingContext } from '../../delivery/carriers/support.js';
import { freeRange } from '../../support/ports.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';

/** A `sip` carrier on real sockets, with what it reported. */
export interface Line {
  readonly carrier: Carrier;
  readonly reports: readonly CarrierReport[];
  /** How often a call was about to speak the code. */
  readonly claims: () => number;
  call(changes?: Partial<OutboundMessage>): Promise<SubmitResult>;
  /** Statuses that it reported, with the error code where there is one. */
  told(): readonly string[];
  stop(): Promise<void>;
}

/** A fifth of a second for each sentence and digit, so that calls take no longer than they must. */
const TONE: Clip = createClip(Int16Array.from({ length: 1_600 }, (_, index) => 8_000 * Math.sin(index / 3)));
const BRIEF = {
  ...SHIPPED_SPEECH,
  greeting: () => [TONE],
  challenge: () => [TONE],
  code: (_: string, code: string) => Array.from(code, () => TONE),
  repeatHint: () => [TONE],
  goodbye: () => [TONE],
};

/** Opens a carrier with trunks at these ports of 127.0.0.1; it is stopped when the test is over. */
export async function openLine(
  ports: readonly number[],
  settings: Partial<SipSettings> = {},
  speech: Speech = BRIEF,
): Promise<Line> {
  const rtpPorts = await freeRange(20);
  const context = { ...recordingContext(), speech };
  const carrier = sip.create(
    {
      trunks: ports.map((port) => ({ host: '127.0.0.1', port, transport: 'udp' as const })),
      bind: '127.0.0.1',
      port: 0,
      rtp_ports: rtpPorts,
      keepalive_seconds: 0,
      opening_silence_ms: 200,
      repeats: 0,
      response_seconds: 15,
      calls_per_second: 100,
      ...settings,
    },
    context,
  );
  let claims = 0;
  onTestFinished(() => carrier.stop());
  carrier.start?.();
  return {
    carrier,
    reports: context.reports,
    claims: () => claims,
    stop: () => carrier.stop(),
    call: (changes) =>
      carrier.submit(
        message({ channel: 'voice', code: '12', expiresAt: Date.now() + 600_000, ...changes }),
        async () => {
          claims++;
          return true;
        },
      ),
    told: () => context.reports.map(({ status, errorCode }) => `${status} ${errorCode ?? ''}`.trim()),
  };
}
