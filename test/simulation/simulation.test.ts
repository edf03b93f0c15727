import { expect, test } from 'vitest';
import { checkInvariants } from './invariants.js';
import { metrics, World } from './world.js';

/**
 * Days of trouble in seconds: `SEEDS` worlds, from `FIRST_SEED` on. A failure names its seed; run that one alone with
 * `FIRST_SEED=… SEEDS=1 npx vitest run test/simulation`.
 */
const seeds = Number(process.env.SEEDS ?? 1_000);
const first = Number(process.env.FIRST_SEED ?? 1);

test(`keeps every promise in ${seeds} worlds of faults and crashes`, { timeout: 600_000 }, async () => {
  const seen = {
    crashes: 0,
    sessions: 0,
    attempts: 0,
    callbacks: 0,
    redelivered: 0,
    verified: 0,
    confirmed: 0,
    hops: 0,
    unanswered: 0,
    reroutes: 0,
  };
  for (let seed = first; seed < first + seeds; seed++) {
    if (process.env.TRACE) process.stderr.write(`seed ${seed}\n`);
    const world = new World(seed);
    try {
      await world.run();
      checkInvariants(world);
    } catch (error) {
      const again = `FIRST_SEED=${seed} SEEDS=1 npx vitest run test/simulation`;
      throw new Error(`seed ${seed}: ${(error as Error).message}\nrun it again with: ${again}`, {
        cause: error,
      });
    }
    seen.crashes += world.crashes;
    seen.verified += world.verified.size;
    for (const { confirmed } of world.networks) seen.confirmed += confirmed.length;
    seen.callbacks += world.customer.received.length;
    seen.redelivered += world.redelivered;
    seen.sessions += world.database.tables.session.size;
    seen.attempts += world.database.tables.attempt.size;
    seen.hops += world.database.tables.hop.size;
    seen.unanswered += [...world.database.tables.hop.values()].filter((hop) => hop.unanswered).length;
  }
  for (const { value } of (await metrics.reroutes.get()).values) seen.reroutes += value;
  // A world in which nothing happens proves nothing.
  if (seeds >= 100)
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(seeds);
  console.info(`simulated ${JSON.stringify(seen)}`);
});
