import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.js';
import { type Command, run } from './command.js';
import type { LeftOut } from './scenario.js';
import { ROOT } from './world.js';

/** A client library with what its language needs to run it. */
export interface Client {
  readonly name: string;
  /** The language of its examples in the documentation, as their fences say it. */
  readonly language: string;
  /** Steps that the client has nothing for. */
  readonly leftOut: LeftOut;
  /** Version of the toolchain, or null with what is missing. */
  toolchain(): Promise<{ readonly version: string } | { readonly absent: string }>;
  /** Installs the client if it is not yet, and builds the driver. Rejects with the output of what failed. */
  prepare(version: string): Promise<Prepared>;
}

export interface Prepared {
  readonly driver: Command;
  /** Runs an example of the documentation. */
  example(text: string): Command;
}

/** Seconds that an installation or a build may take. */
const INSTALL_SECONDS = 300;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const manifest = (path: string) => readFileSync(here(path), 'utf8');

async function must(command: Command): Promise<void> {
  const { code, stdout, stderr } = await run(command, INSTALL_SECONDS);
  if (code !== 0) {
    const line = [command.program, ...command.args].join(' ');
    throw new Error(`${line}\nexited with ${code}\n${stdout}\n${stderr}`);
  }
}

/** The toolchain when all of these programs run; `hint` says what to install when one does not. */
async function programs(hint: string, ...lines: readonly (readonly string[])[]) {
  let version = '';
  for (const [program, ...args] of lines) {
    const { code, stdout, stderr } = await run({ program: program!, args }, 120);
    if (code !== 0) return { absent: hint };
    version += `${stdout}${stderr}`;
  }
  return { version };
}

const node: Client = {
  name: 'node',
  language: 'js',
  leftOut: {},
  toolchain: async () => ({ version: process.version }),
  prepare: async () => ({
    driver: { program: process.execPath, args: [here('node/driver.js')] },
    // From the repository's root, where the package is found.
    example: (text) => ({
      program: process.execPath,
      args: ['--input-type=module', '-'],
      cwd: ROOT,
      input: text,
    }),
  }),
};

const NO_CHECK = 'curl has no function that checks signatures';

const curl: Client = {
  name: 'curl',
  language: 'bash',
  leftOut: { 'callbacks-by-post': NO_CHECK, 'callbacks-by-get': NO_CHECK },
  toolchain: () => programs('bash and curl', ['bash', '--version'], ['curl', '--version']),
  prepare: async () => ({
    driver: { program: 'bash', args: [here('curl/driver.sh')] },
    example: (text) => ({ program: 'bash', args: ['-eu', '-s'], input: text }),
  }),
};

const python: Client = {
  name: 'python',
  language: 'python',
  leftOut: {},
  toolchain: () =>
    programs('python3 with venv and ensurepip', [
      'python3',
      '-c',
      'import sys, venv, ensurepip; print(sys.version, sys.executable)',
    ]),
  prepare: async (version) => {
    const requirements = 'python/requirements.txt';
    const directory = await cached('python', version + manifest(requirements), async (target) => {
      await must({ program: 'python3', args: ['-m', 'venv', join(target, 'venv')] });
      const pip = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        here(requirements),
      ];
      await must({ program: join(target, 'venv/bin/python'), args: pip });
    });
    const program = join(directory, 'venv/bin/python');
    return {
      driver: { program, args: [here('python/driver.py')] },
      example: (text) => ({ program, args: ['-'], input: text }),
    };
  },
};

const go: Client = {
  name: 'go',
  language: 'go',
  leftOut: {},
  toolchain: async () => {
    const absent = 'Go 1.21 or newer';
    const found = await programs(absent, ['go', 'env', 'GOVERSION']);
    if ('absent' in found) return found;
    const [major, minor] = (/^go(\d+)\.(\d+)/.exec(found.version) ?? []).slice(1).map(Number);
    return major! > 1 || minor! >= 21 ? found : { absent };
  },
  prepare: async (version) => {
    const cwd = here('go');
    const settings = (directory: string) => ({
      GOMODCACHE: join(directory, 'modules'),
      GOCACHE: join(directory, 'build'),
      // Writable modules can be removed like any other file.
      GOFLAGS: '-modcacherw -buildvcs=false',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      CGO_ENABLED: '0',
    });
    const directory = await cached('go', version + manifest('go/go.sum'), (target) =>
      must({ program: 'go', args: ['mod', 'download'], cwd, env: settings(target) }),
    );
    const env = settings(directory);
    const program = join(directory, 'driver');
    await must({ program: 'go', args: ['build', '-o', program, '.'], cwd, env });
    return {
      driver: { program, args: [] },
      example: (text) => {
        const file = join(mkdtempSync(join(directory, 'example-')), 'main.go');
        writeFileSync(file, text);
        return { program: 'go', args: ['run', file], cwd, env };
      },
    };
  },
};

const java: Client = {
  name: 'java',
  language: 'java',
  leftOut: {},
  toolchain: () => programs('a JDK of 11 or newer and Maven', ['javac', '--version'], ['mvn', '--version']),
  prepare: async (version) => {
    const directory = await cached('java', version + manifest('java/pom.xml'), (target) =>
      must({
        program: 'mvn',
        args: [
          ...['--batch-mode', '--quiet', '--file', here('java/pom.xml')],
          `-Dmaven.repo.local=${join(target, 'repository')}`,
          `-DoutputDirectory=${join(target, 'lib')}`,
          'dependency:copy-dependencies',
        ],
      }),
    );
    // A file of source runs as it is (JEP 330).
    const options = ['-Dfile.encoding=UTF-8', '-cp', join(directory, 'lib', '*')];
    return {
      driver: { program: 'java', args: [...options, here('java/Driver.java')] },
      example: (text) => {
        const file = join(mkdtempSync(join(directory, 'example-')), 'Example.java');
        writeFileSync(file, text);
        return { program: 'java', args: [...options, file] };
      },
    };
  },
};

export const CLIENTS: readonly Client[] = [node, curl, python, go, java];
