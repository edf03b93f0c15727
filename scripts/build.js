// Compiles src/, the network names and the prompts into an empty dist/, so that a file deleted from src/ never lingers in what is
// run or shipped.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeNetworks } from './networks.js';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const { status } = spawnSync(process.execPath, [compiler, '-p', `${root}tsconfig.build.json`], {
  stdio: 'inherit',
});
if (status === 0) {
  chmodSync(`${root}dist/cli.js`, 0o755);
  writeNetworks(`${root}dist/api/networks.json`);
  cpSync(`${root}prompts`, `${root}dist/speech/prompts`, { recursive: true });
}
process.exit(status ?? 1);
