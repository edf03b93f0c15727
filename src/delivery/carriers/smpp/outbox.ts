import type { Environment, Timer } from '../../../environment.js';
import type { Reply, RequestOptions } from './connection.js';
import type { Link } from './link.js';
import type { Pace } from './pace.js';

/** How a `submit_sm` ended; `no-turn`: it was never sent. */
export type Sent =
  | Reply
  | {
      readonly kind: 'no-turn';
      readonly why: string;
      /** No bind is there to send it. */
      readonly down: boolean;
      /** Milliseconds until it may be worth another try. */
      readonly retryAfter: number;
    };

/** Until when a message waits for its turn, in time of the environment's monotonic clock; for ever once a part of it went. */
export interface Turn {
  deadline: number;
}

/** Sends `submit_sm` over the binds of a carrier, first come, first served, as window and pace allow. */
export interface Outbox {
  /** The turn of a message, which all its parts share: a part of one is worth nothing. */
  turn(): Turn;
  /** @param segments SMS that it becomes, which is what the pace counts */
  send(options: RequestOptions, segments: number, turn: Turn): Promise<Sent>;
  /** A bind came, went, or has a free place. */
  pump(): void;
  /** Gives back what waits. */
  close(): void;
  readonly waiting: number;
}

/** How long one waits for its turn, in milliseconds: longer, and another carrier would have been quicker. */
export const MAX_WAIT = 5_000;
/** Wait that is asked for when nothing better is known, in milliseconds. */
const TRY_LATER = 1_000;

interface Waiting {
  readonly options: RequestOptions;
  readonly segments: number;
  readonly turn: Turn;
  readonly resolve: (sent: Sent) => void;
  readonly reject: (error: unknown) => void;
}

export function createOutbox(links: readonly Link[], pace: Pace, environment: Environment): Outbox {
  const queue: Waiting[] = [];
  let timer: { readonly at: number; readonly timer: Timer } | null = null;
  let closed = false;

  function pump(): void {
    for (let head = queue[0]; head; head = queue[0]) {
      const now = environment.monotonic();
      if (closed || links.every(({ state }) => state === 'down')) {
        for (const { resolve } of queue.splice(0)) resolve(noBind());
        return;
      }
      const paused = pace.delay(head.segments);
      // Without a bind, or sooner than it may go, it cannot have its turn in time: another carrier can have it now.
      if (head.turn.deadline <= now || now + paused > head.turn.deadline) {
        queue.shift();
        const isBound = links.some(({ state }) => state === 'up');
        head.resolve({
          kind: 'no-turn',
          why: isBound ? `no turn within ${MAX_WAIT} ms` : 'not bound',
          down: !isBound,
          retryAfter: Math.max(TRY_LATER, paused),
        });
        continue;
      }
      const link = roomiest(links);
      const delay = link === null ? Number.POSITIVE_INFINITY : paused;
      if (link === null || delay > 0) {
        wakeAt(Math.min(head.turn.deadline, now + delay));
        return;
      }
      queue.shift();
      pace.take(head.segments);
      head.turn.deadline = Number.POSITIVE_INFINITY;
      void link.submit(head.options).then(head.resolve, head.reject);
    }
  }

  /** Whoever waits at the head has the earliest deadline, or goes first since a part of it went: one timer serves all. */
  function wakeAt(at: number): void {
    // Without a time it is a bind's to say when.
    if (at === Number.POSITIVE_INFINITY || (timer && timer.at <= at)) return;
    timer?.timer.cancel();
    const handle = environment.after(at - environment.monotonic(), () => {
      timer = null;
      pump();
    });
    timer = { at, timer: handle };
  }

  function noBind(): Sent {
    const soonest = Math.min(...links.map(({ retryIn }) => retryIn));
    const why = closed ? 'the carrier stops' : links.length === 0 ? 'no bind is this node’s' : 'not bound';
    return { kind: 'no-turn', why, down: true, retryAfter: Number.isFinite(soonest) ? soonest : TRY_LATER };
  }

  return {
    turn: () => ({ deadline: environment.monotonic() + MAX_WAIT }),
    send(options, segments, turn) {
      return new Promise((resolve, reject) => {
        queue.push({ options, segments, turn, resolve, reject });
        if (queue.length === 1) pump();
      });
    },
    pump,
    close() {
      closed = true;
      timer?.timer.cancel();
      pump();
    },
    get waiting() {
      return queue.length;
    },
  };
}

function roomiest(links: readonly Link[]): Link | null {
  let best: Link | null = null;
  for (const link of links) if (link.room > (best?.room ?? 0)) best = link;
  return best;
}
