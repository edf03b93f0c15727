import { parentPort, workerData } from 'node:worker_threads';
import { systemEnvironment } from '../../../../environment.js';
import { Engine } from './engine.js';
import type { Order, WorkerData } from './protocol.js';

/**
 * The media thread. Its pace is real time's: it has nothing to do but this.
 *
 * It waits with plain timers. On two cores shared with ten other busy programs, 200 calls took 14 to 18 % of a core, and
 * their packets came at the median 0.5 to 1.5 ms from their time. Turning the event loop (setImmediate) through the last
 * millisecond took 46 to 71 %; sleeping it off in Atomics.wait took as little as timers but was no more punctual, and what
 * arrives waits meanwhile; a higher priority of the thread (nice -10) made nothing better.
 */
const engine = new Engine(systemEnvironment, workerData as WorkerData, (news) =>
  parentPort!.postMessage(news),
);
parentPort!.on('message', (order: Order) => engine.obey(order));
