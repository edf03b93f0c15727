import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemEnvironment } from '#environment.js';
import type { SessionQuery, Store } from '#store/store.js';
import type { SessionId } from '#verify/model.js';
import { cleanUp, newDirectory } from './processes.js';
import { applicationOf, BUSY, DAY, QUIET, recipientOf, SPAN, writeHistory } from './session-history.js';
import { median, percentile } from './statistics.js';

// The built store: its workers are files that only the build makes.
const { openSqliteStore }: typeof import('#store/sqlite/store.js') = await import(
  new URL('../dist/store/sqlite/store.js', import.meta.url).href
);

/**
 * Measures lists and retrieves of an embedded database of few sessions against one of many, in one run and turn
 * by turn: `npm run bench:lists`, with `-- --full` for 5 million. Through the store and its reader's thread,
 * without HTTP, whose constant time would flatter the ratio. See docs/operations.md.
 */
const { values: options } = parseArgs({
  options: {
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '1000000' },
    full: { type: 'boolean', default: false },
    requests: { type: 'string', default: '500' },
  },
});
const sizes = { small: Number(options.small), large: options.full ? 5_000_000 : Number(options.large) };
const requests = Number(options.requests);

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

interface Subject {
  readonly store: Store;
  readonly count: number;
  readonly sessions: readonly SessionId[];
}

type Ask = (subject: Subject, number: number) => Promise<unknown>;

interface Row {
  readonly name: string;
  readonly small: Latency;
  readonly large: Latency;
  /** Large to small. */
  readonly ratio: { readonly p50: number; readonly p99: number };
  /** What the last request found: sessions, or why it was refused. */
  readonly found: { readonly small: number | string; readonly large: number | string };
}

/** Milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
}

const now = Date.now();
const list =
  (filters: Partial<SessionQuery>, span = DAY): Ask =>
  ({ store }) =>
    store.read.sessions({
      main: BUSY,
      since: now - span,
      until: now + 1,
      now,
      limit: 21,
      offset: 0,
      ...filters,
    });

const filters: Record<string, Partial<SessionQuery>> = {
  'no filter': {},
  'status=verified': { status: 'verified' },
  'status=expired': { status: 'expired' },
  'status=in-progress': { status: 'in-progress' },
  app_uuid: { application: applicationOf(3) },
  alias: { alias: 'alias 4' },
  country: { country: 'FR' },
  brand_name: { brandName: 'Brand 42' },
  app_hash: { appHash: 'FA+9qCX9VSu' },
};
const measures: [string, Ask][] = [
  ['retrieve', ({ store, sessions }, number) => store.read.session(sessions[number % sessions.length]!)],
  ...Object.entries(filters).flatMap(([name, each]): [string, Ask][] => [
    [`${name}, 24 h`, list(each)],
    [`${name}, 60 days`, list(each, SPAN)],
  ]),
  [
    'recipient, 60 days',
    (subject, number) =>
      list({ recipient: recipientOf((number * 9973) % Math.ceil(subject.count / 4)) }, SPAN)(subject, number),
  ],
  ['offset=1000, 60 days', list({ offset: 1_000 }, SPAN)],
  ['rare country, 60 days', list({ country: 'LI' }, SPAN)],
  ['rare brand_name, 60 days', list({ brandName: 'Rare' }, SPAN)],
  ['rare status=verified, 60 days', list({ main: QUIET, status: 'verified' }, SPAN)],
  ['country, status, alias, 60 days', list({ country: 'FR', status: 'verified', alias: 'alias 4' }, SPAN)],
  ['rare country, status, 60 days', list({ country: 'LI', status: 'verified' }, SPAN)],
];
/** What grows with the sessions, to a bound. */
const bounded: [string, Ask][] = [
  ['offset=100000, 60 days', list({ offset: 100_000 }, SPAN)],
  ['app_uuid and alias of another, 60 days', list({ application: applicationOf(3), alias: 'alias 4' }, SPAN)],
];

const small = await prepare(sizes.small);
const large = await prepare(sizes.large);
const rows: Row[] = [];
for (const [name, ask] of measures) rows.push(await measure(name, ask, requests));
for (const [name, ask] of bounded) rows.push(await measure(name, ask, Math.min(requests, 20)));
const file = join(results, `lists-${new Date(now).toISOString().replaceAll(':', '-')}.json`);
writeFileSync(
  file,
  `${JSON.stringify({ at: new Date(now).toISOString(), sizes, requests, rows }, null, 2)}\n`,
);
print(rows);
console.log(`\n${file}`);
await small.store.close();
await large.store.close();
process.exit(0);

async function prepare(count: number): Promise<Subject> {
  const directory = newDirectory();
  const path = join(directory, 'countersign.db');
  const started = performance.now();
  writeHistory(path, count, now);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${count} sessions, ${Math.round(statSync(path).size / 1e6)} MB, written in ${seconds} s`);
  const onFatal = (error: Error) => {
    throw error;
  };
  const store = await openSqliteStore({ directory, environment: systemEnvironment, onFatal });
  const sessions: SessionId[] = [];
  for (let sample = 0; sample < 500; sample++) {
    const until = now - Math.floor((SPAN * (sample + 0.5)) / 500);
    const query = { main: BUSY, since: now - SPAN, until, now, limit: 1, offset: 0 };
    for (const { session } of await store.read.sessions(query)) sessions.push(session.uuid);
  }
  return { store, count, sessions };
}

/** Turn by turn, so that what disturbs one disturbs the other. */
async function measure(name: string, ask: Ask, times: number): Promise<Row> {
  const timed = { small: [] as number[], large: [] as number[] };
  const found: Record<'small' | 'large', number | string> = { small: 0, large: 0 };
  for (let number = -5; number < times; number++) {
    const turns = [['small', small] as const, ['large', large] as const];
    // Whoever comes second finds other caches than who comes first.
    for (const [size, subject] of number % 2 === 0 ? turns : turns.reverse()) {
      const started = performance.now();
      const answer = await ask(subject, Math.abs(number)).catch((error: unknown) => {
        if ((error as { kind?: unknown }).kind === 'too-wide') return 'too-wide';
        throw error;
      });
      if (number >= 0) timed[size].push(performance.now() - started);
      found[size] = Array.isArray(answer) ? answer.length : typeof answer === 'string' ? answer : 1;
    }
  }
  const [few, many] = [latency(timed.small), latency(timed.large)];
  return {
    name,
    small: few,
    large: many,
    ratio: { p50: many.p50 / few.p50, p99: many.p99 / few.p99 },
    found,
  };
}

function latency(values: readonly number[]): Latency {
  const sorted = [...values].sort((a, b) => a - b);
  return { p50: median(sorted), p99: percentile(sorted, 0.99) };
}

function print(measured: readonly Row[]): void {
  const shown = (value: number) => value.toFixed(2);
  console.table(
    Object.fromEntries(
      measured.map(({ name, small: few, large: many, ratio, found }) => [
        name,
        {
          'small p50 ms': shown(few.p50),
          'p99 ms': shown(few.p99),
          'large p50 ms': shown(many.p50),
          'p99 ms ': shown(many.p99),
          'p50 ratio': shown(ratio.p50),
          'p99 ratio': shown(ratio.p99),
          found: `${found.small} ${found.large}`,
        },
      ]),
    ),
  );
}
