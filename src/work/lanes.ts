import type { Environment, Timer } from '../environment.js';

/**
 * How one piece of work ended. `health` says whether the other side answered at all: enough `down` in a row
 * opens the lane's breaker. `later`: its row is due again at that wall-clock time. `stuck`: its result cannot
 * be recorded, so it must not be tried again by this process.
 */
export interface Verdict {
  readonly health: 'up' | 'down' | 'unknown';
  readonly later?: number;
  readonly stuck?: boolean;
}

/** Rows of a lane that are due, and when the next one will be (null: none). */
export interface DueWork<Item> {
  readonly items: readonly Item[];
  readonly nextAt: number | null;
}

export interface LanesOptions<Item> {
  readonly environment: Environment;
  readonly keyOf: (item: Item) => string;
  readonly laneOf: (item: Item) => string;
  /** Does the work and records how it ended. */
  readonly perform: (item: Item) => Promise<Verdict>;
  /** Reads due rows of a lane, earliest first. */
  readonly due: (lane: string, now: number, limit: number) => Promise<DueWork<Item>>;
  /** Reads which lanes have rows, and when the earliest of each is due. */
  readonly lanes: () => Promise<readonly { readonly lane: string; readonly nextAt: number }[]>;
  /** Whether this node still owns its work; asked before each piece of it. */
  readonly holds: () => boolean;
  /** Told of an error that `perform`, `due` or `lanes` threw. */
  readonly onError: (error: unknown) => void;
  /** Most pieces of one lane at a time. */
  readonly concurrency: (lane: string) => number;
  /** Most pieces of all lanes at a time. */
  readonly maxInFlight: number;
  /** Most pieces that wait in memory, per lane and in all; the rest waits in its rows. */
  readonly window?: number;
  readonly maxInMemory?: number;
  /** Most lanes at a time; the work of further ones waits in its rows. */
  readonly maxLanes?: number;
}

/** `down` verdicts in a row that open a breaker, and how long it stays open: doubling from first to last. */
const BREAKER_THRESHOLD = 5;
const BREAKER_FIRST = 1_000;
const BREAKER_LAST = 30_000;
/** Wait before the database is asked again after it failed to answer, in milliseconds. */
const READ_RETRY = 1_000;

interface Lane<Item> {
  readonly name: string;
  queue: Item[];
  inFlight: number;
  /** In the ring of lanes that can start a piece now. */
  ringed: boolean;
  /** Rows that are due may exist that are not in memory. */
  spilled: boolean;
  /** Set while rows are read: the keys that ended meanwhile, whose rows may have been read as still due. */
  reading: Set<string> | null;
  wakeAt: number | null;
  timer: Timer | null;
  downs: number;
  breaker: 'closed' | 'open' | 'half-open';
  openFor: number;
}

/**
 * Durable work that a node does from memory, in fair lanes: one lane a carrier, or a host. Every piece is a row
 * first; memory holds a window of what is due. A lane whose other side is down waits in its rows behind a
 * breaker and never holds up another. Nothing polls: work arrives by `offer`, and a lane reads rows only when
 * it spilled some or when a retry falls due.
 */
export class Lanes<Item> {
  readonly #options: Required<LanesOptions<Item>>;
  readonly #lanes = new Map<string, Lane<Item>>();
  readonly #ring: Lane<Item>[] = [];
  /** Pieces in memory by key; a value is what was offered again while the piece was in flight. */
  readonly #held = new Map<string, 'queued' | 'in flight' | { readonly again: Item }>();
  readonly #dropped = new Set<string>();
  #inFlight = 0;
  #queued = 0;
  #unlaned = false;
  #closed = false;
  #idle: (() => void) | null = null;
  #retryLanes: Timer | null = null;

  constructor(options: LanesOptions<Item>) {
    this.#options = { window: 512, maxInMemory: 10_000, maxLanes: 10_000, ...options };
  }

  /** Pieces being done, and waiting in memory. */
  get depth(): { readonly inFlight: number; readonly queued: number } {
    return { inFlight: this.#inFlight, queued: this.#queued };
  }

  /** Lanes whose breaker is not closed. */
  get brokenLanes(): string[] {
    return [...this.#lanes.values()].filter((lane) => lane.breaker !== 'closed').map((lane) => lane.name);
  }

  isBroken(lane: string): boolean {
    return (this.#lanes.get(lane)?.breaker ?? 'closed') !== 'closed';
  }

  /** Takes on a piece of work whose row is durable and due. */
  offer(item: Item): void {
    if (this.#closed) return;
    const lane = this.#laneNamed(this.#options.laneOf(item));
    if (!lane) {
      this.#unlaned = true;
      return;
    }
    const key = this.#options.keyOf(item);
    const held = this.#held.get(key);
    if (held === 'queued') return;
    if (held !== undefined) {
      this.#held.set(key, { again: item });
      return;
    }
    if (lane.spilled || lane.breaker !== 'closed' || !this.#hasRoom(lane)) lane.spilled = true;
    else this.#enqueue(lane, item, key);
    this.#advance(lane);
  }

  /** Forgets a piece that is no longer wanted, if it was not begun. */
  drop(key: string): void {
    if (this.#held.get(key) !== 'queued') return;
    this.#held.delete(key);
    this.#dropped.add(key);
  }

  /** Looks for rows that wait: at the start, and after rows of dead nodes were taken over. */
  async refill(): Promise<void> {
    if (this.#closed) return;
    this.#unlaned = false;
    try {
      for (const { lane: name, nextAt } of await this.#options.lanes()) {
        const lane = this.#laneNamed(name);
        if (!lane) {
          this.#unlaned = true;
          break;
        }
        if (nextAt <= this.#options.environment.now()) lane.spilled = true;
        else this.#wake(lane, nextAt);
        this.#advance(lane);
      }
    } catch (error) {
      this.#options.onError(error);
      this.#retryLanes ??= this.#options.environment.after(READ_RETRY, () => {
        this.#retryLanes = null;
        void this.refill();
      });
    }
  }

  /** Begins nothing more; resolves when what is in flight has ended. Rows that wait stay for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retryLanes?.cancel();
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #laneNamed(name: string): Lane<Item> | null {
    let lane = this.#lanes.get(name);
    if (!lane) {
      if (this.#lanes.size >= this.#options.maxLanes) return null;
      lane = {
        name,
        queue: [],
        inFlight: 0,
        ringed: false,
        spilled: false,
        reading: null,
        wakeAt: null,
        timer: null,
        downs: 0,
        breaker: 'closed',
        openFor: BREAKER_FIRST,
      };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #hasRoom(lane: Lane<Item>): boolean {
    return lane.queue.length < this.#options.window && this.#queued < this.#options.maxInMemory;
  }

  #enqueue(lane: Lane<Item>, item: Item, key: string): void {
    this.#dropped.delete(key);
    this.#held.set(key, 'queued');
    lane.queue.push(item);
    this.#queued++;
  }

  /** Does for a lane what its state allows: start work, read rows, or be forgotten when nothing is left. */
  #advance(lane: Lane<Item>): void {
    if (this.#closed) return;
    if (this.#wantsRows(lane)) void this.#read(lane);
    if (this.#canStart(lane) && !lane.ringed) {
      lane.ringed = true;
      this.#ring.push(lane);
    }
    this.#pump();
    this.#forgetIfIdle(lane);
  }

  #canStart(lane: Lane<Item>): boolean {
    if (lane.queue.length === 0 || lane.breaker === 'open') return false;
    return lane.inFlight < (lane.breaker === 'half-open' ? 1 : this.#options.concurrency(lane.name));
  }

  #wantsRows(lane: Lane<Item>): boolean {
    if (!lane.spilled || lane.reading || lane.breaker === 'open') return false;
    if (lane.breaker === 'half-open') return lane.queue.length === 0 && lane.inFlight === 0;
    return lane.queue.length <= this.#options.window / 4 && this.#queued < this.#options.maxInMemory;
  }

  /** Starts pieces, one of each lane in turn. */
  #pump(): void {
    while (!this.#closed && this.#inFlight < this.#options.maxInFlight && this.#ring.length > 0) {
      const lane = this.#ring.shift()!;
      lane.ringed = false;
      if (!this.#canStart(lane)) continue;
      const item = lane.queue.shift()!;
      this.#queued--;
      const key = this.#options.keyOf(item);
      if (this.#dropped.delete(key)) {
        this.#advanceLater(lane);
      } else if (!this.#options.holds()) {
        // The work is another node's by now; its rows say so.
        this.#held.delete(key);
        this.#advanceLater(lane);
      } else {
        void this.#start(lane, item, key);
      }
      if (this.#canStart(lane) && !lane.ringed) {
        lane.ringed = true;
        this.#ring.push(lane);
      }
    }
  }

  #advanceLater(lane: Lane<Item>): void {
    queueMicrotask(() => this.#advance(lane));
  }

  async #start(lane: Lane<Item>, item: Item, key: string): Promise<void> {
    this.#held.set(key, 'in flight');
    lane.inFlight++;
    this.#inFlight++;
    let verdict: Verdict;
    try {
      verdict = await this.#options.perform(item);
    } catch (error) {
      this.#options.onError(error);
      verdict = { health: 'unknown', stuck: true };
    }
    lane.inFlight--;
    this.#inFlight--;
    const held = this.#held.get(key);
    if (!verdict.stuck) this.#held.delete(key);
    lane.reading?.add(key);
    this.#judge(lane, verdict.health);
    if (verdict.later !== undefined) this.#wake(lane, verdict.later);
    if (typeof held === 'object') this.offer(held.again);
    this.#advance(lane);
    if (this.#unlaned && this.#lanes.size < this.#options.maxLanes / 2) void this.refill();
    if (this.#inFlight === 0) this.#idle?.();
  }

  #judge(lane: Lane<Item>, health: Verdict['health']): void {
    if (health === 'up') {
      lane.downs = 0;
      lane.openFor = BREAKER_FIRST;
      lane.breaker = 'closed';
    } else if (health === 'down' && lane.breaker !== 'open') {
      lane.downs++;
      if (lane.breaker === 'half-open' || lane.downs >= BREAKER_THRESHOLD) this.#open(lane);
    }
  }

  /** Lets go of the lane's memory and tries one piece of it after a while. */
  #open(lane: Lane<Item>): void {
    lane.breaker = 'open';
    lane.spilled = true;
    for (const item of lane.queue) {
      const key = this.#options.keyOf(item);
      this.#dropped.delete(key);
      this.#held.delete(key);
    }
    this.#queued -= lane.queue.length;
    lane.queue = [];
    this.#options.environment.after(lane.openFor, () => {
      lane.breaker = 'half-open';
      this.#advance(lane);
    });
    lane.openFor = Math.min(lane.openFor * 2, BREAKER_LAST);
  }

  #wake(lane: Lane<Item>, at: number): void {
    if (this.#closed || (lane.wakeAt !== null && lane.wakeAt <= at)) return;
    lane.timer?.cancel();
    lane.wakeAt = at;
    lane.timer = this.#options.environment.after(at - this.#options.environment.now(), () => {
      lane.timer = null;
      lane.wakeAt = null;
      lane.spilled = true;
      this.#advance(lane);
    });
  }

  async #read(lane: Lane<Item>): Promise<void> {
    const ended = new Set<string>();
    lane.reading = ended;
    lane.spilled = false;
    const room = lane.breaker === 'half-open' ? 1 : this.#options.window;
    const limit = room + lane.inFlight + lane.queue.length;
    try {
      const { items, nextAt } = await this.#options.due(lane.name, this.#options.environment.now(), limit);
      if (this.#closed) return;
      if (items.length >= limit) lane.spilled = true;
      for (const item of items) {
        const key = this.#options.keyOf(item);
        if (ended.has(key) || this.#held.has(key)) continue;
        if (lane.breaker === 'open' || !this.#hasRoom(lane)) {
          lane.spilled = true;
          break;
        }
        this.#enqueue(lane, item, key);
      }
      if (nextAt !== null) this.#wake(lane, nextAt);
    } catch (error) {
      this.#options.onError(error);
      this.#wake(lane, this.#options.environment.now() + READ_RETRY);
    } finally {
      lane.reading = null;
    }
    this.#advance(lane);
  }

  #forgetIfIdle(lane: Lane<Item>): void {
    const busy = lane.queue.length > 0 || lane.inFlight > 0 || lane.spilled || lane.reading || lane.ringed;
    if (!busy && lane.wakeAt === null && lane.breaker === 'closed') this.#lanes.delete(lane.name);
  }
}
