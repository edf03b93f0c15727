import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { freePorts } from '../support/ports.js';

/** Set where every program must be there, as in `.ci/run`: an absent one fails instead of being left out. */
const REQUIRED = process.env.INTEGRATION_REQUIRED === '1';

/** Programs that tests drive, the Debian package of each, and where that puts those that are not on PATH. */
const PROGRAMS = {
  drive_smpp: { debian: 'kannel-extras', folders: ['/usr/lib/kannel/test'] },
  tshark: { debian: 'tshark', folders: [] },
  sipp: { debian: 'sip-tester', folders: [] },
  baresip: { debian: 'baresip-core', folders: [] },
  kamailio: { debian: 'kamailio-tls-modules', folders: ['/usr/sbin'] },
} as const satisfies Record<string, { readonly debian: string; readonly folders: readonly string[] }>;

export type Program = keyof typeof PROGRAMS;

/** Where a program is; null when it is not installed. */
function find(program: Program): string | null {
  const folders = [...PROGRAMS[program].folders, ...(process.env.PATH ?? '').split(delimiter)];
  for (const folder of folders) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** Tests that need programs. Where one is absent they are left out with a line that says so, or fail if required. */
export function describeWith<Needed extends Program>(
  programs: readonly Needed[],
  name: string,
  tests: (paths: Readonly<Record<Needed, string>>) => void,
): void {
  const found = programs.map((program) => [program, find(program)] as const);
  const absent = found.filter(([, path]) => path === null).map(([program]) => program);
  if (absent.length === 0) {
    describe(name, () => tests(Object.fromEntries(found) as Record<Needed, string>));
    return;
  }
  const packages = absent.map((program) => PROGRAMS[program].debian).join(' ');
  const line = `${name}: needs ${absent.join(', ')} (apt-get install ${packages})`;
  if (REQUIRED) throw new Error(line);
  console.log(`left out: ${line}`);
  describe.skip(name, () => tests({} as Record<Needed, string>));
}

/** Runs a program for one test; what it writes is kept. */
export interface Running {
  readonly child: ChildProcess;
  /** Standard output and error so far. */
  output(): string;
}

/** Starts a program that ends with the test. */
export function run(path: string, options: readonly string[], cwd?: string): Running {
  const child = spawn(path, options, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd && { cwd }) });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A program that cannot be started has no end, but an error.
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => resolve()).once('error', () => resolve()),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: () => Buffer.concat(chunks).toString('latin1') };
}

/** Whether a program has ended, by itself or by a signal. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A program ended before it listened, as it does when another has taken its port meanwhile. */
export class EndedEarly extends Error {}

/** Starts something at free ports: `count` blocks of `size`. At others when it ends early, twice at most. */
export async function startAtFreePorts<Started>(
  count: number,
  size: number,
  start: (ports: readonly number[]) => Promise<Started>,
): Promise<Started> {
  for (let tries = 1; ; tries++) {
    try {
      return await start(await freePorts(count, size));
    } catch (error) {
      if (!(error instanceof EndedEarly) || tries === 3) throw error;
    }
  }
}

/** What a program writes until it ends by itself with success. */
export function outputOf(path: string, options: readonly string[], input?: string): string {
  return execFileSync(path, options, {
    ...(input !== undefined && { input }),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 120_000,
    killSignal: 'SIGKILL',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
