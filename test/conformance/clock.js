// Loaded before the server (`node --import`): its parent process may move its clock forward, so that a session
// expires without anyone waiting. Only what is stored and shown reads this clock; timers are as they were.
import { isMainThread } from 'node:worker_threads';

// The database's worker threads load this too, but time reaches them in what they are told to do.
if (isMainThread) {
  const now = Date.now;
  let moved = 0;
  Date.now = () => now() + moved;

  process.on('message', ({ pass }) => {
    moved += pass;
    process.send({ passed: pass });
  });
  process.channel.unref();
}
