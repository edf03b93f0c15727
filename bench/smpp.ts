import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BareSmppPlan, SmppRate } from './bare-smpp.js';
import { measureCreates, paced, warmUp } from './measures.js';
import { type Helper, newDirectory, startHelper, startServer } from './processes.js';
import type { SmscOrder, SmscReport } from './smsc.js';
import { percentile } from './statistics.js';

/** The carrier's default. */
const WINDOW = 50;
/** Creates a second while the way from the answer to the wire is timed. */
const PACE = 500;

/** What one round measured over SMPP; every rate is of `submit_sm` with their receipts, a second. */
export interface SmppRound {
  /** The library as client. */
  readonly bare: number;
  /** Our carrier alone, without a database. */
  readonly carrier: number;
  /** The whole server: sessions created over HTTP, sent, and reported delivered, everything durable. */
  readonly server: number;
  /** Milliseconds from a create's answer to its `submit_sm` at the SMSC; less than 0 where that came first. */
  readonly toWire: { readonly p50: number; readonly p99: number };
}

/** One bind to an SMSC in a process of its own, the same for all three. */
export async function measureSmpp(load: Helper, seconds: number): Promise<SmppRound> {
  const smsc = startHelper('./smsc.ts');
  const { port } = await smsc.receive<{ port: number }>();
  const plan: BareSmppPlan = { port, seconds, window: WINDOW };
  const bare = await once('./bare-smpp.ts', plan);
  const carrier = await once('./smpp-carrier.ts', plan);
  const server = await startServer({ configuration: configurationFor(port) });
  await warmUp(server, load, 1);
  const { rate } = await measureCreates(server, load, { seconds });
  await count(smsc, true);
  const { answers } = await paced(load, server, PACE, seconds);
  const { arrivals } = await count(smsc, false);
  await server.stop();
  smsc.stop();
  const arrived = new Map(arrivals);
  const waits = answers
    .flatMap(([recipient, at]) => {
      const arrival = arrived.get(recipient);
      return arrival === undefined ? [] : [arrival - at];
    })
    .sort((a, b) => a - b);
  if (waits.length < answers.length) throw new Error('not every create had reached the SMSC');
  return {
    bare,
    carrier,
    server: rate,
    toWire: { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) },
  };
}

async function once(script: string, plan: BareSmppPlan): Promise<number> {
  const helper = startHelper(script);
  const { rate } = await helper.ask<SmppRate>(plan);
  helper.stop();
  return rate;
}

function count(smsc: Helper, arrivals: boolean): Promise<SmscReport> {
  return smsc.ask<SmscReport>({ kind: 'count', arrivals } satisfies SmscOrder);
}

/** A `countersign.yaml` whose one carrier is an SMSC on this machine. */
export function configurationFor(port: number): string {
  const path = join(newDirectory(), 'countersign.yaml');
  writeFileSync(
    path,
    `carriers:
  smsc:
    type: smpp
    host: 127.0.0.1
    port: ${port}
    system_id: bench
    password: secret
    sender: Acme
routes:
  - carriers: [smsc]
`,
  );
  return path;
}
