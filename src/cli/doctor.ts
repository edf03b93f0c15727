import type { Command } from 'commander';
import { print } from './output.js';

/** `doctor`: tells what `examine` finds. */
export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check configuration, data directory, database, keys, carriers and ports')
    .action(async () => {
      // Loads every carrier, which other commands have no use for.
      const { examine } = await import('./examine.js');
      let problems = 0;
      for await (const { ok, text } of examine()) {
        print(`${ok ? 'ok      ' : 'problem '} ${text}`);
        if (!ok) problems++;
      }
      print(problems === 0 ? 'No problems found.' : `Problems found: ${problems}.`);
      process.exitCode = problems === 0 ? 0 : 1;
    });
}
