import { parseArgs } from 'node:util';
import { cleanUp } from './processes.js';
import { measureSip } from './sip.js';

/**
 * Measures calls alone: `npm run bench:calls`, with `-- --calls 10000` for as many short calls before it is looked whether
 * anything is left of them, and `--seconds 30` for a longer look at 200 calls at a time. Needs SIPp (`sip-tester`).
 */
const { values: options } = parseArgs({
  options: { calls: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '10' } },
});

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const measure = await measureSip({ calls: Number(options.calls), seconds: Number(options.seconds) });
if (!measure) {
  console.log('calls need SIPp (apt-get install sip-tester)');
  process.exit(1);
}
console.log(measure);
process.exit(0);
