import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type {
  CarrierContext,
  CarrierReport,
  InboundMessage,
  OutboundMessage,
  ReportResult,
} from '#delivery/carrier.js';
import { createReporter, type Reporter } from '#delivery/receipts.js';
import { type Environment, systemEnvironment } from '#environment.js';
import { type MemoryStore, openMemoryStore } from '#store/memory/store.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics, type Metrics } from '#telemetry/metrics.js';
import { type AttemptId, type AttemptStatus, type Channel, hopId, type Recipient } from '#verify/model.js';
import { NOW, seed, start } from '../../support/rows.js';
import { SHIPPED_SPEECH } from '../../support/speech.js';
import { VirtualEnvironment } from '../../support/virtual-time.js';

/** What distinguishes a code, a text and a secret from everything else that may turn up in an output. */
export const CODE = '73519264';
export const SECRET = 'sentinel-bearer-secret-42';
export const TEXT = `Your Acme verification code is ${CODE}.`;

export function message(changes: Partial<OutboundMessage> = {}): OutboundMessage {
  const attempt = '019c1307-1111-7000-8000-000000000001';
  return {
    hopId: `${attempt}.1`,
    attempt,
    session: '019c1307-2222-7000-8000-000000000002',
    channel: 'sms',
    recipient: '14155550123' as Recipient,
    text: TEXT,
    code: CODE,
    locale: 'en',
    brandName: 'Acme',
    dtmf: null,
    confirmByKey: false,
    src: null,
    sender: null,
    parameters: {},
    expiresAt: NOW + 600_000,
    ...changes,
  };
}

/** A context that answers reports in turn with `answers`, the last one for ever, and keeps them. */
export function recordingContext(
  answers: readonly ReportResult[] = ['recorded'],
  environment: Environment = systemEnvironment,
): CarrierContext & { readonly reports: CarrierReport[]; readonly inbox: InboundMessage[] } {
  const reports: CarrierReport[] = [];
  const inbox: InboundMessage[] = [];
  return {
    name: 'gateway',
    environment,
    log: createLog('silent', { write: () => {} }),
    share: { index: 0, count: 1 },
    publicUrl: null,
    speech: SHIPPED_SPEECH,
    reports,
    inbox,
    inbound: async (message) => {
      inbox.push(message);
      return 'recorded';
    },
    report: async (report) => {
      reports.push(report);
      return answers[Math.min(reports.length, answers.length) - 1]!;
    },
  };
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real HTTP server as the operator's gateway; keeps what it received. Closed when the test ends. */
export async function gateway(
  answer: (received: Received, response: ServerResponse, count: number) => void,
): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: await text(request) };
    received.push(one);
    answer(one, response, received.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/messages?tenant=7`, received };
}

export interface World {
  readonly environment: VirtualEnvironment;
  readonly store: MemoryStore;
  readonly metrics: Metrics;
  readonly reporter: Reporter;
  /** Every log line so far. */
  readonly lines: string[];
  /** Starts a session whose attempt waits for the carrier `gateway`. */
  start(channel?: Channel): Promise<{ readonly attempt: AttemptId; readonly hopId: string }>;
  /** Records that the carrier took the attempt's first hop, without telling the reporter. */
  take(attempt: AttemptId, messageId: string | null, status?: AttemptStatus): Promise<void>;
  status(attempt: AttemptId): string | undefined;
  count(metric: 'receipts' | 'attempts', labels: Record<string, string>): Promise<number>;
}

/** A memory store with the reporter in front of it, in virtual time. */
export async function openWorld(): Promise<World> {
  const environment = new VirtualEnvironment();
  const store = openMemoryStore({ environment });
  const fixture = await seed(store);
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const reporter = createReporter({ store, environment, log, metrics });
  let recipients = 0;

  return {
    environment,
    store,
    metrics,
    reporter,
    lines,
    async start(channel = 'sms') {
      const recipient = String(14155550100 + ++recipients) as Recipient;
      const now = environment.now();
      const command = start(fixture, store, { now, channel, recipient, carrier: 'gateway' });
      await store.submit(command);
      return { attempt: command.attempt, hopId: hopId(command.attempt, 1) };
    },
    async take(attempt, messageId, status) {
      await store.submit({
        type: 'hop-accepted',
        now: environment.now(),
        owner: store.epoch,
        attempt,
        number: 1,
        carrier: 'gateway',
        messageId,
        status,
      });
    },
    status: (attempt) => store.database.attempt(attempt)?.status,
    async count(metric, labels) {
      const { values } = await metrics[metric].get();
      const wanted = Object.entries(labels);
      const found = values.filter(({ labels }) =>
        wanted.every(([name, value]) => (labels as Record<string, unknown>)[name] === value),
      );
      return found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}
