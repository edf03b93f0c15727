import { resolve } from 'node:path';
import { ConfigError } from './error.js';
import { type ConfigFiles, readText } from './files.js';

const FILE = 'file:';
const MAX_SECRET_FILE = 64 * 1024;
const VARIABLE = /\$\$\{|\$\{([^}]*)\}?/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface References {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: ConfigFiles;
  /** What relative paths in `file:` references are relative to. */
  readonly directory: string;
}

/**
 * Resolves the references of one string: `${NAME}` becomes the variable's value, `$${` a literal `${`; a text that
 * begins with `file:` becomes the trimmed content of that file. What a reference brings in is not searched
 * again, so a secret may hold any character.
 * @throws ConfigError naming the key and the variable or path
 */
export function dereference(key: string, text: string, references: References): string {
  if (!text.startsWith(FILE)) return interpolate(key, text, references);
  return readSecretFile(key, interpolate(key, text.slice(FILE.length), references), references);
}

/** As `dereference`, without `${}`: for environment variables, whose values no shell has left to be filled in. */
export function dereferenceFile(key: string, text: string, references: References): string {
  return text.startsWith(FILE) ? readSecretFile(key, text.slice(FILE.length), references) : text;
}

function interpolate(key: string, text: string, { env }: References): string {
  return text.replace(VARIABLE, (match: string, name: string | undefined) => {
    if (match === '$${') return '${';
    if (name === undefined || !match.endsWith('}') || !NAME.test(name)) {
      throw new ConfigError(
        key,
        'expected the name of an environment variable in the braces; write $${ for a literal ${',
      );
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) throw new ConfigError(key, `the environment variable ${name} is not set`);
    return value;
  });
}

function readSecretFile(key: string, path: string, { files, directory }: References): string {
  if (path === '' || path.includes('\0')) throw new ConfigError(key, 'expected file: and a path');
  const absolute = resolve(directory, path);
  const content = readText(key, absolute, MAX_SECRET_FILE, files).trim();
  if (content === '') throw new ConfigError(key, `the file ${absolute} is empty`);
  return content;
}
