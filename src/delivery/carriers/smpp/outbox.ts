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

/** Sends `submit_sm` over the binds of a carrier, first come, first served, as window and pace allow. */
export interface Outbox {
  /** @param segments SMS that it becomes, which is what the pace counts */
  send(options: RequestOptions, segments: number): Promise<Sent>;
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
  readonly deadline: number;
  readonly resolve: (sent: Sent) => void;
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
      if (head.deadline <= now) {
        queue.shift();
        head.resolve({
          kind: 'no-turn',
          why: `no turn within ${MAX_WAIT} ms`,
          down: false,
          retryAfter: Math.max(TRY_LATER, pace.delay(head.segments)),
        });
        continue;
      }
      const link = roomiest(links);
      const delay = link === null ? Number.POSITIVE_INFINITY : pace.delay(head.segments);
      if (link === null || delay > 0) {
        wakeAt(Math.min(head.deadline, now + delay));
        return;
      }
      queue.shift();
      pace.take(head.segments);
      void link.submit(head.options).then(head.resolve);
    }
  }

  /** Whoever waits at the head has the earliest deadline, so that one timer serves all. */
  function wakeAt(at: number): void {
    if (timer && timer.at <= at) return;
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
    send(options, segments) {
      return new Promise((resolve) => {
        queue.push({ options, segments, deadline: environment.monotonic() + MAX_WAIT, resolve });
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
