import type { Command } from 'commander';
import { withAdministration } from './connect.js';
import { print, printJson, remark, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;

/** `keys list|add|activate|reseal|retire|revoke`. */
export function keyCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('rotate the master keys: add, activate, reseal, retire; or revoke a compromised one');

  keys
    .command('list')
    .description('list the master keys that the database knows')
    .option(...JSON_FLAG)
    .action(async ({ json }: Format) => {
      const result = await withAdministration((run) => run('keys.list', {}));
      if (json) return printJson(result);
      const rows = result.keys.map((key) => [
        key.id,
        key.state,
        key.created_at,
        key.held ? 'yes' : 'no',
        String(key.references),
      ]);
      print(table(['KEY', 'STATE', 'CREATED', 'HELD', 'REFERENCES'], rows));
      for (const hint of result.hints) remark(hint);
    });

  keys
    .command('add')
    .description('make a random key that stands by until it is activated')
    .option(...JSON_FLAG)
    .action(async ({ json }: Format) => {
      const result = await withAdministration((run) => run('keys.add', {}));
      if (json) return printJson(result);
      print(
        `key ${result.id} is in ${result.source} and stands by; keys activate ${result.id} puts it to use`,
      );
    });

  keys
    .command('activate <key>')
    .description('seal and derive with this key from now on; the one before stands by')
    .option(...JSON_FLAG)
    .action(async (id: string, { json }: Format) => {
      const result = await withAdministration((run) => run('keys.activate', { id }));
      if (json) return printJson(result);
      print(`key ${id} is active; keys reseal moves what is sealed under the one before`);
    });

  keys
    .command('reseal')
    .description('seal again, under the active key, what is sealed under others')
    .option(...JSON_FLAG)
    .action(async ({ json }: Format) => {
      const result = await withAdministration((run) => run('keys.reseal', {}));
      if (json) return printJson(result);
      print(`resealed: ${result.accounts} accounts, ${result.sessions} sessions`);
    });

  keys
    .command('retire <key>')
    .description('put a key away that nothing refers to any more')
    .option(...JSON_FLAG)
    .action(async (id: string, { json }: Format) => {
      const result = await withAdministration((run) => run('keys.retire', { id }));
      if (json) return printJson(result);
      print(`key ${id} is retired`);
    });

  keys
    .command('revoke <key>')
    .description('close a compromised key: ends every live session whose code it could tell')
    .option(...JSON_FLAG)
    .action(async (id: string, { json }: Format) => {
      const result = await withAdministration((run) => run('keys.revoke', { id }));
      if (json) return printJson(result);
      print(`key ${id} is revoked; live sessions ended: ${result.sessions}`);
      if (result.accounts.length === 0) return;
      remark('Who has this key and a copy of the database has the tokens of these accounts. Rotate them:');
      for (const authId of result.accounts) remark(`  countersign account rotate-token ${authId}`);
    });
}
