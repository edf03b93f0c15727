import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  measureBareFramework,
  measureColdStart,
  measureCreates,
  measureRawDatabase,
  measureRest,
  measureSingle,
  measureValidations,
  warmUp,
} from './measures.js';
import {
  cleanUp,
  type Helper,
  newDirectory,
  removeDirectory,
  startHelper,
  startServer,
} from './processes.js';
import { type Measured, type Round, reportOf, textOf } from './report.js';
import { measureSmpp } from './smpp.js';

/**
 * Measures the built server against two yardsticks, on one machine and in one run: `npm run bench`, or
 * `npm run bench -- --quick` for a rough answer within a minute. With `--profile DIRECTORY` the measured servers
 * leave CPU profiles of their threads there. See docs/performance.md.
 */
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' } },
});
const settings = options.quick
  ? { rounds: 2, pairs: 3, seconds: 1, warmUp: 1, withCallbacks: 600, validations: 1_500, coldStarts: 3 }
  : { rounds: 4, pairs: 4, seconds: 2, warmUp: 2, withCallbacks: 3_000, validations: 6_000, coldStarts: 5 };

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
  const loadBefore = loadavg()[0]!;
  const load = startHelper('./load.ts');
  const coldStarts: number[] = [];
  for (let start = 0; start < settings.coldStarts; start++) coldStarts.push(await measureColdStart());
  const rounds: Round[] = [];
  for (let number = 1; number <= settings.rounds; number++) {
    const round = await measureRound(load);
    rounds.push(round);
    const seen = round.pairs.map(
      ({ creates, rawDatabase }) => `${Math.round(creates.rate)}/${Math.round(rawDatabase)}`,
    );
    console.log(
      `round ${number} of ${settings.rounds}: sessions a second, server/raw database: ${seen.join(' ')}`,
    );
  }
  return { loadBefore, rounds, coldStarts, restRss: await measureRest() };
}

/** Every measure, with a fresh server and databases that are empty at first. */
async function measureRound(load: Helper): Promise<Round> {
  const { seconds } = settings;
  const bareFramework = await measureBareFramework(load, seconds);
  const receiver = startHelper('./receiver.ts');
  const { port } = await receiver.receive<{ port: number }>();
  const rawDirectory = newDirectory();
  const raw = startHelper('./raw-database.ts', join(rawDirectory, 'raw.db'));
  const server = await startServer({ profiles: options.profile });
  await warmUp(server, load, settings.warmUp);

  const pairs: Round['pairs'][number][] = [];
  for (let pair = 0; pair < settings.pairs; pair++) {
    const creates = await measureCreates(server, load, { seconds });
    pairs.push({ creates, rawDatabase: await measureRawDatabase(raw, creates.batch, seconds) });
  }
  const callbackUrl = `http://127.0.0.1:${port}/callbacks`;
  const createsWithCallbacks = await measureCreates(
    server,
    load,
    { limit: settings.withCallbacks },
    callbackUrl,
  );
  const validations = await measureValidations(server, load, settings.validations);
  const singleCreate = await measureSingle(server, load, seconds);

  await server.stop();
  raw.stop();
  receiver.stop();
  removeDirectory(rawDirectory);
  const smpp = await measureSmpp(load, seconds);
  return { bareFramework, pairs, createsWithCallbacks, validations, singleCreate, smpp };
}
