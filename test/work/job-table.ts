import { type DueWork, Lanes, type LanesOptions, type Verdict } from '#work/lanes.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

export interface Job {
  readonly id: string;
  readonly lane: string;
  readonly nextAt: number;
  readonly tries: number;
}

/** How a simulated try ends, and what is written to its row. */
export interface Result {
  readonly verdict: Verdict;
  /** Null: done, the row goes. Absent: the row stays as it is. */
  readonly row?: Job | null;
}

/** Rows of work as a store would keep them, and lanes that do it in virtual time. */
export class JobTable {
  readonly environment: VirtualEnvironment;
  readonly rows = new Map<string, Job>();
  readonly lanes: Lanes<Job>;
  readonly begun: Job[] = [];
  readonly inFlight = new Set<string>();
  readonly errors: unknown[] = [];
  /** Jobs that were begun while they were in flight, or while they had no row that was due. */
  readonly wrong: string[] = [];
  reads = 0;
  readsAtOnce = 0;
  mostReadsAtOnce = 0;
  mostInFlight = 0;
  owned = true;
  away = false;
  /** Milliseconds of a read. */
  readTime = 1;
  readonly #perform: (job: Job, table: JobTable, onAnswered: () => void) => Promise<Result>;

  constructor(
    perform: (job: Job, table: JobTable, onAnswered: () => void) => Promise<Result>,
    options: Partial<LanesOptions<Job>> & { readonly seed?: number } = {},
  ) {
    this.#perform = perform;
    this.environment = new VirtualEnvironment({ seed: options.seed });
    this.lanes = new Lanes<Job>({
      environment: this.environment,
      keyOf: (job) => job.id,
      laneOf: (job) => job.lane,
      versionOf: (job) => job.tries,
      perform: (job, onAnswered) => this.#tryOnce(job, onAnswered),
      due: (lane, now, limit, skip) => this.#read(() => this.due(lane, now, limit, skip)),
      lanes: () => this.#read(() => this.lanesWithRows()),
      holds: () => this.owned,
      onError: (error) => this.errors.push(error),
      concurrency: () => 4,
      maxInFlight: 64,
      ...options,
    });
  }

  /** Writes a row and offers it, as a store does after a commit. */
  add(id: string, lane: string): void {
    this.write(id, lane, this.environment.now());
    this.lanes.offer(this.rows.get(id)!);
  }

  /** Writes a row of which the lanes are not told. */
  write(id: string, lane: string, nextAt: number): void {
    this.rows.set(id, { id, lane, nextAt, tries: 0 });
  }

  pass(milliseconds: number): Promise<void> {
    return this.environment.advance(milliseconds);
  }

  begunIn(lane: string): Job[] {
    return this.begun.filter((job) => job.lane === lane);
  }

  due(lane: string, now: number, limit: number, skip = 0): DueWork<Job> {
    const rows = [...this.rows.values()].filter((job) => job.lane === lane);
    const later = rows.filter((job) => job.nextAt > now).map((job) => job.nextAt);
    return {
      items: rows
        .filter((job) => job.nextAt <= now)
        .sort((a, b) => a.nextAt - b.nextAt)
        .slice(skip, skip + limit),
      nextAt: later.length > 0 ? Math.min(...later) : null,
    };
  }

  lanesWithRows(): { lane: string; nextAt: number }[] {
    const lanes = new Map<string, number>();
    for (const { lane, nextAt } of this.rows.values()) {
      lanes.set(lane, Math.min(nextAt, lanes.get(lane) ?? nextAt));
    }
    return [...lanes].map(([lane, nextAt]) => ({ lane, nextAt }));
  }

  async #tryOnce(job: Job, onAnswered: () => void): Promise<Verdict> {
    const row = this.rows.get(job.id);
    if (this.inFlight.has(job.id)) this.wrong.push(`${job.id} was begun twice at a time`);
    if (!row) this.wrong.push(`${job.id} was begun although it was done`);
    else if (row.nextAt > this.environment.now()) this.wrong.push(`${job.id} was begun before it was due`);
    this.inFlight.add(job.id);
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight.size);
    this.begun.push(job);
    try {
      const { verdict, row } = await this.#perform(job, this, onAnswered);
      if (row === null) this.rows.delete(job.id);
      else if (row) this.rows.set(job.id, row);
      return verdict;
    } finally {
      this.inFlight.delete(job.id);
    }
  }

  /** A read sees the rows as they are when it begins, and answers later. */
  async #read<Rows>(rows: () => Rows): Promise<Rows> {
    this.reads++;
    this.readsAtOnce++;
    this.mostReadsAtOnce = Math.max(this.mostReadsAtOnce, this.readsAtOnce);
    const seen = rows();
    const failed = this.away;
    await this.takes(this.readTime);
    this.readsAtOnce--;
    if (failed) throw new Error('the database is away');
    return seen;
  }

  takes(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.environment.after(milliseconds, resolve));
  }
}

export const DONE: Result = { verdict: { health: 'up' }, row: null };

/** The other side did not answer; the row is due again after a wait. */
export function retryIn(job: Job, table: JobTable, wait: number, health: Verdict['health'] = 'down'): Result {
  const nextAt = table.environment.now() + wait;
  return { verdict: { health, later: nextAt }, row: { ...job, nextAt, tries: job.tries + 1 } };
}
