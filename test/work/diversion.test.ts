import { expect, test } from 'vitest';
import { DONE, type Job, JobTable, retryIn } from './job-table.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * Lanes `bad` and `good`. A job may go from one to the other unless its name begins with `bound`; the move takes a
 * moment and is written to its row. `bad` answers nobody while `down` says so.
 */
function open() {
  const state = { down: true, moves: 0, refuseMoves: false };
  const table: JobTable = new JobTable(
    async (job, its) => {
      await its.takes(10);
      return state.down && job.lane === 'bad' ? retryIn(job, its, 500) : DONE;
    },
    {
      window: 8,
      divert: (job: Job) => {
        const lane = job.lane === 'bad' ? 'good' : 'bad';
        if (job.id.startsWith('bound') || !table.lanes.isHealthy(lane)) return null;
        return async () => {
          await table.takes(5);
          if (state.refuseMoves) throw new Error('the move cannot be recorded');
          const row = table.rows.get(job.id);
          if (row?.lane !== job.lane || row.tries !== job.tries) return;
          const moved = { ...row, lane, tries: row.tries + 1, nextAt: table.environment.now() };
          table.rows.set(job.id, moved);
          state.moves++;
          table.lanes.offer(moved);
        };
      },
    },
  );
  return { table, state };
}

test('what waits in memory and in rows when a lane breaks is done in another at once', async () => {
  const { table } = open();
  for (let n = 0; n < 100; n++) table.add(`job${n}`, 'bad');
  await table.pass(2 * SECOND);
  expect(table.rows.size).toBe(0);
  expect(table.begunIn('good')).toHaveLength(100);
  expect(table.begunIn('bad').length).toBeLessThan(10);
  expect(table.wrong).toEqual([]);
});

test('what comes to a lane while it is broken goes on to another without a try', async () => {
  const { table } = open();
  for (let n = 0; n < 5; n++) table.add(`bound${n}`, 'bad');
  await table.pass(100);
  expect(table.lanes.isBroken('bad')).toBe(true);
  const before = table.begunIn('bad').length;
  table.add('late', 'bad');
  await table.pass(30);
  expect(table.begun.filter(({ id }) => id === 'late').map(({ lane }) => lane)).toEqual(['good']);
  expect(table.begunIn('bad')).toHaveLength(before);
});

test('what falls due in a lane that is broken goes on to another', async () => {
  const { table } = open();
  table.write('later', 'bad', table.environment.now() + 700);
  for (let n = 0; n < 5; n++) table.add(`bound${n}`, 'bad');
  void table.lanes.refill();
  await table.pass(800);
  expect(table.begun.filter(({ id }) => id === 'later').map(({ lane }) => lane)).toEqual(['good']);
});

test('what has no other way waits for its lane, behind which nothing that has one is held up', async () => {
  const { table, state } = open();
  const now = table.environment.now();
  for (let n = 0; n < 600; n++) table.write(`bound${n}`, 'bad', now);
  for (let n = 0; n < 20; n++) table.write(`free${n}`, 'bad', now);
  void table.lanes.refill();
  await table.pass(2 * SECOND);
  expect([...table.rows.keys()].filter((id) => id.startsWith('free'))).toEqual([]);
  expect(table.rows.size).toBe(600);
  state.down = false;
  await table.pass(2 * MINUTE);
  expect(table.rows.size).toBe(0);
  expect(table.begunIn('good')).toHaveLength(20);
  expect(table.wrong).toEqual([]);
});

test('a lane that recovers takes what waits for another that is broken', async () => {
  const down = new Set(['bad', 'good']);
  const table: JobTable = new JobTable(
    async (job, its) => (down.has(job.lane) ? retryIn(job, its, 500) : DONE),
    {
      divert: (job: Job) => {
        if (job.lane === 'good' || !table.lanes.isHealthy('good')) return null;
        return async () => {
          const moved = { ...job, lane: 'good', tries: job.tries + 1, nextAt: table.environment.now() };
          table.rows.set(job.id, moved);
          table.lanes.offer(moved);
        };
      },
    },
  );
  for (let n = 0; n < 5; n++) table.add(`good${n}`, 'good');
  for (let n = 0; n < 50; n++) table.add(`job${n}`, 'bad');
  await table.pass(100);
  expect(table.lanes.brokenLanes.sort()).toEqual(['bad', 'good']);
  down.delete('good');
  await table.pass(10 * SECOND);
  expect([...table.rows.keys()]).toEqual([]);
  expect(table.lanes.isHealthy('bad')).toBe(false);
});

test('a move that cannot be recorded is tried again, and its job is neither lost nor begun meanwhile', async () => {
  const { table, state } = open();
  state.refuseMoves = true;
  for (let n = 0; n < 20; n++) table.add(`job${n}`, 'bad');
  await table.pass(900);
  expect(table.begunIn('good')).toEqual([]);
  expect(table.errors.length).toBeGreaterThan(0);
  expect(table.errors.length).toBeLessThan(100);
  state.refuseMoves = false;
  await table.pass(MINUTE);
  expect(table.rows.size).toBe(0);
  expect(table.wrong).toEqual([]);
});

test('lanes that break and recover by chance lose nothing and begin nothing twice', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { table, state } = open();
    for (let n = 0; n < 300; n++) {
      table.add(`job${n}`, n % 3 === 0 ? 'good' : 'bad');
      if (n % (20 + seed) === 0) {
        state.down = !state.down;
        await table.pass(seed * 37);
      }
    }
    state.down = false;
    await table.pass(10 * MINUTE);
    expect([seed, table.rows.size, table.wrong]).toEqual([seed, 0, []]);
    expect(table.lanes.depth).toEqual({ inFlight: 0, queued: 0 });
  }
});
