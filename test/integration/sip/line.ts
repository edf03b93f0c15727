import { onTestFinished } from 'vitest';
import type { Carrier, CarrierReport, OutboundMessage, SubmitResult } from '#delivery/carrier.js';
import { sip } from '#delivery/carriers/sip/index.js';
import type { SipSettings } from '#delivery/carriers/sip/settings.js';
import { type Clip, createClip } from '#speech/clip.js';
import { message, recordingContext } from '../../delivery/carriers/support.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { freePorts } from './ports.js';

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

/** Calls of a second or two: short tones instead of words, one call for the time a person would take. */
const TONE: Clip = createClip(Int16Array.from({ length: 1_600 }, (_, index) => 8_000 * Math.sin(index / 3)));
const BRIEF = {
  ...SHIPPED_SPEECH,
  greeting: () => [TONE],
  challenge: () => [TONE],
  code: () => [TONE, { silence: 40 }, TONE],
  repeatHint: () => [TONE],
  goodbye: () => [TONE],
};

/** Opens a carrier with trunks at these ports of 127.0.0.1; it is stopped when the test is over. */
export async function openLine(ports: readonly number[], settings: Partial<SipSettings> = {}): Promise<Line> {
  const [first] = await freePorts(1);
  const from = first! & ~1;
  const context = { ...recordingContext(), speech: BRIEF };
  const carrier = sip.create(
    {
      trunks: ports.map((port) => ({ host: '127.0.0.1', port, transport: 'udp' as const })),
      bind: '127.0.0.1',
      port: 0,
      rtp_ports: { from, to: from + 19 },
      keepalive_seconds: 0,
      opening_silence_ms: 200,
      repeats: 0,
      response_seconds: 2,
      calls_per_second: 100,
      ...settings,
    },
    context,
  );
  let claims = 0;
  let stopped: Promise<void> | null = null;
  const stop = () => {
    stopped ??= carrier.stop();
    return stopped;
  };
  onTestFinished(stop);
  carrier.start?.();
  return {
    carrier,
    reports: context.reports,
    claims: () => claims,
    stop,
    call: (changes) =>
      carrier.submit(message({ channel: 'voice', expiresAt: Date.now() + 600_000, ...changes }), async () => {
        claims++;
        return true;
      }),
    told: () => context.reports.map(({ status, errorCode }) => `${status} ${errorCode ?? ''}`.trim()),
  };
}
