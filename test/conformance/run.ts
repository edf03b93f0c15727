/**
 * `npm run conformance [-- --require node,python,…]`: real clients, each in its own language, against a real
 * server. Clients whose toolchain is absent are left out unless they are required. Exits with 1 when one failed.
 */
import { parseArgs } from 'node:util';
import { CLIENTS, type Client, type Prepared } from './clients.js';
import { conform, tryExamples } from './conform.js';
import type { Judgement, Result } from './scenario.js';
import { startWorld } from './world.js';

const SIGNS: Record<Result, string> = { passed: 'ok', failed: 'FAILED', 'left out': '-' };

const { values } = parseArgs({ options: { require: { type: 'string', default: '' } } });
const required = values.require.split(',').filter((name) => name !== '');
for (const name of required) {
  if (!CLIENTS.some((client) => client.name === name)) {
    console.error(`--require: no client is named ${name}; there are ${names(CLIENTS)}`);
    process.exit(2);
  }
}

const results = new Map<string, Judgement[]>();
const failed = (step: string, detail: string): Judgement[] => [{ step, result: 'failed', detail }];

// Installations wait for the network most of the time, so they go on together; drivers take turns.
const preparations = CLIENTS.map((client) => ({ client, preparation: prepare(client) }));
for (const { client, preparation } of preparations) {
  const prepared = await preparation;
  if (prepared === null) continue;
  say(client, 'running');
  const started = performance.now();
  try {
    results.set(client.name, await drive(client, prepared));
  } catch (error) {
    results.set(client.name, failed('server', String(error)));
  }
  say(client, `done in ${seconds(started)}`);
}

printTable();
const all = [...results.values()].flat();
const count = (result: Result) => all.filter((judgement) => judgement.result === result).length;
console.log(`${count('passed')} passed, ${count('failed')} failed`);
process.exitCode = count('failed') === 0 && count('passed') > 0 ? 0 : 1;

async function prepare(client: Client): Promise<Prepared | null> {
  const toolchain = await client.toolchain();
  if ('absent' in toolchain) {
    say(client, `left out: needs ${toolchain.absent}`);
    if (required.includes(client.name)) {
      results.set(client.name, failed('toolchain', `required, and needs ${toolchain.absent}`));
    }
    return null;
  }
  say(client, 'installing');
  const started = performance.now();
  try {
    const prepared = await client.prepare(toolchain.version);
    say(client, `installed in ${seconds(started)}`);
    return prepared;
  } catch (error) {
    say(client, `not installed: ${(error as Error).message}`);
    results.set(client.name, failed('installation', (error as Error).message));
    return null;
  }
}

async function drive(client: Client, prepared: Prepared): Promise<Judgement[]> {
  const world = await startWorld();
  try {
    // The examples come second: the scenario knows what the list holds.
    const steps = await conform(client, prepared, world);
    return [...steps, ...(await tryExamples(client, prepared, world))];
  } finally {
    await world.close();
  }
}

/** A row per step and a column per client; then what there is to say of the cells that are not `ok`. */
function printTable(): void {
  const clients = CLIENTS.map(({ name }) => name).filter((name) => results.has(name));
  const steps = [...new Set([...results.values()].flat().map(({ step }) => step))];
  const width = Math.max(...steps.map((step) => step.length));
  const row = (first: string, cells: readonly string[]) =>
    console.log(`${first.padEnd(width)}  ${cells.map((cell) => cell.padEnd(8)).join('')}`.trimEnd());
  console.log('');
  row('', clients);
  for (const step of steps) {
    row(
      step,
      clients.map((client) => {
        const mine = results.get(client)!.filter((judgement) => judgement.step === step);
        return mine.length === 0 ? '' : SIGNS[mine.find(isFailed)?.result ?? mine[0]!.result];
      }),
    );
  }
  console.log('');
  const reasons = new Map<string, string[]>();
  for (const [client, judgements] of results) {
    for (const { step, result, detail } of judgements) {
      if (result === 'failed') console.log(`FAILED ${client}, ${step}: ${detail}\n`);
      if (result !== 'left out') continue;
      const text = `${step}: ${detail}`;
      reasons.set(text, [...(reasons.get(text) ?? []), client]);
    }
  }
  for (const [text, without] of reasons) console.log(`- ${text} (${without.join(', ')})`);
  const absent = CLIENTS.filter(({ name }) => !results.has(name));
  if (absent.length > 0) console.log(`- no toolchain: ${names(absent)}`);
}

function isFailed({ result }: Judgement): boolean {
  return result === 'failed';
}

function names(clients: readonly Client[]): string {
  return clients.map(({ name }) => name).join(', ');
}

function say({ name }: Client, text: string): void {
  console.log(`${name}: ${text}`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
