import { resolve } from 'node:path';
import type { Config } from '../config.js';
import { isFields } from './document.js';
import { ConfigError } from './error.js';
import { refuseUnknown } from './nearest.js';
import { readNumber } from './numbers.js';

const KEYS = ['recordings', 'command', 'command_seconds'];
const MAX_ARGUMENTS = 50;
const MAX_ARGUMENT = 1_000;

/**
 * Reads `speech:`. Whether what it names is there and fit is found out when it is opened.
 * @param directory what relative paths are relative to: that of `countersign.yaml`
 * @throws ConfigError
 */
export function readSpeech(value: unknown, directory: string): Config['speech'] {
  const fields = value ?? {};
  if (!isFields(fields)) throw new ConfigError('speech', 'expected a map of keys');
  refuseUnknown('speech', fields, KEYS);
  return {
    recordings: readFolder(fields.recordings, directory),
    command: readCommand(fields.command, directory),
    commandSeconds: readNumber('speech.command_seconds', fields.command_seconds, {
      default: 20,
      minimum: 1,
      maximum: 120,
    }),
  };
}

function readFolder(value: unknown, directory: string): string | null {
  if (value === undefined || value === null) return null;
  if (!isArgument(value) || value === '') {
    throw new ConfigError('speech.recordings', 'expected the path of a folder');
  }
  return resolve(directory, value);
}

function readCommand(value: unknown, directory: string): string[] | null {
  if (value === undefined || value === null) return null;
  const fail = (why: string) => new ConfigError('speech.command', why);
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.length > MAX_ARGUMENTS ||
    !value.every(isArgument)
  ) {
    throw fail(
      `expected a list of a program and its arguments, at most ${MAX_ARGUMENTS} texts of at most ${MAX_ARGUMENT} characters`,
    );
  }
  const [program = '', ...args] = value;
  if (program === '' || /\{(text|locale|output)\}/.test(program)) {
    throw fail('expected the program first, without placeholders');
  }
  if (!args.some((each) => each.includes('{output}'))) {
    throw fail('expected {output}, the WAV file to write, in an argument');
  }
  // A name alone is looked for in PATH; a relative path would be relative to the program's own directory.
  return [/[/\\]/.test(program) ? resolve(directory, program) : program, ...args];
}

function isArgument(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_ARGUMENT && !value.includes('\0');
}
