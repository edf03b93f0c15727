import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scrape, scrape } from './scrape.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** Beside the results and not in the system's temporary directory, which is often no disk. */
const RESULTS = fileURLToPath(new URL('./results/', import.meta.url));
/** No step of a run takes longer, in milliseconds. */
const PATIENCE = 60_000;

export const ACCOUNT = 'MABENCHMARKBENCHMARK';
const TOKEN = 'benchmark-token-benchmark-token-benchmrk';
export const AUTHORIZATION = `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}`;

const running = new Set<ChildProcess>();
const directories = new Set<string>();

/** Ends what is still running and removes what was written, results aside. */
export function cleanUp(): void {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

/** A new directory on the disk that the results are on; removed at the end. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(RESULTS, 'data-'));
  directories.add(directory);
  return directory;
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  directories.delete(directory);
}

/** One of our scripts as a process of its own, which answers messages one by one. */
export interface Helper {
  /** The message that it sent first, for those that do. */
  receive<Answer>(): Promise<Answer>;
  ask<Answer>(message: object): Promise<Answer>;
  stop(): void;
}

export function startHelper(script: string, ...args: readonly string[]): Helper {
  const child = track(fork(fileURLToPath(new URL(script, import.meta.url)), args));
  const receive = <Answer>() =>
    new Promise<Answer>((resolve, reject) => {
      const gone = () => reject(new Error(`${script} ended`));
      const late = setTimeout(() => reject(new Error(`${script} did not answer`)), PATIENCE);
      child.once('exit', gone);
      child.once('message', (answer) => {
        clearTimeout(late);
        child.off('exit', gone);
        resolve(answer as Answer);
      });
    });
  return {
    receive,
    ask: (message) => {
      const answer = receive<never>();
      child.send(message);
      return answer;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

/** The built server, as an operator starts it. */
export interface Server {
  readonly port: number;
  /** From the spawn to the first 200 of `/healthz`, in milliseconds. */
  readonly coldStart: number;
  metrics(): Promise<Scrape>;
  stop(): Promise<void>;
}

interface ServerOptions {
  /** Where its threads leave their CPU profiles when it stops; absent: they make none. */
  readonly profiles?: string | undefined;
  /** From `newDirectory`, with what it is to find under `data/`; absent: a new one. */
  readonly directory?: string;
  /** Path of its `countersign.yaml`; absent: none. */
  readonly configuration?: string;
}

/**
 * Starts the built server with its default settings: the inbox, and one log line a request, written to a file.
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const { profiles, directory = newDirectory(), configuration } = options;
  const nodeOptions = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const [port, metricsPort] = [await freePort(), await freePort()];
  const log = join(directory, 'server.log');
  const output = openSync(log, 'a');
  const env = {
    PATH: process.env.PATH,
    COUNTERSIGN_DATA_DIR: join(directory, 'data'),
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_METRICS_ADDRESS: `127.0.0.1:${metricsPort}`,
    COUNTERSIGN_CALLBACK_ALLOW: '127.0.0.1/32',
    COUNTERSIGN_BOOTSTRAP_AUTH_ID: ACCOUNT,
    COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN: TOKEN,
    ...(configuration === undefined ? {} : { COUNTERSIGN_CONFIG: configuration }),
  };
  const started = performance.now();
  const child = track(
    spawn(process.execPath, [...nodeOptions, CLI, 'serve'], { env, stdio: ['ignore', output, output] }),
  );
  while (!(await answers(`http://127.0.0.1:${port}/healthz`))) {
    if (child.exitCode !== null || performance.now() - started > PATIENCE) {
      throw new Error(`the server did not start:\n${readFileSync(log, 'utf8')}`);
    }
    await pause(2);
  }
  return {
    port,
    coldStart: performance.now() - started,
    metrics: () => scrape(metricsPort),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      removeDirectory(directory);
    },
  };
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until `condition` holds. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const started = performance.now();
  while (!(await condition())) {
    if (performance.now() - started > PATIENCE) throw new Error(`waited in vain for ${what}`);
    await pause(50);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { ok, body } = await fetch(url);
    await body?.cancel();
    return ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Starts a program of others; returns what ends it. */
export function startProgram(program: string, options: readonly string[]): () => void {
  const child = track(spawn(program, options, { stdio: 'ignore' }));
  return () => void child.kill('SIGKILL');
}

function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}
