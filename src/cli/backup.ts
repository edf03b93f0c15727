import { resolve } from 'node:path';
import type { Command } from 'commander';
import { withAdministration } from './connect.js';
import { print, printJson, remark } from './output.js';

/** `backup <path>`. */
export function backupCommand(program: Command): void {
  program
    .command('backup <path>')
    .description('write a consistent copy of the database, in use or not, to a new file')
    .option('--json', 'print the result as JSON')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const result = await withAdministration((run) => run('backup', { path: resolve(path) }));
      if (json) return printJson(result);
      print(`copied to ${result.path} (${result.bytes} bytes)`);
      remark(
        `The copy is of no use without the master keys in ${result.keys}: back those up too, elsewhere.`,
      );
    });
}
