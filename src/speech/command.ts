import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { Environment, Timer } from '../environment.js';
import { SpeechError } from './error.js';

/** How often the size of the output is looked at, in milliseconds. */
const LOOK_EVERY = 250;
/** What is kept of what a program complains about, in characters. */
const MAX_COMPLAINT = 300;

export interface SpeakCommand {
  /** The program and its arguments, with `{text}`, `{locale}` and `{output}` in the arguments. */
  readonly command: readonly string[];
  readonly text: string;
  readonly locale: string;
  /** The WAV file that it is to write. */
  readonly output: string;
  /** Its working directory, home and place for temporary files. */
  readonly directory: string;
  /** Bytes that the file may have: a program that goes on writing must not fill the disk. */
  readonly maxBytes: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly environment: Environment;
  /** Ends the program when aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs a program that speaks. No shell is between: each placeholder is filled in within one argument, whatever it
 * holds. Where no argument has `{text}`, the program reads it from its standard input. It gets none of this process's
 * environment but `PATH`; it and what it started end when its time is over.
 * @throws SpeechError when it does not start, fails, writes too much, or takes too long
 */
export function runSpeakCommand(options: SpeakCommand): Promise<void> {
  const { command, text, locale, output, directory, maxBytes, timeout, environment, signal } = options;
  const [program = '', ...templates] = command;
  const values: Record<string, string> = { text, locale, output };
  const args = templates.map((template) =>
    template.replace(/\{(text|locale|output)\}/g, (_, name) => values[name]!),
  );
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new SpeechError(`speech.command: ${program} ${why}`));
    // Nobody tells of an abort that has been.
    if (signal.aborted) return fail('was stopped');
    const child = spawn(program, args, {
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory, TMPDIR: directory, LANG: 'C.UTF-8' },
      stdio: ['pipe', 'ignore', 'pipe'],
      shell: false,
      // A process group of its own, so that what it started can be ended with it.
      detached: true,
      windowsHide: true,
    });
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended, or this system has no process groups.
        child.kill('SIGKILL');
      }
    };
    const timer = environment.after(timeout, () => {
      end();
      fail(`took longer than ${timeout / 1000} seconds`);
    });
    let look: Timer;
    let hasEnded = false;
    const watch = () => {
      look = environment.after(LOOK_EVERY, async () => {
        const size = await stat(output).then(
          (found) => found.size,
          () => 0,
        );
        if (hasEnded) return;
        if (size <= maxBytes) return watch();
        end();
        fail(`wrote more than ${maxBytes} bytes`);
      });
    };
    watch();
    const onAbort = () => {
      end();
      fail('was stopped');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (how: () => void) => {
      hasEnded = true;
      timer.cancel();
      look.cancel();
      signal.removeEventListener('abort', onAbort);
      how();
    };
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaint = (complaint + chunk).slice(-MAX_COMPLAINT);
    });
    child.once('error', (error: NodeJS.ErrnoException) =>
      settle(() => fail(`cannot be started (${error.code ?? error.message})`)),
    );
    child.once('exit', (code, killed) =>
      settle(() => {
        // What it left running would outlive it.
        end();
        if (code === 0) resolve();
        else fail(`ended with ${code ?? killed}${complaint && `: ${oneLine(complaint)}`}`);
      }),
    );
    // A program that does not read its input closes it.
    child.stdin.on('error', () => {});
    child.stdin.end(templates.some((template) => template.includes('{text}')) ? '' : `${text}\n`);
  });
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
