import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Durations,
  measureBareFramework,
  measureColdStart,
  measureCreates,
  measureRawDatabase,
  measureSingle,
  measureValidations,
  warmUp,
} from './measures.js';
import { cleanUp, type Helper, startHelper, startServer } from './processes.js';
import { type Measured, type Round, reportOf, textOf } from './report.js';

/**
 * Measures the built server against two yardsticks, on one machine and in one run: `npm run bench`, or
 * `npm run bench -- --quick` for a rough answer within a minute. See docs/performance.md.
 */
const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const settings = options.quick
  ? { rounds: 3, coldStarts: 3, validations: 4_000, durations: { warmUp: 1, load: 1.5 } }
  : { rounds: 5, coldStarts: 5, validations: 12_000, durations: { warmUp: 2, load: 4 } };

const results = new URL('./results/', import.meta.url);
mkdirSync(results, { recursive: true });
process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const measured = await measure();
const report = reportOf(measured);
const file = fileURLToPath(new URL(`${report.at.replaceAll(':', '-')}.json`, results));
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
console.log(`\n${textOf(report)}\n\n${file}`);
process.exit(0);

async function measure(): Promise<Measured> {
  const load = startHelper('./load.ts');
  const coldStarts: Measured['coldStarts'][number][] = [];
  for (let start = 0; start < settings.coldStarts; start++) coldStarts.push(await measureColdStart());
  const rounds: Round[] = [];
  for (let number = 1; number <= settings.rounds; number++) {
    const round = await measureRound(load, settings.durations);
    rounds.push(round);
    console.log(
      `round ${number} of ${settings.rounds}: ${Math.round(round.creates.rate)} creates a second, raw database ${Math.round(round.rawDatabase)}`,
    );
  }
  return { rounds, coldStarts };
}

/** Every measure once, a fresh server on an empty database, so that what disturbs a round disturbs all alike. */
async function measureRound(load: Helper, durations: Durations): Promise<Round> {
  const bareFramework = await measureBareFramework(load, durations);
  const receiver = startHelper('./receiver.ts');
  const { port } = await receiver.receive<{ port: number }>();
  const server = await startServer();
  await warmUp(server, load, durations.warmUp);
  const creates = await measureCreates(server, load, durations.load);
  const rawDatabase = await measureRawDatabase(creates.batch, durations.load);
  const url = `http://127.0.0.1:${port}/callbacks`;
  const createsWithCallbacks = await measureCreates(server, load, durations.load, url);
  const validations = await measureValidations(server, load, settings.validations);
  const singleCreate = await measureSingle(server, load, durations.load / 2);
  await server.stop();
  receiver.stop();
  return { bareFramework, rawDatabase, creates, createsWithCallbacks, validations, singleCreate };
}
