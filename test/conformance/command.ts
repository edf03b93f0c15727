import { spawn } from 'node:child_process';

/** A program to run, as `spawn` takes it; `input` is its standard input. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface Ended {
  /** Null when it was killed, or there is no such program. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, which comes after `seconds` at the latest. */
export function run(command: Command, seconds: number): Promise<Ended> {
  return new Promise((resolve) => {
    const { program, args, cwd, env, input = '' } = command;
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
    const timer = setTimeout(() => {
      stderr += `\nkilled after ${seconds} s`;
      child.kill('SIGKILL');
    }, seconds * 1000);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    // A program that ends without reading its input is no error.
    child.stdin.on('error', () => {}).end(input);
    child.once('error', ({ message }) => {
      clearTimeout(timer);
      resolve({ code: null, stdout, stderr: message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
