import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { remove } from '../support/remove.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const directories: string[] = [];
const processes = new Set<ChildProcessWithoutNullStreams>();

/** A directory of the test's own; removed by `cleanUp`. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  directories.push(directory);
  return directory;
}

/** Ends what a failed test left running, and removes its directories. */
export function cleanUp(): void {
  for (const child of processes) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) remove(directory);
}

/** The environment of a command: nothing of ours but what the test says, any free port, no metrics. */
export function environmentOf(dataDir: string, env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    COUNTERSIGN_DATA_DIR: dataDir,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_METRICS_ADDRESS: 'off',
    ...env,
  };
}

/** Runs a command to its end. */
export function run(
  args: readonly string[],
  dataDir: string,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Ended> {
  return ended(launch(process.execPath, [CLI, ...args], environmentOf(dataDir, env), cwd));
}

/** Whether this machine has what the pasted lines need. */
export const canPaste = ['bash', 'curl', 'sed', 'grep'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
);

/** Runs lines in bash, as a person would paste them. */
export function bash(lines: string, env: Record<string, string> = {}): Promise<Ended> {
  return ended(
    launch('bash', ['--norc', '--noprofile', '-c', lines], { PATH: process.env.PATH ?? '', ...env }),
  );
}

export interface Serving {
  readonly url: string;
  /** All that it has written so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Starts `serve` and waits until it says that it answers. */
export async function serve(dataDir: string, env: Record<string, string> = {}): Promise<Serving> {
  const child = launch(process.execPath, [CLI, 'serve'], environmentOf(dataDir, env));
  const end = ended(child);
  const output = await new Promise<() => string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (/"msg":"serving"/.test(text) && /answers at/.test(text)) resolve(() => text);
    });
    end.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)), reject);
  });
  const url = /answers at (http:\S+)/.exec(output())![1]!;
  return { url, output, kill: (signal) => child.kill(signal), ended: end };
}

function launch(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): ChildProcessWithoutNullStreams {
  const child = spawn(command, args, { env, cwd });
  processes.add(child);
  child.once('close', () => processes.delete(child));
  child.stdin.end();
  return child;
}

function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
