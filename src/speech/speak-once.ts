import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runSpeakCommand, type SpeakCommand } from './command.js';
import { SpeechError } from './error.js';
import { MAX_FILE_BYTES, readSpeech } from './recordings.js';

export interface SpeakOnce extends Omit<SpeakCommand, 'output' | 'directory' | 'maxBytes'> {
  /** Where the program's own directory is made, and deleted after; made when it is not there. */
  readonly directory: string;
}

/**
 * Has `speech.command` speak one text.
 * @returns what it spoke, fit to stand beside the prompts
 * @throws SpeechError telling what the program did wrong
 */
export async function speakOnce({ directory, ...options }: SpeakOnce): Promise<Int16Array> {
  const { command, environment } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const own = join(directory, `rendering-${Buffer.from(environment.randomBytes(8)).toString('hex')}`);
  await mkdir(own, { mode: 0o700 });
  try {
    const output = join(own, 'output.wav');
    await runSpeakCommand({ ...options, output, directory: own, maxBytes: MAX_FILE_BYTES });
    if (!existsSync(output)) {
      throw new SpeechError(`speech.command: ${command[0]} ended without writing the WAV file {output}`);
    }
    return await readSpeech(output, `speech.command: what ${command[0]} wrote`);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
