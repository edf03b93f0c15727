import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCreates, warmUp } from './measures.js';
import { cleanUp, startHelper, startServer } from './processes.js';
import { configurationFor } from './smpp.js';
import { median } from './statistics.js';

/**
 * Sends so many messages over one SMPP bind, each durable and with its receipt, and tells how the server's memory went:
 * `npm run bench:soak`, a million by default, or `-- --messages 200000`. Flat means that the end needs no more than half way.
 */
const { values: options } = parseArgs({ options: { messages: { type: 'string', default: '1000000' } } });
/** Messages of a step: few enough for a slow machine to send within a minute. */
const STEP = 20_000;
const count = Math.max(2, Math.ceil(Number(options.messages) / STEP));

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const load = startHelper('./load.ts');
const smsc = startHelper('./smsc.ts');
const { port } = await smsc.receive<{ port: number }>();
const server = await startServer({ configuration: configurationFor(port) });
await warmUp(server, load, 2);
const steps: { readonly rate: number; readonly rss: number }[] = [];
for (let step = 1; step <= count; step++) {
  const { rate, rss } = await measureCreates(server, load, { seconds: 600, limit: STEP });
  steps.push({ rate, rss });
  console.log(
    `${(step * STEP).toLocaleString('en')} messages: ${Math.round(rate)} a second, ${Math.round(rss)} MB resident`,
  );
}
const file = join(new URL('./results/', import.meta.url).pathname, `soak-${Date.now()}.json`);
writeFileSync(file, `${JSON.stringify({ messages: count * STEP, steps }, null, 2)}\n`);
// The first half fills caches and lets the heap grow to what the load needs.
const middle = steps[Math.floor(count / 2)]!;
const last = steps.at(-1)!;
console.log(
  `\nmedian ${Math.round(median(steps.map(({ rate }) => rate)))} a second; memory at the end to that at half way: ${(last.rss / middle.rss).toFixed(2)}\n${file}`,
);
process.exit(0);
