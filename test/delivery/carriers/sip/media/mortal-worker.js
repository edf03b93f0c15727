// The media thread, which dies of one order.
import { parentPort } from 'node:worker_threads';
import '#delivery/carriers/sip/media/worker.js';

parentPort.on('message', (order) => {
  if (order.kind === 'dtmf' && order.digits === 'DD') throw new Error('a wound of the test');
});
