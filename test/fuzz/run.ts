/**
 * `npm run fuzz [-- --requests N] [--seed N]`: generated requests against a real server, then schemathesis where Python
 * is present. Exits with 1 when an answer was not as documented, or anything else was wrong.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.js';
import { runSchemathesis } from './schemathesis.js';
import { startFuzzWorld } from './world.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    schemathesis: { type: 'string', default: 'when present' },
  },
});
const requests = Number(values.requests);
const seed = Number(values.seed);
if (!(Number.isSafeInteger(requests) && requests > 0 && Number.isSafeInteger(seed))) {
  console.error('usage: npm run fuzz -- [--requests N] [--seed N] [--schemathesis off]');
  process.exit(2);
}

const world = await startFuzzWorld();
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
console.log(`fuzz: ${requests} requests, seed ${seed}`);
const result = await fuzz(world, {
  requests,
  seed,
  onProgress: (done) => {
    if (done % 2_000 === 0) console.log(`fuzz: ${done} requests in ${seconds()} s`);
  },
});
const problems = [...result.failures, ...(await world.close())];
const statuses = Object.entries(result.statuses).map(([status, count]) => `${status}: ${count}`);
console.log(`fuzz: answers ${statuses.join(', ')}`);
console.log(`fuzz: ${result.succeeded.length} operations succeeded: ${result.succeeded.join(', ')}`);

if (values.schemathesis !== 'off') {
  const another = await startFuzzWorld();
  problems.push(...(await runSchemathesis(another, seed)));
  problems.push(...(await another.close()));
}
for (const problem of problems) console.error(`FAILED ${problem}\n`);
console.log(`fuzz: ${result.requests} requests, ${problems.length} problems, ${seconds()} s`);
process.exitCode = problems.length === 0 ? 0 : 1;
