import { dirname } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './error.js';
import { type ConfigFiles, readText } from './files.js';
import { join } from './nearest.js';
import { dereference, type References } from './references.js';

export type Fields = Record<string, unknown>;

const MAX_BYTES = 256 * 1024;
const MAX_ALIASES = 100;
const MAX_NODES = 20_000;
const MAX_DEPTH = 32;

/**
 * Reads `countersign.yaml` (YAML 1.2, core schema): its top level with every reference resolved. Size, aliases,
 * nodes and depth are bounded. Messages tell line and column, never the text found there: it may be a secret.
 * @throws ConfigError
 */
export function readDocument(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  files: ConfigFiles,
): Fields {
  const text = readText('COUNTERSIGN_CONFIG', path, MAX_BYTES, files);
  const value = parse(path, text);
  if (value === null || value === undefined) return {};
  if (!isFields(value)) throw new ConfigError('COUNTERSIGN_CONFIG', `expected ${path} to hold a map of keys`);
  return resolveAll(value, { env, files, directory: dirname(path) });
}

/** Whether a value is a map. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(path: string, text: string): unknown {
  const bad = (what: string) => new ConfigError('COUNTERSIGN_CONFIG', `${path} ${what}`);
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      logLevel: 'error',
      schema: 'core',
    });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) {
      const { line, col } = lineCounter.linePos(problem.pos[0]);
      const name = problem.code.toLowerCase().replaceAll('_', ' ');
      throw bad(`is not valid YAML at line ${line}, column ${col}: ${name}`);
    }
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof ReferenceError)
      throw bad(`uses more than ${MAX_ALIASES} aliases, or one that is unknown`);
    if (error instanceof RangeError) throw bad('is nested too deeply');
    throw bad('is not valid YAML');
  }
}

function resolveAll(document: Fields, references: References): Fields {
  let nodes = 0;
  const resolve = (value: unknown, path: string, depth: number): unknown => {
    if (++nodes > MAX_NODES) throw new ConfigError(path, `expected at most ${MAX_NODES} values in the file`);
    if (depth > MAX_DEPTH) throw new ConfigError(path, `expected at most ${MAX_DEPTH} levels`);
    if (typeof value === 'string') return dereference(path, value, references);
    if (Array.isArray(value)) return value.map((each, index) => resolve(each, join(path, index), depth + 1));
    if (isFields(value)) {
      const entries = Object.entries(value);
      return Object.fromEntries(
        entries.map(([key, each]) => [key, resolve(each, join(path, key), depth + 1)]),
      );
    }
    return value;
  };
  return resolve(document, '', 0) as Fields;
}
