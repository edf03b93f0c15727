// Checks that every file of src/ imports only from the rooms that its own room may use (docs/architecture.md).
// Usage: tsx scripts/check-imports.ts [DIRECTORY]; prints one line `file:line: rule` per violation.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Rooms that every room but `verify` and themselves may import. */
const COMMON = ['telemetry', 'environment'];

interface Rule {
  readonly rooms: 'all' | readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
}

/**
 * What each room may import besides itself. `types`: imports that vanish when compiled, by room or by file.
 * `packages`: the only packages and Node modules that it may import; absent: any.
 */
const RULES: Readonly<Record<string, Rule>> = {
  environment: { rooms: [] },
  telemetry: { rooms: COMMON },
  verify: { rooms: [], packages: ['libphonenumber-js', 'node:crypto'] },
  work: { rooms: [...COMMON, 'verify'] },
  store: { rooms: [...COMMON, 'verify'] },
  speech: { rooms: [...COMMON, 'verify'] },
  delivery: { rooms: [...COMMON, 'verify', 'store', 'work', 'speech'], types: ['config'] },
  callbacks: { rooms: [...COMMON, 'verify', 'store', 'work'], types: ['config'] },
  api: { rooms: [...COMMON, 'verify', 'store'] },
  admin: { rooms: [...COMMON, 'verify', 'store'], types: ['config'] },
  config: { rooms: COMMON, types: ['verify', 'delivery/carrier'] },
  server: { rooms: 'all' },
  cli: { rooms: 'all' },
};

const STATEMENT =
  /\b(?:import|export)\s+(?<clause>type\s+[^'";]*?|[^'";]*?)\bfrom\s*(?<from>['"][^'"]+['"])|\bimport\s*\(?\s*(?<bare>['"][^'"]+['"])|\bnew\s+URL\(\s*(?<url>['"]\.[^'"]+['"])\s*,\s*import\.meta\.url/g;

/** The violations in a source directory, as `file:line: rule` with paths relative to `base`. */
export function checkImports(source: string, base = process.cwd()): string[] {
  return sourceFiles(source).flatMap((file) => {
    const text = withoutComments(readFileSync(file, 'utf8'));
    return [...text.matchAll(STATEMENT)].flatMap((match) => {
      const { clause = '', from, bare, url } = match.groups ?? {};
      const specifier = (from ?? bare ?? url ?? '').slice(1, -1);
      const why = violation(source, file, specifier, isTypeOnly(clause));
      const line = text.slice(0, match.index).split('\n').length;
      return why ? [`${relative(base, file)}:${line}: ${why} (imports '${specifier}')`] : [];
    });
  });
}

function violation(source: string, file: string, specifier: string, typeOnly: boolean): string | null {
  const room = roomOf(pathIn(source, file));
  const rule = RULES[room];
  if (!rule) return `'${room}' is no known room: give it a rule in scripts/check-imports.ts`;
  if (specifier.startsWith('#')) return 'files of src/ import each other by relative paths';
  if (!specifier.startsWith('.')) {
    const allowed = rule.packages?.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    return allowed === false
      ? `${room} may import only ${rule.packages?.join(', ')} and its own files`
      : null;
  }
  const target = pathIn(source, resolve(dirname(file), specifier));
  if (target.startsWith('..')) return 'files of src/ import nothing outside src/ by path';
  if (!existsSync(join(source, `${target}.ts`))) return `there is no src/${target}.ts`;
  const targetRoom = roomOf(target);
  if (targetRoom === room || rule.rooms === 'all' || rule.rooms.includes(targetRoom)) return null;
  const asTypes = rule.types?.some((each) => each === target || each === targetRoom);
  if (asTypes) return typeOnly ? null : `${room} may import only types from ${target}`;
  return `${room} may import ${rule.rooms.length ? rule.rooms.join(', ') : 'nothing but itself'}, not ${targetRoom}`;
}

/** `import type …`, or braces in which every name is marked `type`. */
function isTypeOnly(clause: string): boolean {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{([^}]*)\}\s*$/.exec(clause.trim())?.[1];
  return (
    names
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean)
      .every((name) => name.startsWith('type ')) ?? false
  );
}

/** A file's path in the source directory with `/` and without its ending. */
function pathIn(source: string, file: string): string {
  return relative(source, file)
    .split(sep)
    .join('/')
    .replace(/\.(ts|js)$/, '');
}

function roomOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

/** Comments become blanks of the same shape, so that line numbers stay. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source = process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url));
  const violations = checkImports(resolve(source));
  for (const line of violations) console.error(line);
  process.exit(violations.length > 0 ? 1 : 0);
}
