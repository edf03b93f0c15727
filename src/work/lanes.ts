import type { Environment, Timer } from '../environment.js';

/**
 * How one piece of work ended. `health` says whether the other side answered at all: enough `down` in a row
 * opens the lane's breaker.
 */
export interface Verdict {
  readonly health: 'up' | 'down' | 'unknown';
  /** Its row, as recorded, is due again at that wall-clock time. */
  readonly later?: number;
  /** The lane that its row waits in now; absent: the one that it was in. */
  readonly lane?: string;
  /** Nothing could be done or recorded: leave its row, which is still due, alone until that wall-clock time. */
  readonly postponed?: number;
  /** Its result cannot be recorded, so it must not be tried again by this process. */
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
  /** Grows with each try of a piece: tells a further try from the one that is in flight. */
  readonly versionOf: (item: Item) => number;
  /**
   * Does the work and records how it ended. `onAnswered` is to be called, once, when the other side is done with the
   * piece and only the record is left: the next piece of the lane may begin. `onHealthy` may be called when the other side
   * has shown that it is well, though the piece goes on: whoever waits for that need not wait for its end.
   */
  readonly perform: (item: Item, onAnswered: () => void, onHealthy: () => void) => Promise<Verdict>;
  /**
   * The way round a broken lane for a piece of it: records that its row waits in another lane. Null: there is none now.
   * Absent: work waits for its lane.
   */
  readonly divert?: (item: Item) => (() => Promise<void>) | null;
  /** Reads due rows of a lane, earliest first, without the first `skip`. */
  readonly due: (lane: string, now: number, limit: number, skip: number) => Promise<DueWork<Item>>;
  /** Reads which lanes have rows, and when the earliest of each is due. */
  readonly lanes: () => Promise<readonly { readonly lane: string; readonly nextAt: number }[]>;
  /** Whether this node still owns its work; asked before each piece of it. */
  readonly holds: () => boolean;
  /** Told of an error that `perform`, `due` or `lanes` threw. */
  readonly onError: (error: unknown) => void;
  /** Most pieces of one lane that are with the other side at a time. */
  readonly concurrency: (lane: string) => number;
  /** Most pieces of one lane whose answer came and whose record did not; past it they count as with the other side. */
  readonly maxRecording?: number;
  /** Most pieces of all lanes at a time. */
  readonly maxInFlight: number;
  /** Most pieces of one lane that wait in memory; the rest waits in its rows. */
  readonly window?: number;
  /** Most pieces of all lanes that wait in memory; beyond it a lane may still hold one, so that none starves. */
  readonly maxInMemory?: number;
  /** Most lanes at a time; the work of further ones waits in its rows. */
  readonly maxLanes?: number;
}

/** `down` verdicts in a row that open a breaker, and how long it stays open: doubling from first to last. */
const BREAKER_THRESHOLD = 5;
const BREAKER_FIRST = 1_000;
const BREAKER_LAST = 30_000;
/** Wait before the database is asked again after it could not answer or have more, in milliseconds. */
const READ_RETRY = 1_000;
/** Most lanes whose rows are read at a time: a start finds thousands of lanes with due rows at once. */
const MAX_READS = 8;
/** Rows of a broken lane that are read at a time to be diverted; behind so many that stay, others stay too. */
const SWEEP_PAGE = 256;
const SWEEP_PAST = 50_000;
/** Wait before a piece is looked at again that could not be diverted, in milliseconds. */
const DIVERT_RETRY = 5_000;
/** Longest timer: past it rows are looked at again, so that a clock set back delays work by no more than this. */
const MAX_WAKE = 3_600_000;

/** A piece of work in memory. */
interface Piece<Item> {
  readonly item: Item;
  readonly key: string;
  inFlight: boolean;
  /** No longer wanted; passed over when its turn comes. */
  dropped: boolean;
  /** What was offered again while the piece was in flight. */
  again: Item | null;
}

interface Lane<Item> {
  readonly name: string;
  queue: Piece<Item>[];
  inFlight: number;
  /** Those of them that have been answered and are being recorded. */
  recording: number;
  /** In the ring of lanes that can start a piece now. */
  ringed: boolean;
  /** Rows that are due may exist that are not in memory. */
  spilled: boolean;
  /** In line for a read of its rows. */
  inLine: boolean;
  /** Set while rows are read: the keys that ended meanwhile, whose rows may have been read as still due. */
  reading: Set<string> | null;
  /** Rows that the last read met in vain: their work is in memory, in another lane. */
  elsewhere: number;
  /** Keys whose rows are due and to be left alone, each until a time. */
  readonly aside: Map<string, number>;
  wakeAt: number | null;
  timer: Timer | null;
  downs: number;
  breaker: 'closed' | 'open' | 'half-open';
  breakerTimer: Timer | null;
  openFor: number;
  /** Pieces that are being moved to other lanes. */
  diverting: number;
  /** Its rows are being gone through for pieces that have another way. */
  sweeping: boolean;
  /** Once more after that. */
  sweepAgain: boolean;
}

/**
 * Durable work that a node does from memory, in fair lanes: one lane a carrier, or a host. Every piece is a row
 * first; memory holds a window of what is due. A lane whose other side is down waits in its rows behind a
 * breaker and never holds up another. Nothing polls: work arrives by `offer`, and a lane reads rows only when
 * it spilled some or when a retry falls due.
 */
export class Lanes<Item> {
  readonly #options: Required<Omit<LanesOptions<Item>, 'divert'>> & Pick<LanesOptions<Item>, 'divert'>;
  readonly #lanes = new Map<string, Lane<Item>>();
  /** Lanes with nothing to do before their timer; the longest-waiting give way when there are too many. */
  readonly #resting = new Set<Lane<Item>>();
  readonly #ring: Lane<Item>[] = [];
  readonly #readLine: Lane<Item>[] = [];
  readonly #reading = new Set<Lane<Item>>();
  /** Pieces in memory by key. */
  readonly #held = new Map<string, Piece<Item> | 'aside'>();
  #inFlight = 0;
  #queued = 0;
  #aside = 0;
  /** Work exists in lanes that there was no place for. */
  #unlaned = false;
  #closed = false;
  #idle: (() => void) | null = null;
  #refill: { readonly at: number; readonly timer: Timer } | null = null;
  #refilling: Promise<void> | null = null;
  #refillAgain = false;

  constructor(options: LanesOptions<Item>) {
    this.#options = { window: 512, maxInMemory: 10_000, maxLanes: 10_000, maxRecording: 256, ...options };
  }

  /** Pieces being done, and waiting in memory. */
  get depth(): { readonly inFlight: number; readonly queued: number } {
    return { inFlight: this.#inFlight, queued: this.#queued };
  }

  /** Lanes that would not begin another piece now, because their other side is down. */
  get brokenLanes(): string[] {
    return [...this.#lanes.keys()].filter((name) => this.isBroken(name));
  }

  /** A half-open lane with no piece to try is not broken: the next one is its probe. */
  isBroken(name: string): boolean {
    const lane = this.#lanes.get(name);
    if (!lane || lane.breaker === 'closed') return false;
    return lane.breaker === 'open' || lane.inFlight > 0 || lane.queue.length > 0 || lane.spilled;
  }

  /** Whether nothing is known against a lane: work may be diverted to it. */
  isHealthy(name: string): boolean {
    return (this.#lanes.get(name)?.breaker ?? 'closed') === 'closed';
  }

  /** How a lane's breaker stands; it is closed on one that has nothing to do. */
  breakerOf(name: string): 'closed' | 'open' | 'half-open' {
    return this.#lanes.get(name)?.breaker ?? 'closed';
  }

  /** Takes on a piece of work whose row is durable and due. */
  offer(item: Item): void {
    if (this.#closed) return;
    const key = this.#options.keyOf(item);
    const held = this.#held.get(key);
    if (held !== undefined) {
      // The row may have been read before its offer came: only a further try is news.
      const { versionOf } = this.#options;
      if (held !== 'aside' && held.inFlight && versionOf(item) > versionOf(held.item)) held.again = item;
      return;
    }
    const lane = this.#laneNamed(this.#options.laneOf(item));
    if (!lane) {
      this.#unlaned = true;
      return;
    }
    if (this.isBroken(lane.name) && this.#divert(lane, item, key)) return;
    if (lane.spilled || lane.breaker !== 'closed' || !this.#hasRoom(lane)) lane.spilled = true;
    else this.#enqueue(lane, item, key);
    this.#advance(lane);
  }

  /** Forgets a piece that is no longer wanted, if it was not begun. */
  drop(key: string): void {
    // A read that is under way may have seen the row as still due.
    for (const lane of this.#reading) lane.reading?.add(key);
    const held = this.#held.get(key);
    if (held === undefined || held === 'aside') return;
    if (held.inFlight) {
      held.again = null;
      return;
    }
    held.dropped = true;
    this.#held.delete(key);
  }

  /** Looks for rows that wait: at the start, and after rows of dead nodes were taken over. */
  refill(): Promise<void> {
    // A read that is under way may have begun before those rows were there.
    if (this.#refilling) this.#refillAgain = true;
    else this.#refilling = this.#readLanes();
    return this.#refilling;
  }

  /** Begins nothing more; resolves when what is in flight has ended. Rows that wait stay for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refill?.timer.cancel();
    for (const lane of this.#lanes.values()) {
      lane.timer?.cancel();
      lane.breakerTimer?.cancel();
    }
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #readLanes(): Promise<void> {
    do {
      this.#refillAgain = false;
      this.#unlaned = false;
      try {
        const lanes = this.#closed ? [] : await this.#options.lanes();
        for (const { lane, nextAt } of lanes) this.#wakeNamed(lane, nextAt);
      } catch (error) {
        if (this.#closed) break;
        this.#options.onError(error);
        this.#refillBy(this.#now + READ_RETRY);
      }
    } while (this.#refillAgain && !this.#closed);
    this.#refilling = null;
  }

  /** Wakes a lane when its rows are due. One that cannot be kept until then is looked up again at that time. */
  #wakeNamed(name: string, at: number): void {
    if (this.#closed) return;
    const due = at <= this.#now;
    const mayMakeRoom = due || this.#lanes.size < this.#options.maxLanes;
    const lane = this.#lanes.get(name) ?? (mayMakeRoom ? this.#laneNamed(name) : null);
    if (!lane) {
      if (due) this.#unlaned = true;
      else this.#refillBy(at);
      return;
    }
    if (due) this.#spill(lane);
    else this.#wake(lane, at);
    this.#advance(lane);
  }

  /** Rows of the lane are due. */
  #spill(lane: Lane<Item>): void {
    lane.spilled = true;
    if (lane.breaker !== 'closed') void this.#sweep(lane);
  }

  /** Reads all lanes anew at a time, or at an earlier one if that was asked for. */
  #refillBy(at: number): void {
    if (this.#closed || (this.#refill && this.#refill.at <= at)) return;
    this.#refill?.timer.cancel();
    const timer = this.#options.environment.after(this.#until(at), () => {
      this.#refill = null;
      void this.refill();
    });
    this.#refill = { at, timer };
  }

  get #now(): number {
    return this.#options.environment.now();
  }

  #until(at: number): number {
    return Math.min(at - this.#now, MAX_WAKE);
  }

  #laneNamed(name: string): Lane<Item> | null {
    let lane = this.#lanes.get(name);
    if (!lane) {
      if (this.#lanes.size >= this.#options.maxLanes && !this.#evictOne()) return null;
      lane = {
        name,
        queue: [],
        inFlight: 0,
        recording: 0,
        ringed: false,
        spilled: false,
        inLine: false,
        reading: null,
        elsewhere: 0,
        aside: new Map(),
        wakeAt: null,
        timer: null,
        downs: 0,
        breaker: 'closed',
        breakerTimer: null,
        openFor: BREAKER_FIRST,
        diverting: 0,
        sweeping: false,
        sweepAgain: false,
      };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  /** Makes room for a lane that has work now: one that only waits is looked up again when it is due. */
  #evictOne(): boolean {
    const [lane] = this.#resting;
    if (!lane) return false;
    lane.timer?.cancel();
    if (lane.wakeAt !== null) this.#refillBy(lane.wakeAt);
    this.#forget(lane);
    return true;
  }

  #forget(lane: Lane<Item>): void {
    this.#resting.delete(lane);
    this.#lanes.delete(lane.name);
  }

  #hasRoom(lane: Lane<Item>): boolean {
    if (lane.queue.length === 0) return true;
    return lane.queue.length < this.#options.window && this.#queued < this.#options.maxInMemory;
  }

  #enqueue(lane: Lane<Item>, item: Item, key: string): void {
    const piece: Piece<Item> = { item, key, inFlight: false, dropped: false, again: null };
    this.#held.set(key, piece);
    lane.queue.push(piece);
    this.#queued++;
  }

  /** Does for a lane what its state allows: start work, read rows, or be forgotten when nothing is left. */
  #advance(lane: Lane<Item>): void {
    if (this.#closed) return;
    this.#ringUp(lane);
    this.#pump();
    this.#lineUp(lane);
    this.#settle(lane);
  }

  #canStart(lane: Lane<Item>): boolean {
    if (lane.queue.length === 0 || lane.breaker === 'open') return false;
    // What the probe of a half-open lane found is known when it is recorded.
    if (lane.breaker === 'half-open') return lane.inFlight === 0;
    const answered = Math.min(lane.recording, this.#options.maxRecording);
    return lane.inFlight - answered < this.#options.concurrency(lane.name);
  }

  #ringUp(lane: Lane<Item>): void {
    if (lane.ringed || !this.#canStart(lane)) return;
    lane.ringed = true;
    this.#ring.push(lane);
  }

  /** Starts pieces, one of each lane in turn. */
  #pump(): void {
    while (!this.#closed && this.#inFlight < this.#options.maxInFlight && this.#ring.length > 0) {
      const lane = this.#ring.shift()!;
      lane.ringed = false;
      if (this.#canStart(lane)) {
        const piece = lane.queue.shift()!;
        this.#queued--;
        if (!piece.dropped) this.#begin(lane, piece);
        this.#ringUp(lane);
      }
      this.#lineUp(lane);
      this.#settle(lane);
    }
  }

  #begin(lane: Lane<Item>, piece: Piece<Item>): void {
    if (this.#options.holds()) {
      void this.#start(lane, piece);
      return;
    }
    // Another node's by now, or ours again soon: its row says so, when it is read after a while.
    this.#held.delete(piece.key);
    lane.spilled = false;
    this.#wake(lane, this.#now + READ_RETRY);
  }

  async #start(lane: Lane<Item>, piece: Piece<Item>): Promise<void> {
    const { item, key } = piece;
    piece.inFlight = true;
    lane.inFlight++;
    this.#inFlight++;
    let isAnswered = false;
    const onAnswered = () => {
      if (isAnswered) return;
      isAnswered = true;
      lane.recording++;
      this.#advance(lane);
    };
    const onHealthy = () => {
      this.#judge(lane, 'up');
      this.#advance(lane);
    };
    let verdict: Verdict;
    try {
      verdict = await this.#options.perform(item, onAnswered, onHealthy);
    } catch (error) {
      this.#options.onError(error);
      verdict = { health: 'unknown', stuck: true };
    }
    if (isAnswered) lane.recording--;
    lane.inFlight--;
    this.#inFlight--;
    this.#held.delete(key);
    lane.reading?.add(key);
    this.#judge(lane, verdict.health);
    if (verdict.stuck) this.#setAside(lane, key, Number.POSITIVE_INFINITY);
    else if (verdict.postponed !== undefined) this.#setAside(lane, key, verdict.postponed);
    else if (piece.again !== null) this.offer(piece.again);
    if (verdict.later !== undefined) {
      if (verdict.lane === undefined || verdict.lane === lane.name) this.#wake(lane, verdict.later);
      else this.#wakeNamed(verdict.lane, verdict.later);
    }
    this.#advance(lane);
    if (this.#inFlight === 0) this.#idle?.();
  }

  #setAside(lane: Lane<Item>, key: string, until: number): void {
    this.#held.set(key, 'aside');
    lane.aside.set(key, until);
    this.#aside++;
    if (until !== Number.POSITIVE_INFINITY) this.#wake(lane, until);
    // The memory of what to leave alone is bounded too: the lane slows down to one try per half-open breaker.
    const full = lane.aside.size >= this.#options.window || this.#aside >= this.#options.maxInMemory;
    if (full && lane.breaker !== 'open') this.#open(lane);
  }

  #judge(lane: Lane<Item>, health: Verdict['health']): void {
    if (health === 'up') {
      const recovered = lane.breaker !== 'closed';
      lane.downs = 0;
      lane.openFor = BREAKER_FIRST;
      lane.breaker = 'closed';
      lane.breakerTimer?.cancel();
      lane.breakerTimer = null;
      // What waits for another lane may have a way now.
      if (recovered && this.#options.divert) {
        for (const other of this.#lanes.values()) if (other.breaker === 'open') void this.#sweep(other);
      }
    } else if (health === 'down' && lane.breaker !== 'open') {
      lane.downs++;
      if (lane.breaker === 'half-open' || lane.downs >= BREAKER_THRESHOLD) this.#open(lane);
    }
  }

  /** Lets go of the lane's memory, moves what has another way, and tries one piece of the rest after a while. */
  #open(lane: Lane<Item>): void {
    lane.breaker = 'open';
    lane.spilled = true;
    const waiting = lane.queue.filter(({ dropped }) => !dropped);
    for (const { key } of waiting) this.#held.delete(key);
    this.#queued -= lane.queue.length;
    lane.queue = [];
    if (this.#closed) return;
    for (const { item, key } of waiting) this.#divert(lane, item, key);
    void this.#sweep(lane);
    lane.breakerTimer = this.#options.environment.after(lane.openFor, () => {
      lane.breakerTimer = null;
      lane.breaker = 'half-open';
      this.#advance(lane);
    });
    lane.openFor = Math.min(lane.openFor * 2, BREAKER_LAST);
  }

  /** Moves a piece to another lane, if there is a way and the work is ours. Its row says the rest. */
  #divert(lane: Lane<Item>, item: Item, key: string): Promise<void> | null {
    const move = this.#options.divert && this.#options.holds() ? this.#options.divert(item) : null;
    return move && this.#move(lane, { item, key, inFlight: true, dropped: false, again: null }, move);
  }

  async #move(lane: Lane<Item>, piece: Piece<Item>, move: () => Promise<void>): Promise<void> {
    this.#held.set(piece.key, piece);
    lane.diverting++;
    this.#inFlight++;
    let failed = false;
    try {
      await move();
    } catch (error) {
      failed = true;
      this.#options.onError(error);
    }
    lane.diverting--;
    this.#inFlight--;
    this.#held.delete(piece.key);
    lane.reading?.add(piece.key);
    if (failed) this.#setAside(lane, piece.key, this.#now + DIVERT_RETRY);
    else if (piece.again !== null) this.offer(piece.again);
    this.#advance(lane);
    if (this.#inFlight === 0) this.#idle?.();
  }

  /** Goes through the due rows of a broken lane and moves what has another way; the rest stays. */
  async #sweep(lane: Lane<Item>): Promise<void> {
    if (!this.#options.divert || this.#closed) return;
    lane.sweepAgain = lane.sweeping;
    if (lane.sweeping) return;
    lane.sweeping = true;
    let staying = 0;
    try {
      while (!this.#closed && this.isBroken(lane.name) && this.#options.holds()) {
        const { items, nextAt } = await this.#options.due(lane.name, this.#now, SWEEP_PAGE, staying);
        if (nextAt !== null) this.#wake(lane, nextAt);
        const moves = items.flatMap((item) => {
          const key = this.#options.keyOf(item);
          if (this.#held.has(key) || !this.isBroken(lane.name)) return [];
          return this.#divert(lane, item, key) ?? [];
        });
        await Promise.all(moves);
        staying += items.length - moves.length;
        if (items.length === SWEEP_PAGE && staying < SWEEP_PAST) continue;
        if (!lane.sweepAgain) break;
        lane.sweepAgain = false;
        staying = 0;
      }
    } catch (error) {
      if (!this.#closed) this.#options.onError(error);
    }
    lane.sweeping = false;
    this.#advance(lane);
  }

  #wake(lane: Lane<Item>, at: number): void {
    if (this.#closed || (lane.wakeAt !== null && lane.wakeAt <= at)) return;
    lane.timer?.cancel();
    lane.wakeAt = at;
    lane.timer = this.#options.environment.after(this.#until(at), () => {
      lane.timer = null;
      lane.wakeAt = null;
      this.#spill(lane);
      this.#advance(lane);
    });
  }

  #wantsRows(lane: Lane<Item>): boolean {
    if (!lane.spilled || lane.reading || lane.breaker === 'open') return false;
    if (lane.queue.length === 0 && lane.breaker === 'closed') return true;
    if (lane.breaker === 'half-open') return lane.queue.length === 0 && lane.inFlight === 0;
    return lane.queue.length <= this.#options.window / 4 && this.#queued < this.#options.maxInMemory;
  }

  #lineUp(lane: Lane<Item>): void {
    if (lane.inLine || !this.#wantsRows(lane)) return;
    lane.inLine = true;
    this.#readLine.push(lane);
    this.#readNext();
  }

  #readNext(): void {
    while (!this.#closed && this.#reading.size < MAX_READS && this.#readLine.length > 0) {
      const lane = this.#readLine.shift()!;
      lane.inLine = false;
      if (this.#wantsRows(lane)) void this.#read(lane);
    }
  }

  async #read(lane: Lane<Item>): Promise<void> {
    const ended = new Set<string>();
    lane.reading = ended;
    this.#reading.add(lane);
    lane.spilled = false;
    this.#returnFromAside(lane);
    // Rows of what is in memory, in flight or set aside are still due and come back too.
    const limit = this.#roomIn(lane) + lane.inFlight + lane.queue.length + lane.aside.size + lane.elsewhere;
    try {
      const { items, nextAt } = await this.#options.due(lane.name, this.#now, limit, 0);
      if (this.#closed) return;
      if (items.length >= limit) lane.spilled = true;
      let taken = 0;
      for (const item of items) {
        const key = this.#options.keyOf(item);
        if (ended.has(key) || this.#held.has(key)) continue;
        if (lane.breaker === 'open' || !this.#hasRoom(lane)) {
          lane.spilled = true;
          break;
        }
        this.#enqueue(lane, item, key);
        taken++;
      }
      if (taken > 0 || !lane.spilled) lane.elsewhere = 0;
      else {
        // All that came back is being done, some of it in another lane: look past it, in a while.
        lane.elsewhere = items.length;
        lane.spilled = false;
        this.#wake(lane, this.#now + READ_RETRY);
      }
      if (nextAt !== null) this.#wake(lane, nextAt);
    } catch (error) {
      if (this.#closed) return;
      this.#options.onError(error);
      this.#wake(lane, this.#now + READ_RETRY);
    } finally {
      lane.reading = null;
      this.#reading.delete(lane);
    }
    this.#advance(lane);
    this.#readNext();
  }

  #roomIn(lane: Lane<Item>): number {
    if (lane.breaker === 'half-open') return 1;
    const { window, maxInMemory } = this.#options;
    return Math.max(1, Math.min(window - lane.queue.length, maxInMemory - this.#queued));
  }

  /** What was set aside for a time that has come may be read again; for the rest the lane wakes later. */
  #returnFromAside(lane: Lane<Item>): void {
    const now = this.#now;
    for (const [key, until] of lane.aside) {
      if (until <= now) {
        lane.aside.delete(key);
        this.#held.delete(key);
        this.#aside--;
      } else if (until !== Number.POSITIVE_INFINITY) {
        this.#wake(lane, until);
      }
    }
  }

  /** A lane with nothing to do is forgotten; one that waits, or whose last tries failed, may be if room is needed. */
  #settle(lane: Lane<Item>): void {
    if (this.#lanes.get(lane.name) !== lane) return;
    const { queue, inFlight, spilled, reading, ringed, aside, breaker } = lane;
    const busy =
      queue.length > 0 ||
      inFlight > 0 ||
      spilled ||
      reading ||
      ringed ||
      aside.size > 0 ||
      lane.diverting > 0 ||
      lane.sweeping ||
      breaker === 'open';
    if (busy) {
      this.#resting.delete(lane);
    } else if (lane.wakeAt === null && lane.downs === 0) {
      this.#forget(lane);
    } else {
      this.#resting.add(lane);
    }
    const occupied = this.#lanes.size - this.#resting.size;
    if (this.#unlaned && occupied <= this.#options.maxLanes / 2) this.#refillBy(this.#now + READ_RETRY);
  }
}
