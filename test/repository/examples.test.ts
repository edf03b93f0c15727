import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.js';
import { remove } from '../support/remove.js';
import { until } from '../support/server-process.js';
import { examples, pages, ROOT } from './markdown.js';

const CLI = join(ROOT, 'dist/cli.js');
const AUTH_ID = 'MADOCUMENTATION00000';
const AUTH_TOKEN = randomBytes(30).toString('base64url');

let directory: string;
let env: NodeJS.ProcessEnv;
let base: string;
const children: ChildProcess[] = [];

/** The environment of this process without any configuration that it may have itself. */
function clean(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COUNTERSIGN_')));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
  const config = join(directory, 'rates.yaml');
  writeFileSync(config, examples('docs/charges.md', 'yaml').join(''));
  env = {
    ...clean(),
    AUTH_ID,
    AUTH_TOKEN,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_CONFIG: config,
    COUNTERSIGN_METRICS_ADDRESS: '127.0.0.1:0',
    COUNTERSIGN_DATA_DIR: join(directory, 'data'),
    COUNTERSIGN_CALLBACK_ALLOW: '127.0.0.1',
    COUNTERSIGN_BOOTSTRAP_AUTH_ID: AUTH_ID,
    COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: AUTH_TOKEN,
  };
  const lines: string[] = [];
  base = await startServer(env, lines);
  const found = () => /"metrics":"(http:[^"]+)"/.exec(lines.join('\n'));
  await until('it tells where its metrics are', () => found() !== null);
  env = { ...env, METRICS: found()![1] };
});

afterAll(async () => {
  await Promise.all(children.map(stop));
  remove(directory);
});

/** Starts the compiled server; resolves to its address. */
async function startServer(environment: NodeJS.ProcessEnv, lines: string[] = []): Promise<string> {
  const [, url = ''] = await startUntil(/answers at (http:\S+)/, [CLI, 'serve'], environment, lines);
  return url;
}

/** Starts a program of Node.js and waits until it prints a line that matches; adds what it prints to `lines`. */
function startUntil(
  line: RegExp,
  options: readonly string[],
  environment: NodeJS.ProcessEnv,
  lines: string[] = [],
) {
  const child = spawn(process.execPath, options, {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: ROOT,
  });
  children.push(child);
  return new Promise<RegExpExecArray>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${options.join(' ')} exited with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(text);
      const match = line.exec(text);
      if (match) resolve(match);
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Runs a program with text on its standard input; resolves to what it printed, rejects when it failed. */
function run(program: string, options: readonly string[], input: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, options, { env, cwd }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stdout}\n${stderr}`)) : resolve(stdout),
    );
    child.stdin!.end(input);
  });
}

/**
 * What makes the lines of a page run from anywhere, against the compiled code, and fail on a status of 400 or more. Where
 * they sleep, messages are on their way: it is those that are waited for, as long as a slow machine may take.
 */
const PRELUDE = `set -eu
curl() { command curl --fail "$@"; }
npx() { shift; '${process.execPath}' '${CLI}' "$@"; }
sleep() {
  tries=0
  until command curl -sS "$METRICS/metrics" | grep -q '^countersign_queue_depth{queue="deliveries"} 0$' || [ $tries = 300 ]; do
    tries=$((tries + 1))
    command sleep 0.1
  done
  command sleep 0.1
}
`;

const hasCurl = await run('curl', ['--version'], '', ROOT).then(
  () => true,
  () => false,
);

function pagesWith(language: string): string[] {
  return pages().filter((page) => examples(page, language).length > 0);
}

describe('the examples in the documentation', () => {
  it('are there', () => {
    expect(pagesWith('bash')).toEqual([
      'README.md',
      'docs/applications.md',
      'docs/callbacks.md',
      'docs/carriers/inbox.md',
      'docs/charges.md',
      'docs/errors.md',
      'docs/limits.md',
      'docs/messages.md',
      'docs/operations.md',
      'docs/opt-outs.md',
      'docs/sdks.md',
      'docs/subaccounts.md',
    ]);
    expect(pagesWith('js')).toEqual(['README.md', 'docs/sdks.md']);
  });

  it.skipIf(!hasCurl).each(pagesWith('bash'))('for a shell in %s work from top to bottom', async (page) => {
    const lines = PRELUDE + examples(page, 'bash').join('\n').replaceAll('http://127.0.0.1:8080', base);
    const printed = await run('sh', [], lines, directory);
    expect(printed).not.toBe('');
    if (page === 'README.md') expect(printed).toContain('session validated successfully.');
    if (page === 'docs/messages.md') expect(printed).toContain('Tu código de verificación de Acme es ');
  });

  it.each(pagesWith('js'))('for Node.js in %s work', async (page) => {
    for (const example of examples(page, 'js')) {
      const text = example.replaceAll('http://127.0.0.1:8080', base);
      expect(await run(process.execPath, ['--input-type=module', '-'], text, ROOT)).toMatch(/^in-progress$/m);
    }
  });

  it('of a receiver takes callbacks of the server, and no others', async () => {
    const [port] = await freePorts(1);
    const program = examples('docs/callbacks.md', 'js', 'receiver').join('').replaceAll('9000', `${port}`);
    const lines: string[] = [];
    await startUntil(/takes callbacks/, ['--input-type=module', '-e', program], env, lines);
    const url = `http://127.0.0.1:${port}/status?customer=42`;
    const forged = { method: 'POST', body: new URLSearchParams({ ChannelStatus: 'failed' }) };
    expect((await fetch(url, forged)).status).toBe(403);

    const headers = {
      authorization: `Basic ${btoa(`${AUTH_ID}:${AUTH_TOKEN}`)}`,
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ recipient: '14155551299', url });
    await fetch(`${base}/v1/Account/${AUTH_ID}/Verify/Session/`, { method: 'POST', headers, body });
    await expect.poll(() => lines).toEqual(['takes callbacks', 'queued', 'sent', 'delivered']);
  });

  it('of a gateway takes what the webhook carrier sends, and its receipt arrives', async () => {
    const secret = randomBytes(16).toString('hex');
    const [port, gatewayPort] = await freePorts(2);
    const config = join(directory, 'countersign.yaml');
    const gateway = { type: 'webhook', url: `http://127.0.0.1:${gatewayPort}/send`, secret };
    writeFileSync(config, JSON.stringify({ carriers: { gateway } }));
    const example = examples('docs/carriers/webhook.md', 'js', 'gateway').join('');
    const program = example.replaceAll('8080', `${port}`).replaceAll('9000', `${gatewayPort}`);
    await startUntil(/takes messages/, ['--input-type=module', '-e', program], {
      ...env,
      GATEWAY_SECRET: secret,
    });
    const url = await startServer({
      ...env,
      COUNTERSIGN_PORT: `${port}`,
      COUNTERSIGN_CONFIG: config,
      COUNTERSIGN_DATA_DIR: join(directory, 'data-of-gateway'),
    });

    const sessions = `${url}/v1/Account/${AUTH_ID}/Verify/Session/`;
    const headers = {
      authorization: `Basic ${btoa(`${AUTH_ID}:${AUTH_TOKEN}`)}`,
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ recipient: '14155551234' });
    const created = (await (await fetch(sessions, { method: 'POST', headers, body })).json()) as Created;
    await expect
      .poll(
        async () =>
          (await (await fetch(`${sessions}${created.session_uuid}/`, { headers })).json()) as Retrieved,
      )
      .toMatchObject({ attempt_details: [{ status: 'delivered' }] });
  });
});

interface Created {
  readonly session_uuid: string;
}
interface Retrieved {
  readonly attempt_details: readonly { readonly status: string }[];
}
