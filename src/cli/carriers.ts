import { setTimeout as pause } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Administration, InputOf, OutputOf } from '../admin/operations.js';
import { withAdministration } from './connect.js';
import { print, printJson, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

type Carriers = OutputOf<'carriers.list'>;
type Test = OutputOf<'carriers.test-state'>;

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;
/** How often a test is looked at, and how long its answer is waited for, in milliseconds. */
const LOOK_EVERY = 200;
const ANSWER_WITHIN = 70_000;
/** Statuses after which no other receipt is to be expected. */
const FINAL = ['delivered', 'undelivered', 'failed'];

/** `carriers` and `send-test`. */
export function carrierCommands(program: Command): void {
  program
    .command('carriers')
    .description('show how the carriers of the running server stand')
    .option(...JSON_FLAG)
    .action(async ({ json }: Format) => {
      const carriers = await withAdministration((run) => run('carriers.list', {}));
      if (json) return printJson(carriers);
      print(described(carriers));
    });

  program
    .command('send-test')
    .description('send one SMS through one carrier of the running server, and print what comes of it')
    .requiredOption('--carrier <name>', 'the carrier')
    .requiredOption('--to <number>', 'the recipient, in international format')
    .option('--text <text>', 'what it says')
    .option('--sender <sender>', 'sender id or number')
    .option('--wait <seconds>', 'how long to wait for receipts, 10 unless said', readSeconds, 10)
    .option(...JSON_FLAG)
    .action(async ({ json, wait, ...message }: Format & InputOf<'carriers.test'> & { wait: number }) => {
      const test = await withAdministration((run) => follow(run, message, wait * 1000));
      if (json) printJson(test);
      else print(outcome(test));
      process.exitCode = test.result?.kind === 'accepted' ? 0 : 1;
    });
}

/** Sends the message and waits for the carrier's answer, and then for receipts. */
async function follow(run: Administration, message: InputOf<'carriers.test'>, wait: number): Promise<Test> {
  const { id } = await run('carriers.test', message);
  let waited = 0;
  let answered: number | null = null;
  // Wall-clock on purpose: this is another process than the server.
  for (;;) {
    const test = await run('carriers.test-state', { id });
    if (test.result && answered === null) answered = waited;
    const since = answered === null ? 0 : waited - answered;
    const done =
      answered === null
        ? waited >= ANSWER_WITHIN
        : test.result?.kind !== 'accepted' ||
          since >= wait ||
          test.receipts.some(({ status }) => FINAL.includes(status));
    if (done) return test;
    await pause(LOOK_EVERY);
    waited += LOOK_EVERY;
  }
}

function described(carriers: Carriers): string {
  const rows = carriers.map((each) => [
    each.name,
    each.type,
    each.state,
    each.breaker,
    `${each.in_flight}/${each.window}`,
    each.rate === null ? '-' : `${each.rate}/s`,
    ...['accepted', 'refused', 'unavailable', 'unanswered'].map((kind) => String(each.submits[kind] ?? 0)),
    each.last_error ? `${each.last_error.time} ${each.last_error.error_code} ${each.last_error.reason}` : '-',
  ]);
  const head = ['CARRIER', 'TYPE', 'STATE', 'BREAKER', 'IN FLIGHT', 'RATE'];
  const more = carriers.flatMap(({ name, detail, counts }) => [
    ...(detail === null ? [] : [`${name}: ${detail}`]),
    ...Object.entries(counts).map(([what, count]) => `${name}: ${what} ${count}`),
  ]);
  const results = ['ACCEPTED', 'REFUSED', 'UNAVAILABLE', 'UNANSWERED', 'LAST ERROR'];
  return [table([...head, ...results], rows), ...more].join('\n');
}

function outcome({ result, receipts }: Test): string {
  if (!result) return 'the carrier has not answered';
  const { kind, took, message_id: id, error_code: code, reason } = result;
  const more =
    kind === 'accepted' ? (id === null ? '' : `, message id ${id}`) : `: ${reason} (error ${code})`;
  return [
    `${kind} after ${took} ms${more}`,
    ...receipts.map(
      ({ status, error_code, after }) =>
        `${status} after ${after} ms${error_code === null ? '' : ` (error ${error_code})`}`,
    ),
    ...(kind === 'accepted' && receipts.length === 0 ? ['no receipt yet'] : []),
  ].join('\n');
}

function readSeconds(text: string): number {
  if (!/^[0-9]{1,3}$/.test(text)) throw new InvalidArgumentError('Expected seconds, 0 to 999.');
  return Number(text);
}
