import { onTestFinished } from 'vitest';
import type {
  Carrier,
  CarrierReport,
  InboundMessage,
  OutboundMessage,
  ReportResult,
} from '#delivery/carrier.js';
import { smpp } from '#delivery/carriers/smpp/index.js';
import type { SmppSettings } from '#delivery/carriers/smpp/settings.js';
import { createLog } from '#telemetry/log.js';
import { Smsc, type SmscOptions } from '../../../support/smsc.js';
import { eventually, settle, VirtualEnvironment } from '../../../support/virtual-time.js';
import { message, recordingContext } from '../support.js';

export const PASSWORD = 'sentinel';

export interface Rig {
  readonly smsc: Smsc;
  readonly carrier: Carrier;
  readonly time: VirtualEnvironment;
  readonly reports: CarrierReport[];
  readonly inbound: InboundMessage[];
  readonly lines: string[];
  /** What `report` resolves to, by turns; the last for ever. */
  answers: ReportResult[];
  /** Decides instead of `answers`. */
  onReport: (report: CarrierReport) => Promise<ReportResult>;
  inboundAnswer: 'recorded' | 'unavailable';
  /** Submits messages of their own hops. */
  submit(changes?: Partial<OutboundMessage>): ReturnType<Carrier['submit']>;
  /** Waits for what sockets bring about; time does not pass. */
  until(what: string, holds: () => boolean): Promise<void>;
}

export interface RigOptions {
  readonly smsc?: SmscOptions;
  readonly share?: { readonly index: number; readonly count: number };
  /** Whether to wait until every bind is up (default). */
  readonly bound?: boolean;
  /** Before the carrier starts. */
  readonly prepare?: (smsc: Smsc) => void;
}

/** A carrier in virtual time, bound to a scriptable SMSC on a real port. Both end with the test. */
export async function openRig(
  settings: Partial<SmppSettings> = {},
  { smsc: smscOptions, share = { index: 0, count: 1 }, bound = true, prepare }: RigOptions = {},
): Promise<Rig> {
  const smsc = await new Smsc({ password: PASSWORD, ...smscOptions }).start();
  prepare?.(smsc);
  const time = new VirtualEnvironment();
  const lines: string[] = [];
  const reports: CarrierReport[] = [];
  const inbound: InboundMessage[] = [];
  const carrier = smpp.create(
    { host: '127.0.0.1', port: smsc.port, system_id: 'tester', password: PASSWORD, ...settings },
    {
      ...recordingContext(['recorded'], time),
      name: 'smsc',
      log: createLog('debug', { write: (line) => void lines.push(line) }),
      share,
      report: async (report) => {
        reports.push(report);
        return rig.onReport(report);
      },
      inbound: async (one) => {
        inbound.push(one);
        return rig.inboundAnswer;
      },
    },
  );
  let hops = 0;
  const rig: Rig = {
    smsc,
    carrier,
    time,
    reports,
    inbound,
    lines,
    answers: ['recorded'],
    onReport: async () => (rig.answers.length > 1 ? rig.answers.shift()! : rig.answers[0]!),
    inboundAnswer: 'recorded',
    submit: (changes) =>
      carrier.submit(message({ hopId: `019c1307-1111-7000-8000-000000000001.${++hops}`, ...changes })),
    until: eventually,
  };
  onTestFinished(async () => {
    const stopped = carrier.stop();
    await settle(20);
    await time.advance(5_000);
    await stopped;
    await smsc.stop();
  });
  carrier.start!();
  if (bound) await eventually('the carrier is up', () => carrier.status!().detail === null);
  return rig;
}

/** What the SMSC got of each message, in order of arrival. */
export const fieldsOf = (rig: Rig) => rig.smsc.submits.map(({ pdu }) => pdu);
