import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything the server counts. Labels have few values: names from the configuration and from closed lists. */
export interface Metrics {
  readonly registry: Registry;
  /** Sessions started, resumed and ended. */
  readonly sessions: Counter<'event'>;
  /** Attempts by channel and the status they reached. */
  readonly attempts: Counter<'channel' | 'status'>;
  /** Tries on carriers by how they ended. */
  readonly hops: Counter<'carrier' | 'status'>;
  /** Attempts that went past a carrier that is down without a try, by that carrier. */
  readonly reroutes: Counter<'carrier'>;
  /** Duration of submits, whatever came of them. */
  readonly submitTime: Histogram<'carrier'>;
  /** Messages of which no final receipt came within the route's time. */
  readonly missingReceipts: Counter<'carrier'>;
  /** Messages that people sent to our numbers, by what they mean. */
  readonly inbound: Counter<'carrier' | 'kind'>;
  readonly receipts: Counter<'carrier' | 'result'>;
  readonly validations: Counter<'result'>;
  readonly callbacks: Counter<'result'>;
  /** Requests answered 429, by the limit that they reached. */
  readonly limited: Counter<'limit'>;
  readonly callbackTime: Histogram;
  readonly commitBatch: Histogram;
  readonly commitTime: Histogram;
  readonly requests: Histogram<'method' | 'route' | 'status'>;
}

/** What is read at the moment of the scrape. */
export interface MetricSources {
  /** Queue depths by name. */
  readonly depths: () => Promise<Record<string, number>> | Record<string, number>;
}

/** Makes the metrics on a registry of their own, with Node's process and event-loop metrics. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter<Label>({ name: `countersign_${name}`, help, labelNames, registers });
  const histogram = <Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram<Label>({ name: `countersign_${name}`, help, buckets, labelNames, registers });
  const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    sessions: counter('sessions_total', 'Sessions by event: started, resumed, verified, expired, deleted.', [
      'event',
    ]),
    attempts: counter('attempts_total', 'Attempts by channel and status reached.', ['channel', 'status']),
    hops: counter('hops_total', 'Tries of attempts on carriers by result.', ['carrier', 'status']),
    reroutes: counter('reroutes_total', 'Attempts moved past a carrier that is down, without a try.', [
      'carrier',
    ]),
    submitTime: histogram(
      'submit_seconds',
      'Duration of submits to carriers.',
      [...seconds, 10, 30],
      ['carrier'],
    ),
    missingReceipts: counter('receipts_missing_total', 'Messages without a final receipt in time.', [
      'carrier',
    ]),
    inbound: counter('inbound_messages_total', 'Messages from people by what they mean.', [
      'carrier',
      'kind',
    ]),
    receipts: counter('receipts_total', 'Carrier reports by result.', ['carrier', 'result']),
    validations: counter('validations_total', 'Validations by result.', ['result']),
    callbacks: counter('callbacks_total', 'Callback tries by result.', ['result']),
    limited: counter('limited_total', 'Requests refused by a limit.', ['limit']),
    callbackTime: histogram('callback_seconds', 'Duration of callback tries.', seconds),
    commitBatch: histogram('commit_commands', 'Commands per commit.', [1, 2, 4, 8, 16, 32, 64, 128, 256]),
    commitTime: histogram('commit_seconds', 'Duration of commits.', seconds),
    requests: histogram('http_request_seconds', 'Duration of API requests.', seconds, [
      'method',
      'route',
      'status',
    ]),
  };
}

/** How a carrier stands at the moment of the scrape. */
interface CarrierReading {
  readonly name: string;
  readonly state: 'up' | 'down' | 'connecting';
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly in_flight: number;
}

/** Adds the gauges of the carriers. States are numbers, so that one line a carrier can be drawn and compared. */
export function watchCarriers(metrics: Metrics, read: () => readonly CarrierReading[]): void {
  const gauge = (name: string, help: string, numberOf: (reading: CarrierReading) => number) =>
    new Gauge({
      name: `countersign_carrier_${name}`,
      help,
      labelNames: ['carrier'],
      registers: [metrics.registry],
      collect() {
        for (const reading of read()) this.set({ carrier: reading.name }, numberOf(reading));
      },
    });
  gauge('up', 'Whether a carrier is connected: 1 up, 0.5 connecting, 0 down.', ({ state }) =>
    state === 'up' ? 1 : state === 'connecting' ? 0.5 : 0,
  );
  gauge('breaker', 'Breaker of a carrier: 0 closed, 0.5 half-open, 1 open.', ({ breaker }) =>
    breaker === 'open' ? 1 : breaker === 'half-open' ? 0.5 : 0,
  );
  gauge('in_flight', 'Submits of a carrier without an answer.', (reading) => reading.in_flight);
}

/** Adds the gauges whose values are read when they are scraped. */
export function watchDepths(metrics: Metrics, sources: MetricSources): void {
  new Gauge({
    name: 'countersign_queue_depth',
    help: 'Work that waits, by queue.',
    labelNames: ['queue'],
    registers: [metrics.registry],
    async collect() {
      for (const [queue, depth] of Object.entries(await sources.depths())) this.set({ queue }, depth);
    },
  });
}
