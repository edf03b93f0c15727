import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'undici';
import { formatTime } from '#verify/time.js';
import { ACCOUNT, AUTHORIZATION, cleanUp, newDirectory, startServer } from './processes.js';
import { applicationOf, DAY, recipientOf, SPAN, writeHistory } from './session-history.js';
import { median, percentile } from './statistics.js';

/**
 * Measures lists and retrieves of a server with few sessions against one with many, in one run and turn by turn, as a
 * client sees them: the built server, over HTTP, one connection. `npm run bench:lists`, with `-- --full` for 5 million.
 * See docs/operations.md.
 */
const { values: options } = parseArgs({
  options: {
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '1000000' },
    full: { type: 'boolean', default: false },
    requests: { type: 'string', default: '1000' },
  },
});
const sizes = { small: Number(options.small), large: options.full ? 5_000_000 : Number(options.large) };
const requests = Number(options.requests);

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const PATH = `/v1/Account/${ACCOUNT}/Verify/Session/`;
/** A list may be asked as often as the benchmark can. */
const CONFIGURATION = 'limits:\n  lists_per_minute: 1000000\n';

interface Subject {
  readonly client: Client;
  readonly count: number;
  readonly sessions: readonly string[];
}

/** The path of a request. */
type Ask = (subject: Subject, number: number) => string;

interface Row {
  readonly name: string;
  readonly small: Latency;
  readonly large: Latency;
  /** Large to small. */
  readonly ratio: { readonly p50: number; readonly p99: number };
  /** What the last request found: sessions, or the status that refused it. */
  readonly found: { readonly small: number | string; readonly large: number | string };
}

/** Milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p99: number;
}

const now = Date.now();
const list =
  (filters: Record<string, string>, span = DAY): Ask =>
  () =>
    `${PATH}?${new URLSearchParams({ ...filters, session_time__gte: formatTime(now - span) })}`;

const filters: Record<string, Record<string, string>> = {
  'no filter': {},
  'status=verified': { status: 'verified' },
  'status=expired': { status: 'expired' },
  'status=in-progress': { status: 'in-progress' },
  app_uuid: { app_uuid: applicationOf(3) },
  alias: { alias: 'alias 4' },
  country: { country: 'FR' },
  brand_name: { brand_name: 'Brand 42' },
  app_hash: { app_hash: 'FA+9qCX9VSu' },
};
const measures: [string, Ask][] = [
  ['retrieve', ({ sessions }, number) => `${PATH}${sessions[number % sessions.length]}/`],
  ...Object.entries(filters).flatMap(([name, each]): [string, Ask][] => [
    [`${name}, 24 h`, list(each)],
    [`${name}, 60 days`, list(each, SPAN)],
  ]),
  [
    'recipient, 60 days',
    (subject, number) =>
      list({ recipient: recipientOf((number * 9973) % Math.ceil(subject.count / 4)) }, SPAN)(subject, number),
  ],
  ['offset=1000, 60 days', list({ offset: '1000' }, SPAN)],
  ['rare country, 60 days', list({ country: 'LI' }, SPAN)],
  ['rare brand_name, 60 days', list({ brand_name: 'Rare' }, SPAN)],
  ['country, status, alias, 60 days', list({ country: 'FR', status: 'verified', alias: 'alias 4' }, SPAN)],
  ['rare country, status, 60 days', list({ country: 'LI', status: 'verified' }, SPAN)],
];
/** What grows with the sessions, to a bound. */
const bounded: [string, Ask][] = [
  ['offset=100000, 60 days', list({ offset: '100000' }, SPAN)],
  ['app_uuid and alias of another, 60 days', list({ app_uuid: applicationOf(3), alias: 'alias 4' }, SPAN)],
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
process.exit(0);

async function prepare(count: number): Promise<Subject> {
  const directory = newDirectory();
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  const path = join(data, 'countersign.db');
  const started = performance.now();
  writeHistory(path, count, now);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${count} sessions, ${Math.round(statSync(path).size / 1e6)} MB, written in ${seconds} s`);
  const configuration = join(directory, 'countersign.yaml');
  writeFileSync(configuration, CONFIGURATION);
  const { port } = await startServer({ directory, configuration });
  const client = new Client(`http://127.0.0.1:${port}`);
  const subject = { client, count, sessions: [] as string[] };
  for (let sample = 0; sample < 500; sample++) {
    const until = formatTime(now - Math.floor((SPAN * (sample + 0.5)) / 500));
    const query = new URLSearchParams({
      limit: '1',
      session_time__gte: formatTime(now - SPAN),
      session_time__lt: until,
    });
    const { sessions } = await request(subject, `${PATH}?${query}`);
    for (const { session_uuid: uuid } of sessions ?? []) subject.sessions.push(uuid);
  }
  return subject;
}

interface Answer {
  readonly status: number;
  readonly sessions?: readonly { readonly session_uuid: string }[];
}

async function request({ client }: Subject, path: string): Promise<Answer> {
  const { statusCode, body } = await client.request({
    method: 'GET',
    path,
    headers: { authorization: AUTHORIZATION },
  });
  const { sessions } = (await body.json()) as Omit<Answer, 'status'>;
  return { status: statusCode, ...(sessions && { sessions }) };
}

/** Turn by turn, so that what disturbs one disturbs the other. */
async function measure(name: string, ask: Ask, times: number): Promise<Row> {
  const timed = { small: [] as number[], large: [] as number[] };
  const found: Record<'small' | 'large', number | string> = { small: 0, large: 0 };
  for (let number = -5; number < times; number++) {
    const turns = [['small', small] as const, ['large', large] as const];
    // Whoever comes second finds other caches than who comes first.
    for (const [size, subject] of number % 2 === 0 ? turns : turns.reverse()) {
      const path = ask(subject, Math.abs(number));
      const started = performance.now();
      const { status, sessions } = await request(subject, path);
      if (number >= 0) timed[size].push(performance.now() - started);
      found[size] = status === 200 ? (sessions?.length ?? 1) : `status ${status}`;
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
