import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newDirectory } from '../cli/command-line.js';
import { cached } from '../conformance/cache.js';
import { run } from '../conformance/command.js';
import type { World } from './world.js';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const INSTALL_SECONDS = 300;
const RUN_SECONDS = 1_800;

/** Every check but those that doubt what the contract wants: unknown parameters and fields are ignored (§8). */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'ignored_auth',
];

/** Runs schemathesis, which makes requests of its own from the document; resolves to what it found. */
export async function runSchemathesis(world: World, seed: number): Promise<string[]> {
  const probe =
    'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version, sys.executable)';
  const python = await run({ program: 'python3', args: ['-c', probe] }, 120);
  if (python.code !== 0) {
    console.log('schemathesis: left out, needs Python 3.10 or newer with venv and ensurepip');
    return [];
  }
  let program: string;
  try {
    const contents = python.stdout + readFileSync(REQUIREMENTS, 'utf8');
    const directory = await cached('schemathesis', contents, async (target) => {
      const environment = join(target, 'venv');
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
      for (const [name, args] of [
        ['python3', ['-m', 'venv', environment]],
        [join(environment, 'bin/python'), pip],
      ] as const) {
        const { code, stderr } = await run({ program: name, args }, INSTALL_SECONDS);
        if (code !== 0) throw new Error(stderr);
      }
    });
    program = join(directory, 'venv/bin/schemathesis');
  } catch (error) {
    return [`schemathesis cannot be installed: ${(error as Error).message.slice(-1_000)}`];
  }
  console.log('schemathesis: running');
  const directory = newDirectory();
  const config = join(directory, 'schemathesis.toml');
  const known = ['auth_id', 'session_uuid'].map(
    (name) => `${name} = ${JSON.stringify(world.known(name, 0))}`,
  );
  writeFileSync(config, `[parameters]\n${known.join('\n')}\n`);
  const options = [
    ...['--checks', CHECKS.join(',')],
    ...['--auth', `${world.authId}:${world.token}`],
    ...['--max-examples', '60', '--workers', '1', '--seed', String(seed), '--generation-database', 'none'],
    ...['--exclude-operation-id', 'reportReceipt', '--exclude-operation-id', 'reportInbound', '--no-color'],
  ];
  const ended = await run(
    {
      program,
      args: ['--config-file', config, 'run', `${world.url}/openapi.json`, ...options],
      cwd: directory,
    },
    RUN_SECONDS,
  );
  console.log(ended.stdout.split('\n').slice(-14).join('\n'));
  return ended.code === 0 ? [] : [`schemathesis: ${ended.stdout.slice(-6_000)}${ended.stderr.slice(-1_000)}`];
}
