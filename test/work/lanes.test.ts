import { expect, test } from 'vitest';
import { randomNumbers } from '../support/virtual-time.js';
import { DONE, JobTable, type Result, retryIn } from './job-table.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

async function doneAfter(milliseconds: number, table: JobTable): Promise<Result> {
  await table.takes(milliseconds);
  return DONE;
}

test('work that is offered is begun at once and done once', async () => {
  const table = new JobTable(async () => DONE);
  table.add('a', 'one');
  expect(table.begun.map(({ id }) => id)).toEqual(['a']);
  await table.pass(MINUTE);
  expect(table.begun).toHaveLength(1);
  expect(table.rows.size).toBe(0);
  expect(table.lanes.depth).toEqual({ inFlight: 0, queued: 0 });
});

test('work offered twice while it waits or is in flight is not begun twice', async () => {
  const table = new JobTable((_, its) => doneAfter(10, its), { concurrency: () => 1 });
  table.add('flying', 'one');
  table.add('waiting', 'one');
  table.lanes.offer(table.rows.get('flying')!);
  table.lanes.offer(table.rows.get('waiting')!);
  await table.pass(MINUTE);
  expect(table.begun.map(({ id }) => id)).toEqual(['flying', 'waiting']);
  expect(table.wrong).toEqual([]);
});

test('a further try that is offered while a piece is in flight is begun after it, in the lane it names', async () => {
  const table: JobTable = new JobTable(async (job, its) => {
    if (job.tries > 0) return DONE;
    const moved = { ...job, lane: 'two', tries: 1 };
    its.rows.set(job.id, moved);
    its.lanes.offer(moved);
    await its.takes(10);
    return { verdict: { health: 'down' } };
  });
  table.add('a', 'one');
  await table.pass(SECOND);
  expect(table.begun.map(({ lane, tries }) => [lane, tries])).toEqual([
    ['one', 0],
    ['two', 1],
  ]);
  expect(table.rows.size).toBe(0);
});

test('a lane has no more in flight than its concurrency, all lanes together no more than the total', async () => {
  const table = new JobTable((_, its) => doneAfter(10, its), { concurrency: () => 3, maxInFlight: 8 });
  for (let n = 0; n < 20; n++) table.add(`a${n}`, 'a');
  expect(table.inFlight.size).toBe(3);
  for (const lane of ['b', 'c', 'd', 'e']) for (let n = 0; n < 20; n++) table.add(`${lane}${n}`, lane);
  expect(table.inFlight.size).toBe(8);
  await table.pass(MINUTE);
  expect(table.mostInFlight).toBe(8);
  expect(table.rows.size).toBe(0);
});

test('what is answered gives its place up while it is being recorded, to so many and no more', async () => {
  const withTheOther = new Set<string>();
  let most = 0;
  const table: JobTable = new JobTable(
    async ({ id }, its, onAnswered) => {
      withTheOther.add(id);
      most = Math.max(most, withTheOther.size);
      await its.takes(10);
      withTheOther.delete(id);
      onAnswered();
      await its.takes(SECOND);
      return DONE;
    },
    { concurrency: () => 3, maxRecording: 10 },
  );
  for (let n = 0; n < 40; n++) table.add(`job${n}`, 'one');
  await table.pass(25);
  expect(table.begun).toHaveLength(9);
  await table.pass(SECOND / 2);
  expect(table.begun).toHaveLength(13);
  await table.pass(MINUTE);
  expect(most).toBe(3);
  expect(table.rows.size).toBe(0);
});

test('a piece that says twice that it was answered gives up one place', async () => {
  const table: JobTable = new JobTable(
    async (_, its, onAnswered) => {
      onAnswered();
      onAnswered();
      await its.takes(SECOND);
      return DONE;
    },
    { concurrency: () => 2, maxRecording: 1 },
  );
  for (let n = 0; n < 10; n++) table.add(`job${n}`, 'one');
  expect(table.begun).toHaveLength(3);
  await table.pass(MINUTE);
  expect(table.rows.size).toBe(0);
});

test('a half-open lane tries one piece until it is recorded', async () => {
  let isDown = true;
  const table: JobTable = new JobTable(
    async (job, its, onAnswered) => {
      if (isDown) return retryIn(job, its, 1);
      onAnswered();
      await its.takes(SECOND);
      return DONE;
    },
    { concurrency: () => 1 },
  );
  for (let n = 0; n < 5; n++) table.add(`job${n}`, 'one');
  await table.pass(SECOND / 2);
  isDown = false;
  await table.pass(SECOND);
  expect(table.inFlight.size).toBe(1);
  await table.pass(MINUTE);
  expect(table.rows.size).toBe(0);
});

test('lanes take turns: one with much work does not delay one with little', async () => {
  const table = new JobTable((_, its) => doneAfter(10, its), { concurrency: () => 100, maxInFlight: 2 });
  for (let n = 0; n < 100; n++) table.add(`much${n}`, 'much');
  table.add('little', 'little');
  await table.pass(10);
  expect(table.begunIn('little')).toHaveLength(1);
  expect(table.begunIn('much').length).toBeLessThanOrEqual(4);
});

test('memory holds a window of each lane and a bound of all; the rest is read from rows and none is lost', async () => {
  const bounds = { window: 16, maxInMemory: 40, concurrency: () => 2 };
  const table = new JobTable((_, its) => doneAfter(5, its), bounds);
  let most = 0;
  for (let n = 0; n < 2_000; n++) {
    table.add(`job${n}`, `lane${n % 5}`);
    most = Math.max(most, table.lanes.depth.queued);
  }
  while (table.rows.size > 0) {
    await table.pass(20);
    most = Math.max(most, table.lanes.depth.queued);
  }
  expect(most).toBeGreaterThanOrEqual(32);
  expect(most).toBeLessThanOrEqual(40 + 5);
  expect(table.begun).toHaveLength(2_000);
  expect(table.wrong).toEqual([]);
});

test('a lane gets work done although slow lanes fill the memory', async () => {
  const table = new JobTable(
    (job, its) => (job.lane === 'quick' ? doneAfter(1, its) : its.takes(MINUTE).then(() => DONE)),
    {
      maxInMemory: 20,
      concurrency: () => 2,
    },
  );
  for (let n = 0; n < 100; n++) table.add(`slow${n}`, `slow${n % 4}`);
  expect(table.lanes.depth.queued).toBeGreaterThanOrEqual(20);
  for (let n = 0; n < 50; n++) table.add(`quick${n}`, 'quick');
  await table.pass(SECOND);
  expect(table.begunIn('quick')).toHaveLength(50);
});

test('a retry is tried when it is due, not before', async () => {
  const table: JobTable = new JobTable(async (job, its) =>
    job.tries < 3 ? retryIn(job, its, [60, 120, 240][job.tries]! * SECOND, 'up') : DONE,
  );
  const start = table.environment.now();
  const times: number[] = [];
  table.add('a', 'one');
  for (let seen = 0; table.rows.size > 0; ) {
    await table.pass(SECOND);
    if (table.begun.length > seen) times.push(Math.floor((table.environment.now() - start) / SECOND) - 1);
    seen = table.begun.length;
  }
  expect(times).toEqual([0, 60, 180, 420].map((time) => (time === 0 ? 0 : time)));
  expect(table.wrong).toEqual([]);
});

test('every one of many retries with different times is tried in its time', async () => {
  const table = new JobTable(async (job, its) =>
    job.tries === 0 ? retryIn(job, its, (100 - Number(job.id)) * SECOND, 'up') : DONE,
  );
  for (let n = 0; n < 100; n++) table.add(String(n), 'one');
  await table.pass(50.5 * SECOND);
  expect(table.rows.size).toBe(50);
  await table.pass(50 * SECOND);
  expect(table.rows.size).toBe(0);
  expect(table.wrong).toEqual([]);
});

test('a retry that waits in another lane wakes that lane', async () => {
  const table = new JobTable(async (job, its) => {
    if (job.tries > 0) return DONE;
    const nextAt = its.environment.now() + SECOND;
    return {
      verdict: { health: 'down', later: nextAt, lane: 'two' },
      row: { ...job, lane: 'two', nextAt, tries: 1 },
    };
  });
  table.add('a', 'one');
  await table.pass(2 * SECOND);
  expect(table.begun.map(({ lane }) => lane)).toEqual(['one', 'two']);
});

test('five failures in a row open the breaker; then one piece at a time is tried, after 1 s, 2 s … 30 s', async () => {
  const table = new JobTable(async (job, its) => retryIn(job, its, 3_600 * SECOND), { concurrency: () => 1 });
  for (let n = 0; n < 30; n++) table.add(`job${n}`, 'dead');
  await table.pass(0);
  expect(table.begun).toHaveLength(5);
  expect(table.lanes.isBroken('dead')).toBe(true);
  expect(table.lanes.brokenLanes).toEqual(['dead']);
  expect(table.lanes.depth.queued).toBe(0);
  const tries: number[] = [];
  for (let second = 1; second <= 130; second++) {
    const before = table.begun.length;
    await table.pass(SECOND);
    for (let n = before; n < table.begun.length; n++) tries.push(second);
  }
  // Each try ends a millisecond or two after its second has begun, for the read.
  expect(tries.map((second) => second - 1)).toEqual([1, 3, 7, 15, 31, 61, 91, 121]);
});

test('one success closes the breaker and the whole lane goes on', async () => {
  let up = false;
  const table: JobTable = new JobTable(async (job, its) => (up ? DONE : retryIn(job, its, 10)));
  for (let n = 0; n < 500; n++) table.add(`job${n}`, 'host');
  await table.pass(SECOND);
  expect(table.rows.size).toBe(500);
  up = true;
  await table.pass(3 * SECOND);
  expect(table.rows.size).toBe(0);
  expect(table.lanes.isBroken('host')).toBe(false);
});

test('a success that comes late closes the breaker for good', async () => {
  const table: JobTable = new JobTable(
    async (job, its) => {
      if (job.id !== 'late') return retryIn(job, its, MINUTE);
      await its.takes(500);
      return DONE;
    },
    { concurrency: () => 10 },
  );
  table.add('late', 'host');
  for (let n = 0; n < 5; n++) table.add(`job${n}`, 'host');
  await table.pass(100);
  expect(table.lanes.isBroken('host')).toBe(true);
  await table.pass(500);
  expect(table.lanes.isBroken('host')).toBe(false);
  await table.pass(2 * SECOND);
  expect(table.lanes.isBroken('host')).toBe(false);
});

test('a dead lane neither delays another nor fills the memory', async () => {
  const table = new JobTable((job, its) =>
    job.lane === 'dead' ? its.takes(5 * SECOND).then(() => retryIn(job, its, MINUTE)) : doneAfter(1, its),
  );
  let most = 0;
  for (let n = 0; n < 10_000; n++) {
    table.add(`dead${n}`, 'dead');
    most = Math.max(most, table.lanes.depth.queued);
  }
  expect(most).toBeLessThanOrEqual(512);
  for (let n = 0; n < 100; n++) table.add(`live${n}`, 'live');
  await table.pass(SECOND);
  expect(table.begunIn('live')).toHaveLength(100);
  await table.pass(30 * SECOND);
  expect(table.lanes.depth.queued).toBeLessThanOrEqual(1);
  expect(table.wrong).toEqual([]);
});

test('dead lanes with nothing left to do lock no other out, and count as whole until they fail again', async () => {
  const table = new JobTable(
    async (job, its) =>
      job.tries < 2 ? retryIn(job, its, MINUTE) : { verdict: { health: 'down' }, row: null },
    { maxLanes: 4 },
  );
  // Were a broken lane kept for ever, four dead hosts would lock out all others.
  for (let host = 0; host < 12; host++) {
    for (let n = 0; n < 6; n++) table.add(`job${host}.${n}`, `host${host}`);
  }
  await table.pass(60 * MINUTE);
  expect(table.rows.size).toBe(0);
  expect(table.lanes.brokenLanes).toEqual([]);
  expect(table.environment.pending).toBe(0);
});

test('a dead lane that gets one piece at a time has its breaker opened all the same', async () => {
  const table = new JobTable(async () => ({ verdict: { health: 'down' }, row: null }));
  for (let n = 0; n < 4; n++) {
    table.add(`job${n}`, 'dead');
    await table.pass(SECOND);
  }
  expect(table.lanes.isBroken('dead')).toBe(false);
  table.add('fifth', 'dead');
  await table.pass(0);
  expect(table.lanes.isBroken('dead')).toBe(true);
  await table.pass(SECOND + 10);
  expect(table.lanes.isBroken('dead')).toBe(false);
  table.add('sixth', 'dead');
  await table.pass(10);
  expect(table.lanes.isBroken('dead')).toBe(true);
});

test('work of more lanes than memory has place for waits in its rows and is done in time', async () => {
  const table = new JobTable(
    async (job, its) => (job.tries === 0 ? retryIn(job, its, 30 * SECOND, 'up') : DONE),
    {
      maxLanes: 10,
    },
  );
  for (let n = 0; n < 200; n++) table.add(`job${n}`, `lane${n}`);
  await table.pass(25 * SECOND);
  expect(table.begun.length).toBe(200);
  await table.pass(60 * SECOND);
  expect(table.rows.size).toBe(0);
  expect(table.wrong).toEqual([]);
});

test('busy lanes in all places keep further lanes waiting, not out', async () => {
  const table = new JobTable((_, its) => doneAfter(2 * SECOND, its), { maxLanes: 4 });
  for (let n = 0; n < 12; n++) table.add(`job${n}`, `lane${n}`);
  expect(table.begun).toHaveLength(4);
  await table.pass(10 * SECOND);
  expect(table.rows.size).toBe(0);
});

test('rows that wait from before the start are found, those due later in their time', async () => {
  const table = new JobTable(async () => DONE);
  const now = table.environment.now();
  for (let n = 0; n < 1_500; n++) table.write(`due${n}`, `lane${n % 3}`, now - n);
  table.write('later', 'lane0', now + MINUTE);
  table.write('much later', 'lonely', now + 10 * MINUTE);
  await Promise.all([table.lanes.refill(), table.pass(5 * SECOND)]);
  expect([...table.rows.keys()].sort()).toEqual(['later', 'much later']);
  await table.pass(MINUTE);
  expect([...table.rows.keys()]).toEqual(['much later']);
  await table.pass(10 * MINUTE);
  expect(table.rows.size).toBe(0);
});

test('a start with thousands of lanes does not ask for all rows at once', async () => {
  const table = new JobTable(async () => DONE);
  for (let n = 0; n < 3_000; n++) table.write(`job${n}`, `lane${n}`, table.environment.now());
  await Promise.all([table.lanes.refill(), table.pass(2 * SECOND)]);
  expect(table.rows.size).toBe(0);
  expect(table.mostReadsAtOnce).toBeLessThanOrEqual(8);
});

test('rows written while rows are being looked for are found by the look that was asked for meanwhile', async () => {
  const table = new JobTable(async () => DONE);
  table.readTime = 100;
  const first = table.lanes.refill();
  table.write('taken over', 'one', table.environment.now());
  const second = table.lanes.refill();
  await Promise.all([first, second, table.pass(SECOND)]);
  expect(table.rows.size).toBe(0);
});

test('a database that is away is asked again, and nothing is lost', async () => {
  const table = new JobTable(async () => DONE, { window: 4, concurrency: () => 1 });
  table.away = true;
  for (let n = 0; n < 50; n++) table.add(`job${n}`, 'one');
  table.write('unknown', 'two', table.environment.now());
  void table.lanes.refill();
  await table.pass(10 * SECOND);
  expect(table.rows.size).toBeGreaterThan(40);
  expect(table.errors.length).toBeGreaterThan(5);
  expect(table.reads).toBeLessThan(30);
  table.away = false;
  await table.pass(2 * SECOND);
  expect(table.rows.size).toBe(0);
});

test('work is not begun while the node does not own it, and goes on when it does again', async () => {
  const table = new JobTable((_, its) => doneAfter(1, its), { concurrency: () => 1 });
  for (let n = 0; n < 10; n++) table.add(`job${n}`, 'one');
  table.owned = false;
  await table.pass(20 * SECOND);
  expect(table.begun).toHaveLength(1);
  expect(table.reads).toBeLessThan(30);
  table.owned = true;
  await table.pass(2 * SECOND);
  expect(table.rows.size).toBe(0);
});

test('what is dropped before it begins is not begun, though a read may still have seen its row', async () => {
  const table = new JobTable((_, its) => doneAfter(10, its), { concurrency: () => 1, window: 4 });
  for (let n = 0; n < 12; n++) table.add(`job${n}`, 'one');
  const drop = (id: string) => {
    table.rows.delete(id);
    table.lanes.drop(id);
  };
  drop('job1');
  // The read that fetches what did not fit has begun when the second of these is dropped.
  await table.pass(20);
  drop('job9');
  await table.pass(SECOND);
  expect(table.begun.map(({ id }) => id)).not.toContain('job1');
  expect(table.begun.map(({ id }) => id)).not.toContain('job9');
  expect(table.rows.size).toBe(0);
  expect(table.wrong).toEqual([]);
});

test('what is dropped and offered anew is begun once', async () => {
  const table = new JobTable((_, its) => doneAfter(10, its), { concurrency: () => 1 });
  table.add('first', 'one');
  table.add('again', 'one');
  table.lanes.drop('again');
  table.add('again', 'one');
  await table.pass(SECOND);
  expect(table.begun.map(({ id }) => id)).toEqual(['first', 'again']);
  expect(table.wrong).toEqual([]);
});

test('what is in flight when it is dropped is finished, and not begun again', async () => {
  const table: JobTable = new JobTable((_, its) => doneAfter(10, its));
  table.add('a', 'one');
  table.lanes.offer({ ...table.rows.get('a')!, tries: 1 });
  table.lanes.drop('a');
  await table.pass(SECOND);
  expect(table.begun).toHaveLength(1);
});

test('a piece whose result cannot be recorded is not tried again and holds nothing up', async () => {
  const table = new JobTable(
    async (job) => (job.id.startsWith('bad') ? { verdict: { health: 'up', stuck: true } } : DONE),
    { window: 8 },
  );
  for (let n = 0; n < 6; n++) table.add(`bad${n}`, 'one');
  for (let n = 0; n < 100; n++) table.add(`good${n}`, 'one');
  await table.pass(MINUTE);
  table.lanes.offer(table.rows.get('bad0')!);
  await table.pass(MINUTE);
  expect(table.rows.size).toBe(6);
  expect(table.begun).toHaveLength(106);
  expect(table.reads).toBeLessThan(60);
});

test('a piece that throws is reported and not tried again', async () => {
  const table = new JobTable(async () => {
    throw new Error('a defect');
  });
  table.add('a', 'one');
  await table.pass(MINUTE);
  expect(table.begun).toHaveLength(1);
  expect(table.errors).toHaveLength(1);
});

test('a postponed piece is left alone for its time although its row is due', async () => {
  const table: JobTable = new JobTable(
    async (job, its) => {
      const first = its.begun.filter(({ id }) => id === job.id).length === 1;
      if (!job.id.startsWith('postponed') || !first) return DONE;
      return { verdict: { health: 'unknown', postponed: its.environment.now() + 10 * SECOND } };
    },
    { window: 8, concurrency: () => 1 },
  );
  for (let n = 0; n < 5; n++) table.add(`postponed${n}`, 'one');
  for (let n = 0; n < 50; n++) table.add(`job${n}`, 'one');
  await table.pass(9 * SECOND);
  expect(table.begun).toHaveLength(55);
  expect(table.rows.size).toBe(5);
  await table.pass(2 * SECOND);
  expect(table.begun).toHaveLength(60);
  expect(table.rows.size).toBe(0);
  expect(table.wrong).toEqual([]);
});

test('ever more pieces that are to be left alone slow their lane down instead of filling the memory', async () => {
  const table = new JobTable(async () => ({ verdict: { health: 'up', stuck: true } }), { window: 8 });
  for (let n = 0; n < 1_000; n++) table.add(`job${n}`, 'one');
  await table.pass(MINUTE);
  expect(table.begun.length).toBeLessThan(80);
  expect(table.reads).toBeLessThan(160);
});

test('closing begins nothing more and waits for what is in flight', async () => {
  const table = new JobTable((_, its) => doneAfter(100, its), { concurrency: () => 1 });
  for (let n = 0; n < 3; n++) table.add(`job${n}`, 'one');
  let closed = false;
  void table.lanes.close().then(() => {
    closed = true;
  });
  table.add('too late', 'one');
  await table.pass(99);
  expect(closed).toBe(false);
  await table.pass(MINUTE);
  expect(closed).toBe(true);
  expect(table.begun).toHaveLength(1);
  expect(table.rows.size).toBe(3);
  expect(table.environment.pending).toBe(0);
});

const SEEDS = 150;

test(`whatever happens in whichever order, nothing is lost, doubled or begun early (${SEEDS} seeds)`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const complaint = await randomRun(seed);
    expect(complaint, `seed ${seed}`).toBeNull();
  }
});

/** A random life of lanes: hosts that come and go, an unsteady database, drops, lost ownership. */
async function randomRun(seed: number): Promise<string | null> {
  const next = randomNumbers(seed);
  const below = (bound: number) => next() % bound;
  const hosts = 1 + below(8);
  const downUntil = Array.from({ length: hosts }, () => 0);
  let calm = false;
  const bounds = { window: 1 + below(16), maxInMemory: 1 + below(40), maxLanes: 1 + below(10) };
  const inFlight = 1 + below(4);
  const table: JobTable = new JobTable(
    async (job, its, onAnswered) => {
      await its.takes(below(200));
      if (below(2) === 0) {
        onAnswered();
        await its.takes(below(200));
      }
      const host = Number(job.lane);
      if (its.environment.now() < downUntil[host]!) return retryIn(job, its, 1 + below(60_000));
      const roll = calm ? 9 : below(10);
      if (roll === 0) return retryIn(job, its, 1 + below(60_000), 'up');
      if (roll === 1)
        return { verdict: { health: 'unknown', postponed: its.environment.now() + below(20_000) } };
      if (roll === 2) {
        const lane = String(below(hosts));
        const nextAt = its.environment.now() + below(5_000);
        const row = { ...job, lane, nextAt, tries: job.tries + 1 };
        return { verdict: { health: 'up', later: nextAt, lane }, row };
      }
      return DONE;
    },
    { ...bounds, concurrency: () => inFlight, maxInFlight: inFlight + below(10), seed },
  );
  let added = 0;
  for (let step = 0; step < 120; step++) {
    table.readTime = below(50);
    for (let n = below(12); n > 0; n--) table.add(`job${added++}`, String(below(hosts)));
    if (below(10) === 0) downUntil[below(hosts)] = table.environment.now() + below(90_000);
    if (below(15) === 0) table.away = !table.away;
    if (below(20) === 0) table.owned = !table.owned;
    if (below(10) === 0) void table.lanes.refill();
    if (below(4) === 0 && added > 0) {
      const id = `job${below(added)}`;
      if (!table.inFlight.has(id)) table.rows.delete(id);
      table.lanes.drop(id);
    }
    if (table.lanes.depth.queued > bounds.maxInMemory + bounds.maxLanes) return 'too much in memory';
    await table.pass(below(500));
  }
  calm = true;
  table.away = false;
  table.owned = true;
  // Breakers, retries and postponements are all over after a while.
  await table.pass(10 * MINUTE);
  if (table.wrong.length > 0) return table.wrong[0]!;
  if (table.rows.size > 0) return `${table.rows.size} of ${added} never done`;
  const { inFlight: flying, queued } = table.lanes.depth;
  if (flying + queued > 0) return `${flying} in flight and ${queued} queued after all was done`;
  return table.environment.pending === 0 ? null : 'timers left over';
}

test('a piece that was read and begun before its offer came is not begun again by it', async () => {
  const table: JobTable = new JobTable((_, its) => doneAfter(100, its));
  table.write('a', 'one', table.environment.now());
  void table.lanes.refill();
  await table.pass(10);
  expect(table.begun).toHaveLength(1);
  table.lanes.offer(table.rows.get('a')!);
  await table.pass(MINUTE);
  expect(table.begun).toHaveLength(1);
  expect(table.wrong).toEqual([]);
});
