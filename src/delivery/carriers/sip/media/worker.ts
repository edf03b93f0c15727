import { parentPort, workerData } from 'node:worker_threads';
import { systemEnvironment } from '../../../../environment.js';
import { Engine } from './engine.js';
import type { Order, WorkerData } from './protocol.js';

/** The media thread. Its pace is real time's: it has nothing to do but this. */
const engine = new Engine(systemEnvironment, workerData as WorkerData, (news) =>
  parentPort!.postMessage(news),
);
parentPort!.on('message', (order: Order) => engine.obey(order));
