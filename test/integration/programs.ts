import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, onTestFinished } from 'vitest';

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
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: () => Buffer.concat(chunks).toString('latin1') };
}

/** What a program writes until it ends by itself with success. */
export function outputOf(path: string, options: readonly string[], input?: string): string {
  return execFileSync(path, options, {
    ...(input !== undefined && { input }),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
